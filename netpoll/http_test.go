//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// The standard library's clients and servers on connections of this package. Their goroutines are plain ones, of which
// the library starts several for each connection; the callers and the handlers' partners are tasks too.

// handler answers with what was asked: an echo, a file, or chunks that are flushed one by one.
func (w *web) handler(file string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	mux.HandleFunc("/chunks", func(w http.ResponseWriter, r *http.Request) {
		for i := range 20 {
			_, _ = fmt.Fprintf(w, "chunk %d\n", i)
			_ = http.NewResponseController(w).Flush()
		}
	})
	mux.HandleFunc("/proto", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) })
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) {
		w.hanging.Add(1)
		defer w.hanging.Add(-1)
		<-r.Context().Done()
	})
	return mux
}

// web is an HTTP server with a client, each over netpoll or over net.
type web struct {
	url    string
	server *http.Server
	client *http.Client
	served chan error
	dials  atomic.Int32

	hanging atomic.Int32 // requests for /hang
	sum     [32]byte     // of the file
}

func newWeb(t *testing.T, server, client party, secure bool) *web {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	data := pattern(3 << 20)
	require.NoError(t, os.WriteFile(file, data, 0o600))
	w := &web{sum: sha256.Sum256(data), served: make(chan error, 1)}
	w.server = &http.Server{Handler: w.handler(file), ReadHeaderTimeout: time.Minute, IdleTimeout: time.Minute}
	l, err := server.listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		w.dials.Add(1)
		if client.name == "net" {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		return DialContext(ctx, network, address)
	}}
	w.client = &http.Client{Transport: transport}
	if !secure {
		w.url = "http://" + l.Addr().String()
		go func() { w.served <- w.server.Serve(l) }()
		return w
	}
	certs := httptest.NewUnstartedServer(nil) // has a certificate
	certs.StartTLS()
	w.server.TLSConfig = &tls.Config{Certificates: certs.TLS.Certificates}
	transport.TLSClientConfig = certs.Client().Transport.(*http.Transport).TLSClientConfig
	transport.ForceAttemptHTTP2 = true
	certs.Close()
	w.url = "https://" + l.Addr().String()
	go func() { w.served <- w.server.ServeTLS(l, "", "") }()
	return w
}

// close ends both sides; all connections must have gone by then.
func (w *web) close(t *testing.T) {
	t.Helper()
	w.client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	require.NoError(t, w.server.Shutdown(ctx))
	require.Equal(t, http.ErrServerClosed, <-w.served)
}

func (w *web) get(t *testing.T, path string, body io.Reader) []byte {
	t.Helper()
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, w.url+path, body)
	require.NoError(t, err)
	resp, err := w.client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	all, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return all
}

// exercise sends all kinds of requests from tasks and goroutines at once.
func (w *web) exercise(t *testing.T, s *sched.Scheduler) {
	g := &group{s: s}
	for i := range 6 {
		p := []party{task, goroutine}[i%2]
		g.start(p, func() {
			for j := range 4 {
				msg := fmt.Appendf(nil, "client %d round %d", i, j)
				require.Equal(t, msg, w.get(t, "/echo", bytes.NewReader(msg)))
			}
			big := pattern(300_000)
			require.True(t, bytes.Equal(big, w.get(t, "/echo", bytes.NewReader(big))))
			require.Equal(t, w.sum, sha256.Sum256(w.get(t, "/file", nil)))
			require.Equal(t, 20, bytes.Count(w.get(t, "/chunks", nil), []byte("chunk")))
		})
	}
	g.wg.Wait()
}

var webPairs = [][2]party{{goroutine, goroutine}, {goroutine, native}, {native, goroutine}}

func TestHTTP(t *testing.T) {
	for _, pair := range webPairs {
		t.Run(pair[0].name+"-"+pair[1].name, func(t *testing.T) {
			s := scheduler(t, 2)
			w := newWeb(t, pair[0], pair[1], false)
			w.exercise(t, s)
			require.Equal(t, "HTTP/1.1", string(w.get(t, "/proto", nil)))
			before := w.dials.Load()
			for range 50 { // one after the other: kept alive
				w.get(t, "/proto", nil)
			}
			require.Equal(t, before, w.dials.Load())
			w.close(t)
		})
	}
}

func TestHTTP2(t *testing.T) {
	for _, pair := range webPairs {
		t.Run(pair[0].name+"-"+pair[1].name, func(t *testing.T) {
			s := scheduler(t, 2)
			w := newWeb(t, pair[0], pair[1], true)
			require.Equal(t, "HTTP/2.0", string(w.get(t, "/proto", nil)))
			w.exercise(t, s)
			require.EqualValues(t, 1, w.dials.Load(), "all over one connection")
			w.close(t)
		})
	}
}

// Requests that are given up and servers that end with connections open leave nothing behind.
func TestHTTPBrokenOff(t *testing.T) {
	s := scheduler(t, 2)
	w := newWeb(t, goroutine, goroutine, false)
	g := &group{s: s}
	for i := range 10 {
		g.start([]party{task, goroutine}[i%2], func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+i)*5*time.Millisecond)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/hang", nil)
			require.NoError(t, err)
			_, err = w.client.Do(req)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
	}
	g.wg.Wait()
	testsched.Until(t, func() bool { return w.hanging.Load() == 0 }, "the server has noticed")
	for range 5 {
		g.start(goroutine, func() {
			_, err := w.client.Get(w.url + "/hang")
			require.Error(t, err)
		})
	}
	testsched.Until(t, func() bool { return w.hanging.Load() == 5 }, "all are served")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, w.server.Shutdown(ctx), context.DeadlineExceeded)
	require.NoError(t, w.server.Close())
	require.Equal(t, http.ErrServerClosed, <-w.served)
	g.wg.Wait()
	w.client.CloseIdleConnections()
}

// A connection that a handler takes over is a Conn of ours, with what bufio has read of it.
func TestHTTPHijack(t *testing.T) {
	s := scheduler(t, 2)
	l, err := Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		require.NoError(t, err)
		s.Go(func() { // and may be given to a task
			defer c.Close()
			_ = c.(Conn)
			line, err := rw.ReadString('\n')
			require.NoError(t, err)
			_, err = c.Write([]byte("you said " + line))
			require.NoError(t, err)
		})
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	(&group{s: s}).run(task, func() {
		c, err := Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\nhello\n")
		require.NoError(t, err)
		line, err := bufio.NewReader(c).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "you said hello\n", line)
		require.NoError(t, c.Close())
	})
	require.NoError(t, server.Close())
	require.Equal(t, http.ErrServerClosed, <-served)
}
