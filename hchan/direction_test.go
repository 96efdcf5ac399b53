// Direction in types: what goes against it does not compile.

package hchan

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// directions are statements about a Sender s, a Receiver r and a channel c of int, and what the compiler has against them;
// nothing, where that is empty. Each native counterpart is in test/chan/perm.go.
var directions = []struct{ code, fault string }{
	{`s.Send(1)`, ``},
	{`_ = s.TrySend(1)`, ``},
	{`_ = s.SendContext(ctx, 1)`, ``},
	{`s.Close()`, ``},
	{`_, _ = r.Recv()`, ``},
	{`_, _, _ = r.TryRecv()`, ``},
	{`_, _, _ = r.RecvContext(ctx)`, ``},
	{`for range r.All() { }`, ``},
	{`_ = s.Len() + s.Cap() + r.Len() + r.Cap()`, ``},
	{`s = c; r = c`, ``},
	{`s = c.SendOnly(); r = c.RecvOnly()`, ``},
	{`hchan.Select(hchan.OnSend(s, 1), hchan.OnRecv(r, nil, nil))`, ``},
	{`hchan.Select(hchan.OnSend(c.SendOnly(), 1), hchan.OnRecv(c.RecvOnly(), nil, nil))`, ``},

	{`s.Recv()`, `s.Recv undefined`},
	{`s.TryRecv()`, `s.TryRecv undefined`},
	{`s.RecvContext(ctx)`, `s.RecvContext undefined`},
	{`for range s.All() { }`, `s.All undefined`},
	{`r.Send(1)`, `r.Send undefined`},
	{`r.TrySend(1)`, `r.TrySend undefined`},
	{`r.SendContext(ctx, 1)`, `r.SendContext undefined`},
	{`r.Close()`, `r.Close undefined`},
	{`s = r`, `cannot use r`},
	{`r = s`, `cannot use s`},
	{`c = s`, `cannot use s`},
	{`c = r`, `cannot use r`},
	{`hchan.OnSend(r, 1)`, `of r does not match`},
	{`hchan.OnRecv(s, nil, nil)`, `of s does not match`},
	{`s.Send("a string")`, `cannot use "a string"`},
	{`var x hchan.Sender[string] = c; _ = x`, `cannot use c`},
	{`var x hchan.Sender[int] = mine{}; _ = x`, `cannot use mine{}`}, // no other type is one
}

// TestWrongDirectionDoesNotCompile: each statement in a program of its own, by the compiler's type checker.
func TestWrongDirectionDoesNotCompile(t *testing.T) {
	fset := token.NewFileSet()
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", ".").Output()
	require.NoError(t, err)
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for _, d := range directions {
		file, err := parser.ParseFile(fset, "main.go", fmt.Sprintf(`package main

import (
	"context"

	"github.com/userrt/userrt/hchan"
)

type mine struct{}

func (mine) Send(int) { }
func (mine) TrySend(int) bool { return false }
func (mine) SendContext(context.Context, int) error { return nil }
func (mine) Close() { }
func (mine) Len() int { return 0 }
func (mine) Cap() int { return 0 }

func use(ctx context.Context, c *hchan.Chan[int], s hchan.Sender[int], r hchan.Receiver[int]) {
	%s
}

func main() { use(context.Background(), nil, nil, nil) }
`, d.code), 0)
		require.NoError(t, err, d.code)
		_, err = (&types.Config{Importer: imports}).Check("main", fset, []*ast.File{file}, nil)
		if d.fault == "" {
			require.NoError(t, err, d.code)
			continue
		}
		require.ErrorContains(t, err, d.fault, d.code)
	}
}
