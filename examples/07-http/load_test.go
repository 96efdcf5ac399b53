//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
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
			l, err := netpoll.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			served := make(chan error, 1)
			go func() { served <- serve(l, http.HandlerFunc(hello)) }()
			url := fmt.Sprintf("http://%s/tool", l.Addr())
			require.Equal(t, "hello, tool\nhello, tool\n", run(t, "curl", "-sSf", url, url))
			require.Equal(t, "hello, tool\n", run(t, "curl", "-sSf", "-d", "a body", url))
			out := run(t, "wrk", "-t2", "-c64", "-d2s", url)
			t.Log(out)
			require.NotContains(t, out, "Socket errors")
			require.NotContains(t, out, "Non-2xx")
			out = run(t, "ab", "-q", "-n", "5000", "-c", "50", url) // a connection for each request
			require.Contains(t, out, "Complete requests:      5000")
			require.Contains(t, out, "Failed requests:        0")
			out = run(t, "ab", "-q", "-k", "-n", "5000", "-c", "50", url) // HTTP/1.0, kept alive
			require.Contains(t, out, "Failed requests:        0")
			require.NoError(t, l.Close())
			<-served
		})
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}
