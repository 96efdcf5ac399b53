//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/netpoll"
)

// With -tools, programs that know nothing of Go talk to both servers; they have to be installed (Debian: curl, wrk,
// apache2-utils):
//
//	go test ./examples/07-http -run Tools -tools -v
var tools = flag.Bool("tools", false, "let curl, wrk and ab talk to the servers")

func TestTools(t *testing.T) {
	if !*tools {
		t.Skip("needs -tools, and curl, wrk and ab")
	}
	for name, serve := range map[string]server{"goroutines": byGoroutines, "tasks": byTasks} {
		t.Run(name, func(t *testing.T) {
			before := openSockets(t)
			l, err := netpoll.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			served := make(chan error, 1)
			go func() { served <- serve(l, http.HandlerFunc(hello)) }()
			url := fmt.Sprintf("http://%s/tool", l.Addr())

			require.Equal(t, "hello, tool\nhello, tool\n", run(t, "curl", "-sSf", url, url))
			require.Equal(t, "hello, tool\n", run(t, "curl", "-sSf", "-d", "a body", url))
			require.Equal(t, "hello, tool\nhello, tool\n", run(t, "curl", "-sSf", "-H", "Connection: close", url, url))
			require.Equal(t, "hello, tool\n", run(t, "curl", "-sSf", "--http1.0", url))

			wrk(t, "-t2", "-c64", "-d2s", url)
			wrk(t, "-t2", "-c200", "-d2s", "-H", "Connection: close", url) // a connection for each request

			ab(t, "-n", "5000", "-c", "50", url) // the same, in HTTP/1.0
			out := ab(t, "-k", "-n", "5000", "-c", "50", url)
			if name == "goroutines" { // the other server keeps nothing of HTTP/1.0's alive
				require.Regexp(t, `Keep-Alive requests: +5000\n`, out)
			}
			require.NoError(t, l.Close())
			<-served
			require.Eventually(t, func() bool { return openSockets(t) == before }, 10*time.Second, time.Millisecond,
				"no connection is left")
		})
	}
}

// wrk runs for a time; every answer must have been one, and have come.
func wrk(t *testing.T, args ...string) {
	t.Helper()
	out := run(t, "wrk", args...)
	t.Log(out)
	require.Regexp(t, ` [1-9][0-9]* requests in `, out)
	require.NotContains(t, out, "Socket errors")
	require.NotContains(t, out, "Non-2xx")
}

// ab makes 5000 requests.
func ab(t *testing.T, args ...string) (out string) {
	t.Helper()
	out = run(t, "ab", append([]string{"-q"}, args...)...)
	t.Log(out)
	require.Regexp(t, `Complete requests: +5000\n`, out)
	require.Regexp(t, `Failed requests: +0\n`, out)
	require.NotContains(t, out, "Write errors")
	require.NotContains(t, out, "Non-2xx")
	return out
}

// openSockets counts the process's.
func openSockets(t *testing.T) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	require.NoError(t, err)
	for _, e := range entries {
		if to, err := os.Stat("/dev/fd/" + e.Name()); err == nil && to.Mode()&fs.ModeSocket != 0 {
			n++
		}
	}
	return n
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}
