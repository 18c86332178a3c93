package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// adapter is what the source of an adapter shows.
type adapter struct {
	name                       string // of the package
	client, server             bool   // the sides that it has
	clientTokens, serverTokens bool   // whether it carries tokens (XEP-0484)
	imports                    []string
}

// readAdapter reads the package in an adapter's folder. An adapter has a client's
// side if something exported takes a *sasl.Client or has one in a field, and a
// server's side if an exported type has a *sasl.Server in a field. It carries a
// client's tokens if it implements sasl.TokenInterface, and a server's tokens if
// it calls OfferTokens.
func readAdapter(folder string) (a adapter, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return a, err
	}
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) != ".go" || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, entry.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			return a, err
		}
		a.name = file.Name.Name
		ast.Inspect(file, a.look)
	}
	return a, nil
}

// look notes what one node of the source shows.
func (a *adapter) look(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		a.client = a.client || n.Name.IsExported() && has(n.Type.Params.List, "*sasl.Client", false)
		a.clientTokens = a.clientTokens || n.Name.Name == "RequestTokens"
	case *ast.TypeSpec:
		if fields, ok := n.Type.(*ast.StructType); ok && n.Name.IsExported() {
			a.client = a.client || has(fields.Fields.List, "*sasl.Client", true)
			a.server = a.server || has(fields.Fields.List, "*sasl.Server", true)
		}
	case *ast.ImportSpec:
		imported, _ := strconv.Unquote(n.Path.Value)
		a.imports = append(a.imports, imported)
	case *ast.SelectorExpr:
		a.serverTokens = a.serverTokens || n.Sel.Name == "OfferTokens"
	}
	return true
}

// has reports whether a list of parameters or of fields has one of the type. Of
// fields only the exported ones count.
func has(list []*ast.Field, name string, fields bool) bool {
	return slices.ContainsFunc(list, func(field *ast.Field) bool {
		hidden := fields && len(field.Names) > 0 && !field.Names[0].IsExported()
		return types.ExprString(field.Type) == name && !hidden
	})
}
