// Pairs for netpoll: a server on each side, and one client process that serves both.
//
// Both servers run in this process: natively net.Listen and a goroutine for each connection,
// otherwise netpoll.Listen and a task for each. Clients that ran here as well would cost the same
// on both sides and hide what differs, so they live in a child process (echoclient.go), which also
// holds the clock: from the first request on warm connections to the last answer.
//
// What is served and asked for is a kind (netserve.go, netdrive.go). netpoll/http and http-cpu are in nethttp.go,
// netpoll/idle-memory in netmemory.go.
//
// No wait here has a time-out (main.go, invariant). What ends a round that goes wrong is the
// client: it answers in any case, and an answer that is an error closes the listener; when it
// fails or dies its connections close, and with them the tasks that serve them.

package main

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/netpoll"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

const (
	messageSize = 64       // bytes
	blockSize   = 64 << 10 // bytes
	echoAddress = "127.0.0.1:0"
	// fewRounds keeps a run of all pairs short. From nine on an interval of 95 % leaves out the least and the greatest.
	fewRounds = 9
	// netTarget is longer than other pairs' rounds: connections have to be made first, and where the kernel lets server and client run
	// changes within tens of ms.
	netTarget = 100 * time.Millisecond
)

// A load is what the client does to a server, and the server for it.
type load struct {
	kind  string // of the client's drivers and the server's handlers
	conns int    // at the same time
	depth int    // messages under way on each connection
	batch int    // the fewest requests of a connection in a round, a multiple of depth; 0: depth
	cpu   bool   // the cost is processor time, not the client's
	ready func() // called when the connections are warm and idle; may be nil
}

// step is the least number of requests: each connection has as many as the others.
func (w load) step() int { return w.conns * max(w.batch, w.depth) }

// warm is how many requests there are before the clock starts: each connection's first.
func (w load) warm() int { return w.conns * w.depth }

// accepts is how many connections are made for n requests.
func (w load) accepts(n int) int {
	if w.kind == "accept" {
		return n + w.warm()
	}
	return w.conns
}

var echo64 = load{kind: "echo", conns: 64, depth: 1}

func netpollPairs() []Pair {
	c := new(client)
	pair := func(name string, w load, unit, doc string) Pair { return served(c, name, w, unit, doc) }
	const message = "messages of 64 bytes; per request and response"
	pairs := []Pair{
		pair("echo-1", load{kind: "echo", conns: 1, depth: 1}, nsPerOp, "an echo server, 1 connection, "+message),
		pair("echo-64", echo64, nsPerOp, "an echo server, 64 connections, "+message),
		pair("echo-1000", load{kind: "echo", conns: 1000, depth: 1, batch: 5}, nsPerOp, "an echo server, 1,000 connections, "+message),
		pair("echo-pipelined", load{kind: "echo", conns: 64, depth: 16}, nsPerOp,
			"an echo server, 64 connections with 16 messages under way on each, "+message),
		pair("echo-cpu", echo64, cpuPerOp, "an echo server, 64 connections; the server's processor time for a request and response"),
		pair("throughput-64k", load{kind: "blocks", conns: 4, depth: 1, batch: 16}, nsPerOp,
			"a server that writes, 4 connections, 64 KiB a write; per write"),
		pair("accept", load{kind: "accept", conns: 8, depth: 1}, nsPerOp,
			"8 clients that connect, exchange a message of 64 bytes and hang up; per connection"),
		idleMemory(),
		httpPair(c, "http", nsPerOp, "per request"),
		httpPair(c, "http-cpu", cpuPerOp, "the server's processor time for a request"),
	}
	pairs[1].AtMost = 0 // echo-64 is the one to watch: as many as a short pair
	return pairs
}

// served makes the pair of two servers for one load, for which c is the client.
func served(c *client, name string, w load, unit, doc string) Pair {
	w.cpu = unit == cpuPerOp
	return Pair{
		Name: "netpoll/" + name, Unit: unit, Step: w.step(), AtMost: fewRounds, Target: netTarget, Doc: doc,
		Client: c.pid, PingPong: w.conns == 1, Open: c.start, Close: c.stop,
		Native: func(r *Round) error { return serveNative(r, c, w) },
		Userrt: func(r *Round) error { return serveUserrt(r, c, w) },
	}
}

// serveNative and serveUserrt serve all connections of a round.
func serveNative(r *Round, c *client, w load) error {
	l, err := net.Listen("tcp", echoAddress)
	if err != nil {
		return err
	}
	defer l.Close()
	answers := make(chan answer, 1)
	if err := c.ask(l.Addr(), w, r.N); err != nil {
		return err
	}
	go func() { answers <- c.answer(l, w.ready) }()
	var wg sync.WaitGroup
	var served tally
	serve := handlers[w.kind]
	for range w.accepts(r.N) {
		conn, err := l.Accept()
		if err != nil {
			served.fail(err)
			l.Close() // resets what was not accepted, so that the client gives up
			break
		}
		wg.Add(1)
		go func() { served.serve(conn, serve); wg.Done() }()
	}
	wg.Wait()
	return served.check(r, w, <-answers)
}

// serveUserrt differs in one place from serveNative: the answer, which a goroutine of the native
// runtime reads from the child's pipe, crosses to this task over an hchan, so that the task parks.
func serveUserrt(r *Round, c *client, w load) error {
	l, err := netpoll.Listen("tcp", echoAddress)
	if err != nil {
		return err
	}
	defer l.Close()
	answers := hchan.Make[answer](1)
	if err := c.ask(l.Addr(), w, r.N); err != nil {
		return err
	}
	go func() { answers.Send(c.answer(l, w.ready)) }()
	var wg waitgroup.WaitGroup
	var served tally
	serve := handlers[w.kind]
	for range w.accepts(r.N) {
		conn, err := l.Accept()
		if err != nil {
			served.fail(err)
			l.Close() // resets what was not accepted, so that the client gives up
			break
		}
		wg.Add(1)
		sched.Go(func() { served.serve(conn, serve); wg.Done() })
	}
	wg.Wait()
	a, _ := answers.Recv()
	return served.check(r, w, a)
}

// tally is what the connections of a round add up to.
type tally struct {
	requests atomic.Int64
	err      atomic.Pointer[error] // the first one
}

func (t *tally) fail(err error) { t.err.CompareAndSwap(nil, &err) }

// serve serves conn until the client closes it.
func (t *tally) serve(conn net.Conn, serve handler) {
	n, err := serve(conn)
	t.served(conn, n, err)
}

// served is not a part of serve, whose frame lies on the stack of each connection that waits.
func (t *tally) served(conn net.Conn, n int64, err error) {
	t.requests.Add(n)
	if err = errors.Join(err, conn.Close()); err != nil {
		t.fail(err)
	}
}

// check ends a round whose connections have all closed: with what the client has measured, or with
// what went wrong. The client's error comes first, since the server's often follows from it.
func (t *tally) check(r *Round, w load, a answer) error {
	if a.err != nil {
		return fmt.Errorf("client: %w", a.err)
	}
	if err := t.err.Load(); err != nil {
		return *err
	}
	r.Took = a.took
	if w.cpu {
		r.Cost = float64(a.cpu.Nanoseconds())
	}
	return mismatch("requests served", t.requests.Load(), int64(r.N+w.warm()))
}
