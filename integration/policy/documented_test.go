package policy

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// folderOf is a package that other modules can import.
type folderOf struct {
	name  string // below root
	set   *token.FileSet
	files []*ast.File // without tests
	tests []*ast.File
}

// packages returns every package of the workspace that another module can import.
func packages(t *testing.T) (list []*folderOf) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if name := entry.Name(); name == "internal" || name == "testdata" || len(name) > 2 && name[0] == '.' {
			return filepath.SkipDir
		}
		folder := readFolder(t, path)
		if len(folder.files) > 0 && folder.files[0].Name.Name != "main" {
			list = append(list, folder)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 10 {
		t.Errorf("only %d packages were found", len(list))
	}
	return list
}

func readFolder(t *testing.T, path string) *folderOf {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	name, _ := filepath.Rel(root, path)
	folder := &folderOf{name: filepath.ToSlash(name), set: token.NewFileSet()}
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) != ".go" {
			continue
		}
		file, err := parser.ParseFile(folder.set, filepath.Join(path, entry.Name()), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(entry.Name(), "_test.go") {
			folder.tests = append(folder.tests, file)
		} else {
			folder.files = append(folder.files, file)
		}
	}
	return folder
}

// TestExamples: every package has an Example.
func TestExamples(t *testing.T) {
	for _, folder := range packages(t) {
		if len(doc.Examples(folder.tests...)) == 0 {
			t.Errorf("%s has no Example: write one into %[1]s/example_test.go", folder.name)
		}
	}
}

// TestDocumented: every exported name has a comment. That of a package, a function,
// a method or a type names it. A comment above several constants, variables, fields
// or methods of an interface, with no empty line between, is for all of them.
func TestDocumented(t *testing.T) {
	for _, folder := range packages(t) {
		d := &documented{t: t, folder: folder}
		var comments string
		for _, file := range folder.files {
			comments += file.Doc.Text()
			for _, declaration := range file.Decls {
				d.declaration(declaration)
			}
		}
		if !strings.HasPrefix(comments, "Package "+folder.files[0].Name.Name+" ") {
			t.Errorf("%s: the package has no comment that begins with its name", folder.name)
		}
		if d.names == 0 {
			t.Errorf("%s: no exported name was found", folder.name)
		}
	}
}

// documented looks at the exported names of a package.
type documented struct {
	t      *testing.T
	folder *folderOf
	names  int
}

// want reports an exported name without a comment, or, if it must name it, with
// one that does not.
func (d *documented) want(name *ast.Ident, comment string, named bool) {
	if !name.IsExported() {
		return
	}
	d.names++
	where := d.folder.set.Position(name.Pos())
	if comment == "" {
		d.t.Errorf("%s:%d: %s has no comment", where.Filename, where.Line, name.Name)
	} else if named && !regexp.MustCompile(`\b`+name.Name+`\b`).MatchString(comment) {
		d.t.Errorf("%s:%d: the comment of %s does not name it: %q", where.Filename, where.Line, name.Name, comment)
	}
}

func (d *documented) declaration(declaration ast.Decl) {
	switch declaration := declaration.(type) {
	case *ast.FuncDecl:
		if declaration.Recv == nil || ast.IsExported(receiver(declaration)) {
			d.want(declaration.Name, declaration.Doc.Text(), true)
		}
	case *ast.GenDecl:
		for _, spec := range declaration.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				d.want(spec.Name, declaration.Doc.Text()+spec.Doc.Text(), true)
				d.members(spec)
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					d.want(name, declaration.Doc.Text()+spec.Doc.Text()+spec.Comment.Text(), false)
				}
			}
		}
	}
}

// members looks at the fields of an exported struct and the methods of an exported
// interface.
func (d *documented) members(spec *ast.TypeSpec) {
	var list []*ast.Field
	switch kind := spec.Type.(type) {
	case *ast.StructType:
		list = kind.Fields.List
	case *ast.InterfaceType:
		list = kind.Methods.List
	}
	if !spec.Name.IsExported() {
		return
	}
	group, end := "", 0
	for _, field := range list {
		if d.folder.set.Position(field.Pos()).Line > end+1 {
			group = ""
		}
		if field.Doc != nil {
			group = field.Doc.Text()
		}
		for _, name := range field.Names {
			d.want(name, group+field.Comment.Text(), false)
		}
		end = d.folder.set.Position(field.End()).Line
	}
}

// receiver returns the name of a method's type.
func receiver(method *ast.FuncDecl) string {
	kind := method.Recv.List[0].Type
	if pointer, ok := kind.(*ast.StarExpr); ok {
		kind = pointer.X
	}
	if name, ok := kind.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}
