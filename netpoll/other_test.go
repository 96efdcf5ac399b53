//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package netpoll

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Where there is no poller. `.ci/run tags` runs these tests on a system that has one.

func isUnsupported(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorContains(t, err, "netpoll: not supported on "+runtime.GOOS)
}

// functions are all that the package exports, by their names, with what they return beside the error.
var functions = map[string]struct {
	op   string
	call func(network, address string) (any, error)
}{
	"Listen":       {"listen", func(n, a string) (any, error) { l, err := Listen(n, a); return l, err }},
	"ListenPacket": {"listen", func(n, a string) (any, error) { c, err := ListenPacket(n, a); return c, err }},
	"Dial":         {"dial", func(n, a string) (any, error) { c, err := Dial(n, a); return c, err }},
	"DialTimeout":  {"dial", func(n, a string) (any, error) { c, err := DialTimeout(n, a, time.Minute); return c, err }},
	"DialContext":  {"dial", func(n, a string) (any, error) { c, err := DialContext(context.Background(), n, a); return c, err }},
	"Open":         {"open", func(_, a string) (any, error) { f, err := Open(0, a); return f, err }},
}

// methods are FD's.
var methods = map[string]struct {
	op   string
	call func(f *FD) error
}{
	"Read":             {"read", func(f *FD) error { _, err := f.Read(make([]byte, 1)); return err }},
	"Write":            {"write", func(f *FD) error { _, err := f.Write(make([]byte, 1)); return err }},
	"Close":            {"close", func(f *FD) error { return f.Close() }},
	"SetDeadline":      {"set deadline", func(f *FD) error { return f.SetDeadline(time.Time{}) }},
	"SetReadDeadline":  {"set deadline", func(f *FD) error { return f.SetReadDeadline(time.Time{}) }},
	"SetWriteDeadline": {"set deadline", func(f *FD) error { return f.SetWriteDeadline(time.Time{}) }},
	"WaitRead":         {"read", func(f *FD) error { return f.WaitRead(context.Background()) }},
	"WaitWrite":        {"write", func(f *FD) error { return f.WaitWrite(context.Background()) }},
	"SyscallConn": {"raw-control", func(f *FD) error {
		raw, err := f.SyscallConn()
		if raw != nil {
			return errors.New("there is something beside the error")
		}
		return err
	}},
	"Name": {"", nil},
}

func TestUnsupported(t *testing.T) {
	for name, f := range functions {
		for _, network := range []string{"tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "unix", "unixgram", "pigeon", ""} {
			for _, address := range []string{"127.0.0.1:0", "localhost:http", ":0", "a path", ""} {
				got, err := f.call(network, address)
				require.Nil(t, got, name)
				isUnsupported(t, err)
				if name == "Open" {
					require.Equal(t, &fs.PathError{Op: f.op, Path: address, Err: errUnsupported}, err)
				} else {
					require.Equal(t, &net.OpError{Op: f.op, Net: network, Err: errUnsupported}, err)
				}
			}
		}
	}
	var none context.Context
	require.PanicsWithValue(t, "nil context", func() { _, _ = DialContext(none, "tcp", "127.0.0.1:1") })
	f := &FD{"a pipe"}
	for name, m := range methods {
		if name == "Name" {
			require.Equal(t, "a pipe", f.Name())
			continue
		}
		err := m.call(f)
		isUnsupported(t, err)
		require.Equal(t, &fs.PathError{Op: m.op, Path: "a pipe", Err: errUnsupported}, err, name)
	}
}

// The tables above have all that any system's files export, and so this system's must have it.
func TestUnsupportedIsAll(t *testing.T) {
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	files, exported := 0, map[string]int{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files++
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !fn.Name.IsExported() {
				continue
			}
			known := false
			switch of := receiver(fn); of {
			case "":
				_, known = functions[fn.Name.Name]
			case "FD":
				_, known = methods[fn.Name.Name]
			default:
				known = true // nothing makes one here, or it is an error
			}
			require.True(t, known, "%s: %s", e.Name(), fn.Name.Name)
			exported[receiver(fn)]++
		}
	}
	require.Greater(t, files, 30)
	require.Len(t, functions, exported[""])
	require.Len(t, methods, exported["FD"]/2, "once in open.go, once in other.go")
}

// receiver returns the name of the type that fn is a method of.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	of := fn.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	return of.(*ast.Ident).Name
}
