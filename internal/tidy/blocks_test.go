// The Go code in documents. A block that is a program is built and run, and must end with status 0;
// a block with declarations, or with statements only, is compiled. The mark "norun" behind the language
// name keeps a program (a server, say) from being run:
//
//	```go norun

package tidy

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	blockTimeout = 2 * time.Minute
	fence        = "```"
)

type block struct {
	name string // document and line
	run  bool
	code string
}

var goFence = regexp.MustCompile("(?ms)^```go([^\n]*)\n(.*?)^```")

// blocks returns the Go blocks of README.md and docs.
func blocks(t *tree) (out []block) {
	for _, f := range t.markdown() {
		if f.path != "README.md" && !strings.HasPrefix(f.path, "docs/") {
			continue
		}
		for _, m := range goFence.FindAllStringSubmatchIndex(f.text, -1) {
			info, code := strings.Fields(f.text[m[2]:m[3]]), f.text[m[4]:m[5]]
			out = append(out, block{
				name: fmt.Sprintf("%s:%d", f.path, f.line(m[0])),
				run:  isProgram(code) && !slices.Contains(info, "norun"),
				code: code,
			})
		}
	}
	return out
}

func isProgram(code string) bool {
	f, err := parser.ParseFile(token.NewFileSet(), "", code, parser.PackageClauseOnly)
	return err == nil && f.Name.Name == "main"
}

// complete makes a file out of a block: it adds the package clause, a function around statements, and,
// where the block has none of its own, the imports.
func complete(code string) (string, error) {
	if _, err := parser.ParseFile(token.NewFileSet(), "", code, parser.PackageClauseOnly); err == nil {
		return code, nil
	}
	src := "package block\n\n" + code
	f, err := parser.ParseFile(token.NewFileSet(), "", src, 0)
	if err != nil {
		src = "package block\n\nfunc _() {\n" + code + "}\n"
		if f, err = parser.ParseFile(token.NewFileSet(), "", src, 0); err != nil {
			return "", err
		}
	}
	if len(f.Imports) > 0 {
		return src, nil
	}
	var lines strings.Builder
	for _, imp := range importsOf(f) {
		fmt.Fprintf(&lines, "import %q\n", imp)
	}
	return strings.Replace(src, "\n", "\n\n"+lines.String(), 1), nil
}

// usual are the packages that a block may use without importing them.
var usual = []string{
	"context", "errors", "fmt", "io", "log", "math", "net", "net/http", "os", "runtime", "sort", "strings", "sync", "time",
	module + "/sched", module + "/hchan", module + "/waitgroup", module + "/locks", module + "/netpoll", module + "/explore",
}

// importsOf returns those of the usual packages whose name stands before a dot and is declared nowhere.
func importsOf(f *ast.File) (imps []string) {
	used := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Obj == nil {
				used[x.Name] = true
			}
		}
		return true
	})
	for _, p := range usual {
		if used[path.Base(p)] {
			imps = append(imps, p)
		}
	}
	return imps
}

// TestDocumentsCompile builds each block as a package inside the module, laid over the tree without being
// written to it.
func TestDocumentsCompile(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles and runs programs")
	}
	for _, b := range blocks(loadRoot(t)) {
		t.Run(b.name, func(t *testing.T) {
			out, err := build(t, b)
			require.NoError(t, err, out)
		})
	}
}

func build(t *testing.T, b block) (out string, err error) {
	t.Helper()
	code, err := complete(b.code)
	if err != nil {
		return "", err
	}
	dir := t.TempDir()
	src := filepath.Join(dir, "block.go")
	require.NoError(t, os.WriteFile(src, []byte(code), 0o600))
	abs, err := filepath.Abs(root)
	require.NoError(t, err)
	overlay, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(abs, "blockofdoc", "block.go"): src},
	})
	require.NoError(t, err)
	over := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(over, overlay, 0o600))
	args := []string{"build", "-overlay", over, "-o", filepath.Join(dir, "bin"), module + "/blockofdoc"}
	if !isProgram(code) {
		args = slices.Delete(args, 3, 5)
	}
	if out, err = command(t, abs, "go", args...); err != nil || !b.run {
		return out, err
	}
	return command(t, dir, filepath.Join(dir, "bin"))
}

func command(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), blockTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = fmt.Errorf("not done after %v: %w", blockTimeout, err)
	}
	return string(out), err
}

func TestBlocksAreFoundAndJudged(t *testing.T) {
	doc := strings.ReplaceAll(`text

~~~go
package main

func main() { println("ran") }
~~~

~~~go norun
package main

func main() { select {} }
~~~

~~~go
func add(a, b int) int { return a + b }
~~~

~~~go
fmt.Println(strings.ToUpper("x"))
~~~

~~~go
func broken() int { return "no number" }
~~~

~~~go
package main

func main() { panic("ends badly") }
~~~

~~~text
not Go
~~~
`, "~~~", fence)
	got := blocks(&tree{files: []*file{{path: "README.md", text: doc}, {path: "sched/x.md", text: doc}}})
	require.Len(t, got, 6)
	outs := make([]string, len(got))
	var failed []string
	for i, b := range got {
		out, err := build(t, b)
		outs[i] = out
		if err != nil {
			failed = append(failed, b.name)
		}
	}
	require.Equal(t, []string{got[4].name, got[5].name}, failed, outs)
	require.Equal(t, "README.md:3", got[0].name)
	require.Contains(t, outs[0], "ran")
	require.Empty(t, outs[1], "built, not run")
	require.Contains(t, outs[5], "ends badly")
}
