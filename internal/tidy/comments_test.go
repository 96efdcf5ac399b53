// Comments: files open with one, exported names have one. And no file grows without end.

package tidy

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

const maxLines = 500

func tooLong(t *tree) (found []string) {
	for _, f := range t.goFiles(true) {
		if n := strings.Count(f.text, "\n"); n > maxLines {
			found = append(found, fmt.Sprintf("%s: %d lines, more than %d", f.path, n, maxLines))
		}
	}
	return found
}

// noOpening finds files whose first thing, package clause and imports apart, is no comment. Directives such
// as build constraints are none.
func noOpening(t *tree) (found []string) {
	for _, f := range t.goFiles(false) {
		imports := slices.DeleteFunc(slices.Clone(f.ast.Decls), func(d ast.Decl) bool { return !isImport(d) })
		end := f.ast.FileEnd
		if len(imports) < len(f.ast.Decls) {
			end = f.ast.Decls[len(imports)].Pos() // of the keyword, behind a doc comment
		}
		if !slices.ContainsFunc(f.ast.Comments, func(c *ast.CommentGroup) bool {
			return c.Pos() < end && c.Text() != "" && !within(c, imports)
		}) {
			found = append(found, t.at(f.ast.Package, "file does not open with a comment"))
		}
	}
	return found
}

func isImport(d ast.Decl) bool {
	g, ok := d.(*ast.GenDecl)
	return ok && g.Tok == token.IMPORT
}

func within(c *ast.CommentGroup, decls []ast.Decl) bool {
	return slices.ContainsFunc(decls, func(d ast.Decl) bool {
		return d.Pos() <= c.Pos() && c.Pos() < d.End()
	})
}

// undocumented finds exported names without a comment: functions, methods of exported types, types,
// constants and variables; in a group the group's comment will do.
func undocumented(t *tree) (found []string) {
	for _, f := range t.goFiles(false) {
		if f.ast.Name.Name == "main" {
			continue
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc.Text() == "" && d.Name.IsExported() && receiverExported(d) {
					found = append(found, t.at(d.Pos(), "%s has no comment", d.Name.Name))
				}
			case *ast.GenDecl:
				if d.Doc.Text() == "" && d.Tok != token.IMPORT {
					found = append(found, t.undocumentedSpecs(d)...)
				}
			}
		}
	}
	return found
}

func (t *tree) undocumentedSpecs(d *ast.GenDecl) (found []string) {
	for _, s := range d.Specs {
		var names []*ast.Ident
		var text string
		switch s := s.(type) {
		case *ast.TypeSpec:
			names, text = []*ast.Ident{s.Name}, s.Doc.Text()+s.Comment.Text()
		case *ast.ValueSpec:
			names, text = s.Names, s.Doc.Text()+s.Comment.Text()
		}
		for _, n := range names {
			if n.IsExported() && text == "" {
				found = append(found, t.at(n.Pos(), "%s has no comment", n.Name))
			}
		}
	}
	return found
}

func receiverExported(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}
