// An HTTP server, in two ways: net/http's own server on a listener of netpoll, and a task for each connection.
//
// You will see: the same handler answer the same client both ways. net/http's Serve starts a goroutine for each connection; they
// are the native scheduler's and wait on our poller like anybody else. The second server reads requests and writes
// answers itself, in tasks, so that a connection costs no goroutine. Its client is net/http's, with connections dialled by
// netpoll. With -listen one of the servers stays, for a browser, curl or a load generator:
//
//	go run ./examples/07-http -listen localhost:8080 [-tasks]
//
// Concepts: net.Conn is all that net/http wants; goroutines and tasks side by side.
// Read next: docs/tour.md, "7"; netpoll/conn.go.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/userrt/userrt/netpoll"
	"github.com/userrt/userrt/sched"
)

const idleTimeout = time.Minute

func main() {
	listen := flag.String("listen", "", "serve at this address until interrupted")
	tasks := flag.Bool("tasks", false, "with -listen: a task for each connection")
	flag.Parse()
	if *listen != "" {
		serve := byGoroutines
		if *tasks {
			serve = byTasks
		}
		l, err := netpoll.Listen("tcp", *listen)
		if err != nil {
			log.Fatal(err)
		}
		log.Fatal(serve(l, http.HandlerFunc(hello)))
	}
	for name, serve := range map[string]server{"goroutines": byGoroutines, "tasks": byTasks} {
		answer, err := ask(serve, 3)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("served by %s: %q\n", name, answer)
	}
}

type server func(l net.Listener, h http.Handler) error

func hello(w http.ResponseWriter, r *http.Request) {
	_, _ = fmt.Fprintf(w, "hello, %s\n", r.URL.Path[1:])
}

// byGoroutines leaves it all to net/http.
func byGoroutines(l net.Listener, h http.Handler) error {
	return (&http.Server{Handler: h, ReadHeaderTimeout: idleTimeout, IdleTimeout: idleTimeout}).Serve(l)
}

// byTasks serves each connection in a task of its own.
func byTasks(l net.Listener, h http.Handler) error {
	return sched.Default().Run(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			sched.Go(func() {
				defer conn.Close()
				_ = serveConn(conn, h)
			})
		}
	})
}

// serveConn answers one request after the other until the client or the handler has had enough.
func serveConn(conn net.Conn, h http.Handler) error {
	in, out := bufio.NewReader(conn), bufio.NewWriter(conn)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(idleTimeout))
		req, err := http.ReadRequest(in)
		if err != nil {
			return err
		}
		last := req.Close || !req.ProtoAtLeast(1, 1)
		var a answer
		h.ServeHTTP(&a, req)
		_, _ = io.Copy(io.Discard, req.Body) // what the handler has not read stands before the next request
		resp := http.Response{
			StatusCode: a.status, ProtoMajor: 1, ProtoMinor: 1, Request: req, Header: a.header, Close: last,
			ContentLength: int64(a.Len()), Body: io.NopCloser(&a.Buffer),
		}
		if a.status == 0 {
			resp.StatusCode = http.StatusOK
		}
		if err := errors.Join(resp.Write(out), out.Flush()); err != nil || last {
			return err
		}
	}
}

// answer is an http.ResponseWriter that keeps what is written.
type answer struct {
	bytes.Buffer
	header http.Header
	status int
}

func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

func (a *answer) WriteHeader(status int) { a.status = status }

// ask starts a server and asks it a few times, over one connection.
func ask(serve server, times int) (last string, err error) {
	l, err := netpoll.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	served := make(chan error, 1)
	go func() { served <- serve(l, http.HandlerFunc(hello)) }()
	transport := &http.Transport{DialContext: netpoll.DialContext}
	client := &http.Client{Transport: transport}
	for i := range times {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, fmt.Sprintf("http://%s/caller-%d", l.Addr(), i), nil)
		if err != nil {
			return "", err
		}
		resp, err := client.Do(req)
		if err != nil {
			return "", err
		}
		body, err := io.ReadAll(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil {
			return "", err
		}
		last = string(body)
	}
	transport.CloseIdleConnections()
	err = l.Close()
	if e := <-served; e != nil && !errors.Is(e, net.ErrClosed) {
		err = errors.Join(err, e)
	}
	return last, err
}
