// The pairs netpoll/http and http-cpu: net/http's server over net.Listen and over netpoll.Listen, net/http's client in the other process.
//
// http.Server runs each connection on a goroutine of its own, whatever the listener. So on userrt's side it is plain goroutines
// that wait for the network, in calls of netpoll that block them natively; the listener's Accept is called by a task.

package main

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/netpoll"
	"github.com/userrt/userrt/waitgroup"
)

// httpBody is the answer to each request.
var httpBody = strings.Repeat("0123456789abcdef", messageSize/16)

// httpPair makes one of the two.
func httpPair(c *client, name, unit, doc string) Pair {
	w := load{kind: "http", conns: 64, depth: 1, cpu: unit == cpuPerOp}
	return Pair{
		Name: "netpoll/" + name, Unit: unit, Step: w.step(), AtMost: fewRounds, Target: netTarget,
		Doc:    "net/http's server, 64 keep-alive connections, answers of 64 bytes; " + doc,
		Client: c.pid, Open: c.start, Close: c.stop,
		Native: func(r *Round) error {
			l, err := net.Listen("tcp", echoAddress)
			if err != nil {
				return err
			}
			answers := make(chan answer, 1)
			s := newHTTPServer(new(sync.WaitGroup))
			return s.serve(r, c, w, l, func(a answer) { answers <- a }, func() answer { return <-answers })
		},
		Userrt: func(r *Round) error {
			l, err := netpoll.Listen("tcp", echoAddress)
			if err != nil {
				return err
			}
			answers := hchan.Make[answer](1)
			s := newHTTPServer(new(waitgroup.WaitGroup))
			return s.serve(r, c, w, l, answers.Send, func() answer { a, _ := answers.Recv(); return a })
		},
	}
}

// httpServer is an http.Server that counts.
type httpServer struct {
	http.Server
	requests atomic.Int64
	conns    waiter // those that are open
}

// waiter is what sync.WaitGroup and waitgroup.WaitGroup are both.
type waiter interface {
	Add(delta int)
	Done()
	Wait()
}

func newHTTPServer(conns waiter) *httpServer {
	s := &httpServer{conns: conns}
	length := []string{strconv.Itoa(len(httpBody))}
	body := []byte(httpBody)
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.requests.Add(1)
		w.Header()["Content-Length"] = length
		_, _ = w.Write(body) // the client sees if it fails
	})
	s.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			conns.Add(1)
		case http.StateClosed:
			conns.Done()
		}
	}
	return s
}

// serve serves a round. The client's answer, read by a plain goroutine, ends it; send and receive bring it here.
func (s *httpServer) serve(r *Round, c *client, w load, l net.Listener, send func(answer), receive func() answer) error {
	if err := c.ask(l.Addr(), w, r.N); err != nil {
		l.Close()
		return err
	}
	go func() {
		a := c.answer(l, w.ready)
		s.Close()
		send(a)
	}()
	err := s.Serve(l)
	a := receive()
	s.conns.Wait()
	if a.err != nil {
		return fmt.Errorf("client: %w", a.err)
	}
	if err != http.ErrServerClosed {
		return err
	}
	r.Took = a.took
	if w.cpu {
		r.Cost = float64(a.cpu.Nanoseconds())
	}
	return mismatch("requests served", s.requests.Load(), int64(r.N+w.warm()))
}
