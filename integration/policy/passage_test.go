package policy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// passage is a paragraph, list item, table row, comment or string. Its lines are
// joined by spaces, so that a phrase across the end of a line is found.
type passage struct {
	text    string
	starts  []int // the offset of each line in text
	line    int   // the number of the first line in the file
	isError bool  // the text is that of an error
}

// add appends a line to the passage.
func (p *passage) add(line string) {
	if p.text != "" {
		p.text += " "
	}
	p.starts = append(p.starts, len(p.text))
	p.text += strings.TrimSpace(line)
}

// lineAt returns the number of the line in the file that an offset belongs to.
func (p passage) lineAt(offset int) int {
	index, exact := slices.BinarySearch(p.starts, offset)
	if !exact {
		index--
	}
	return p.line + index
}

var (
	// itemStart begins a new passage: a list item, a heading or a table row.
	itemStart = regexp.MustCompile(`^\s*([-*#|]|\d+\.)`)
	// code is text between backticks, which is not English.
	code = regexp.MustCompile("`[^`]*`")
	// directive is a comment for a tool.
	directive = regexp.MustCompile(`^//(go|lint|nolint)[:\s]\S`)
)

// split divides lines, of which first is the number of the first, into passages.
func split(lines []string, first int) (list []passage) {
	var open *passage
	end := func() {
		if open != nil {
			open.text = code.ReplaceAllStringFunc(open.text, func(found string) string {
				return "`" + strings.Repeat("x", len(found)-2) + "`"
			})
			list = append(list, *open)
		}
		open = nil
	}
	fenced := false
	for i, line := range lines {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		if fence {
			fenced = !fenced
		}
		if fence || fenced || strings.TrimSpace(line) == "" {
			end()
			continue
		}
		if itemStart.MatchString(line) {
			end()
			line = strings.TrimLeft(line, " \t-*#")
		}
		if open == nil {
			open = &passage{line: first + i}
		}
		open.add(line)
	}
	end()
	return list
}

// passagesOfPage returns the passages of a page in Markdown, without its code.
func passagesOfPage(text string) []passage { return split(strings.Split(text, "\n"), 1) }

// passagesOfSource returns the comments of a Go file, and its strings if the file
// is not a test: users see those.
func passagesOfSource(t *testing.T, path string, text []byte) (list []passage) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range file.Comments {
		var lines []string
		for _, comment := range group.List {
			if directive.MatchString(comment.Text) {
				lines = append(lines, "")
				continue
			}
			for line := range strings.SplitSeq(comment.Text, "\n") {
				line = strings.TrimPrefix(strings.TrimPrefix(line, "//"), "/*")
				if strings.HasPrefix(line, "\t") { // code
					line = ""
				}
				lines = append(lines, strings.TrimSuffix(line, "*/"))
			}
		}
		list = append(list, split(lines, set.Position(group.Pos()).Line)...)
	}
	if strings.HasSuffix(path, "_test.go") {
		return list
	}
	errors := map[token.Pos]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && makesError(call) {
			for _, argument := range call.Args {
				errors[argument.Pos()] = true
			}
		}
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		value, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range split(strings.Split(value, "\n"), set.Position(literal.Pos()).Line) {
			p.isError = errors[literal.Pos()]
			list = append(list, p)
		}
		return true
	})
	return list
}

// makesError reports whether a call makes an error of its first string.
func makesError(call *ast.CallExpr) bool {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	return name == "New" || strings.HasSuffix(name, "Errorf") || strings.HasSuffix(name, "Error")
}
