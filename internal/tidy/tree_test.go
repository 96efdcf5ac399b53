package tidy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

const module = "github.com/userrt/userrt"

// tree is the text of a repository, with the Go files parsed.
type tree struct {
	fset  *token.FileSet
	files []*file
	known map[string]bool // paths of all files and directories
}

type file struct {
	path string // slash-separated, relative to the root
	text string
	ast  *ast.File // nil for what is not Go
}

func load(fsys fs.FS) (*tree, error) {
	t := &tree{fset: token.NewFileSet(), known: map[string]bool{}}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if p != "." && hidden(d.Name()) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		t.known[p] = true
		if d.IsDir() || !isText(p) {
			return nil
		}
		return t.add(fsys, p)
	})
	return t, err
}

// hidden tells what is not part of the project: version control, editors.
func hidden(name string) bool {
	return name != ".ci" && name != ".gitignore" && (name[0] == '.' || name[0] == '_')
}

func isText(p string) bool {
	switch path.Ext(p) {
	case ".go", ".s", ".md", ".mod", ".txt", "":
		return !strings.HasSuffix(p, "LICENSE")
	}
	return path.Base(p) == ".gitignore"
}

func (t *tree) add(fsys fs.FS, p string) error {
	b, err := fs.ReadFile(fsys, p)
	if err != nil {
		return err
	}
	f := &file{path: p, text: string(b)}
	if path.Ext(p) == ".go" && !strings.Contains(p, "testdata/") {
		f.ast, err = parser.ParseFile(t.fset, p, b, parser.ParseComments|parser.SkipObjectResolution)
	}
	t.files = append(t.files, f)
	return err
}

// goFiles returns the Go files, with or without the tests.
func (t *tree) goFiles(tests bool) []*file {
	var out []*file
	for _, f := range t.files {
		if f.ast != nil && (tests || !f.isTest()) {
			out = append(out, f)
		}
	}
	return out
}

func (t *tree) markdown() []*file {
	var out []*file
	for _, f := range t.files {
		if path.Ext(f.path) == ".md" {
			out = append(out, f)
		}
	}
	return out
}

// at renders a finding the way compilers do.
func (t *tree) at(pos token.Pos, format string, args ...any) string {
	p := t.fset.Position(pos)
	return fmt.Sprintf("%s:%d: ", p.Filename, p.Line) + fmt.Sprintf(format, args...)
}

func (f *file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// pkg is the file's directory, which names its package inside the module.
func (f *file) pkg() string { return path.Dir(f.path) }

// line returns the number of the line that holds byte i.
func (f *file) line(i int) int { return 1 + strings.Count(f.text[:i], "\n") }

// imports returns the import paths of f, each with its position.
func (f *file) imports() map[string]token.Pos {
	out := map[string]token.Pos{}
	for _, s := range f.ast.Imports {
		p, _ := strconv.Unquote(s.Path.Value)
		out[p] = s.Pos()
	}
	return out
}
