//go:build race

package racetest

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// cases is a program made of the race detector's test cases, put onto userrt.
type cases struct {
	files   map[string]string // name to text
	names   []string          // of the cases in it, sorted: RaceChanSend and the like
	leftOut map[string]string // name to reason
}

// unit is a declaration of the sources, rewritten.
type unit struct {
	file    string
	code    string
	imports map[string]string
	defines []types.Object
	uses    map[types.Object]bool
	reason  string // why it is left out; empty if it is not
	test    string // the case's name, if it is one
}

// generate reads the test cases in dir.
func generate(dir string) (*cases, error) {
	out := &cases{files: map[string]string{}, leftOut: map[string]string{}}
	fset := token.NewFileSet()
	files, sources, err := parseCases(fset, dir, out.leftOut)
	if err != nil {
		return nil, err
	}
	info, pkg, err := check(fset, files)
	if err != nil {
		return nil, err
	}
	var units []*unit
	for i, f := range files {
		r := &rewriter{src: sources[i], base: fset.File(f.FileStart).Pos(0), info: info, pkg: pkg}
		for _, d := range f.Decls {
			if u := r.unit(d); u != nil {
				u.file = filepath.Base(fset.Position(f.FileStart).Filename)
				units = append(units, u)
			}
		}
	}
	leaveOutUsers(units)
	for _, u := range units {
		switch {
		case u.reason == "":
			if u.test != "" {
				out.names = append(out.names, u.test)
			}
		case u.test != "":
			out.leftOut[u.test] = u.reason
		}
	}
	units = slices.DeleteFunc(units, func(u *unit) bool { return u.reason != "" })
	for _, f := range files {
		name := filepath.Base(fset.Position(f.FileStart).Filename)
		out.files[strings.TrimSuffix(name, "_test.go")+"_cases.go"] = render(units, name)
	}
	slices.Sort(out.names)
	out.files["main.go"] = strings.ReplaceAll(mainText, "TABLE", table(out.names))
	return out, nil
}

// parseCases parses the files for this system. Those that import what only the standard library may are left
// out with all their cases.
func parseCases(fset *token.FileSet, dir string, leftOut map[string]string) (files []*ast.File, sources [][]byte, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, nil, err
	}
	ctx := build.Default
	ctx.BuildTags = append(slices.Clone(ctx.BuildTags), "race")
	for _, p := range paths {
		if ok, err := ctx.MatchFile(dir, filepath.Base(p)); err != nil || !ok {
			continue // for another system, or with an error that the parser finds too
		}
		src, err := os.ReadFile(p)
		if err != nil {
			return nil, nil, err
		}
		f, err := parser.ParseFile(fset, p, src, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, nil, err
		}
		if bad := notForUs(f); bad != "" {
			for _, d := range f.Decls {
				if name := caseName(d); name != "" {
					leftOut[name] = "its file imports " + bad
				}
			}
			continue
		}
		files, sources = append(files, f), append(sources, src)
	}
	return files, sources, nil
}

// check finds out the types of all expressions.
func check(fset *token.FileSet, files []*ast.File) (*types.Info, *types.Package, error) {
	exports, err := exportData(files)
	if err != nil {
		return nil, nil, err
	}
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Defs:  map[*ast.Ident]types.Object{},
		Uses:  map[*ast.Ident]types.Object{},
	}
	conf := &types.Config{Importer: importer.ForCompiler(fset, "gc", exports)}
	pkg, err := conf.Check("race_test", fset, files, info)
	return info, pkg, err
}

// exportData finds the types of what the files import, as they are under the race detector.
func exportData(files []*ast.File) (func(path string) (io.ReadCloser, error), error) {
	args := []string{"list", "-race", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}
	for _, f := range files {
		for _, imp := range f.Imports {
			p, _ := strconv.Unquote(imp.Path.Value)
			args = append(args, p)
		}
	}
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	at := map[string]string{}
	for line := range strings.Lines(string(out)) {
		p, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		at[p] = file
	}
	return func(p string) (io.ReadCloser, error) { return os.Open(at[p]) }, nil
}

func notForUs(f *ast.File) string {
	for _, imp := range f.Imports {
		if p, _ := strconv.Unquote(imp.Path.Value); p == "C" || strings.HasPrefix(p, "internal/") {
			return p
		}
	}
	return ""
}

// caseName returns the name of a case without "Test", or "". All others (a TestMain, cases that are to be looked at
// by hand) promise no verdict.
func caseName(d ast.Decl) string {
	if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
		if name, ok := strings.CutPrefix(f.Name.Name, "Test"); ok && (strings.HasPrefix(name, "Race") || strings.HasPrefix(name, "NoRace")) {
			return name
		}
	}
	return ""
}

// unit rewrites a declaration; nil for what the program has no use for.
func (r *rewriter) unit(d ast.Decl) *unit {
	r.imports, r.uses, r.reason = map[string]string{}, map[types.Object]bool{}, ""
	u := &unit{test: caseName(d), uses: r.uses, imports: r.imports}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if name := d.Name.Name; d.Recv == nil && u.test == "" && (strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Benchmark")) {
			return nil
		}
		u.defines = append(u.defines, r.info.Defs[d.Name])
	case *ast.GenDecl:
		if d.Tok == token.IMPORT {
			return nil
		}
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				u.defines = append(u.defines, r.info.Defs[s.Name])
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.Name == "_" { // would run at the start of every case
						return nil
					}
					u.defines = append(u.defines, r.info.Defs[n])
				}
			}
		}
	}
	u.code = r.code(d)
	u.reason = r.reason
	return u
}

// leaveOutUsers leaves out what uses something that is left out.
func leaveOutUsers(units []*unit) {
	for again := true; again; {
		again = false
		gone := map[types.Object]string{}
		for _, u := range units {
			for _, o := range u.defines {
				if u.reason != "" {
					gone[o] = u.reason
				}
			}
		}
		for _, u := range units {
			for o := range u.uses {
				if why := gone[o]; why != "" && u.reason == "" {
					u.reason, again = why, true
				}
			}
		}
	}
}

// render puts the units of one file together.
func render(units []*unit, file string) string {
	var b strings.Builder
	imports := map[string]string{}
	for _, u := range units {
		if u.file == file {
			b.WriteString("\n" + u.code + "\n")
			for path, name := range u.imports {
				imports[path] = name
			}
		}
	}
	var head strings.Builder
	head.WriteString("package main\n\n")
	for path, name := range imports {
		fmt.Fprintf(&head, "import %s %q\n", name, path)
	}
	return head.String() + b.String()
}

func table(names []string) string {
	var b strings.Builder
	for _, n := range names {
		fmt.Fprintf(&b, "\t%q: Test%s,\n", n, n)
	}
	return b.String()
}

// mainText runs the case that its argument names.
const mainText = `package main

import (
	"fmt"
	"os"
	"time"

	"` + modulePath + `/hchan"
	"` + modulePath + `/sched"
)

var table = map[string]func(*caseT){
TABLE}

// caseT is what the cases use of a testing.T.
type caseT struct{}

func (*caseT) Helper() {}

func (*caseT) Log(a ...any)            { fmt.Println(a...) }
func (*caseT) Logf(f string, a ...any) { fmt.Printf(f+"\n", a...) }

func (*caseT) Skip(a ...any) {
	fmt.Println("case skipped:", fmt.Sprint(a...))
	os.Exit(0)
}

func (*caseT) fail(text string) {
	fmt.Println("case failed:", text)
	os.Exit(3)
}

func (t *caseT) Error(a ...any)            { t.fail(fmt.Sprint(a...)) }
func (t *caseT) Errorf(f string, a ...any) { t.fail(fmt.Sprintf(f, a...)) }
func (t *caseT) Fatal(a ...any)            { t.fail(fmt.Sprint(a...)) }
func (t *caseT) Fatalf(f string, a ...any) { t.fail(fmt.Sprintf(f, a...)) }

func (t *caseT) TempDir() string {
	dir, err := os.MkdirTemp(os.Getenv("CASE_TEMP"), "case")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// received is a receive in an expression.
func received[T any](c *hchan.Chan[T]) T {
	v, _ := c.Recv()
	return v
}

// element returns a variable for what c carries.
func element[T any](*hchan.Chan[T]) (v T) { return v }

func main() {
	s, err := sched.New(sched.Config{Procs: 1})
	if err == nil {
		err = s.Run(func() { table[os.Args[1]](new(caseT)) })
	}
	// Some cases do not wait for what they start; some of that never ends.
	for end := time.Now().Add(time.Second / 4); s.Stats().Tasks > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("case ended:", err)
}
`
