// Pairs for netpoll: an echo server on each side, and one client process that serves both.
//
// Both servers run in this process: natively net.Listen and a goroutine for each connection,
// otherwise netpoll.Listen and a task for each. Clients that ran here as well would cost the same
// on both sides and hide what differs, so they live in a child process (echoclient.go), which also
// holds the clock: from the first message on warm connections to the last answer.
//
// No wait here has a time-out (main.go, invariant). What ends a round that goes wrong is the
// client: it answers in any case, and an answer that is an error closes the listener; when it
// fails or dies its connections close, and with them the tasks that serve them.

package main

import (
	"errors"
	"fmt"
	"io"
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
	echoConns   = 64
	messageSize = 64 // bytes
	echoAddress = "127.0.0.1:0"
)

func netpollPairs() []Pair {
	c := new(client)
	return []Pair{{
		Name: "netpoll/echo-64", Unit: nsPerOp, Step: echoConns,
		Doc:    "an echo server, 64 connections, messages of 64 bytes; per request and response",
		Open:   c.start,
		Close:  c.stop,
		Native: func(r *Round) error { return echoNative(r, c) },
		Userrt: func(r *Round) error { return echoUserrt(r, c) },
	}}
}

func echoNative(r *Round, c *client) error {
	l, err := net.Listen("tcp", echoAddress)
	if err != nil {
		return err
	}
	defer l.Close()
	answers := make(chan answer, 1)
	if err := c.ask(l.Addr(), echoConns, r.N/echoConns); err != nil {
		return err
	}
	go func() { answers <- c.answer(l) }()
	var wg sync.WaitGroup
	var echoed tally
	for range echoConns {
		conn, err := l.Accept()
		if err != nil {
			echoed.fail(err)
			l.Close() // resets what was not accepted, so that the client gives up
			break
		}
		wg.Add(1)
		go func() { echoed.serve(conn); wg.Done() }()
	}
	wg.Wait()
	return echoed.check(r, <-answers)
}

// echoUserrt differs in one place from echoNative: the answer, which a goroutine of the native
// runtime reads from the child's pipe, crosses to this task over an hchan, so that the task parks.
func echoUserrt(r *Round, c *client) error {
	l, err := netpoll.Listen("tcp", echoAddress)
	if err != nil {
		return err
	}
	defer l.Close()
	answers := hchan.Make[answer](1)
	if err := c.ask(l.Addr(), echoConns, r.N/echoConns); err != nil {
		return err
	}
	go func() { answers.Send(c.answer(l)) }()
	var wg waitgroup.WaitGroup
	var echoed tally
	for range echoConns {
		conn, err := l.Accept()
		if err != nil {
			echoed.fail(err)
			l.Close() // resets what was not accepted, so that the client gives up
			break
		}
		wg.Add(1)
		sched.Go(func() { echoed.serve(conn); wg.Done() })
	}
	wg.Wait()
	a, _ := answers.Recv()
	return echoed.check(r, a)
}

// tally is what the connections of a round add up to.
type tally struct {
	messages atomic.Int64
	err      atomic.Pointer[error] // the first one
}

func (t *tally) fail(err error) { t.err.CompareAndSwap(nil, &err) }

// serve sends back what comes, message by message, until the client closes the connection.
func (t *tally) serve(conn net.Conn) {
	n, err := echo(conn)
	t.messages.Add(n)
	if err = errors.Join(err, conn.Close()); err != nil {
		t.fail(err)
	}
}

// echo returns how many messages it sent back before the connection ended.
func echo(conn net.Conn) (n int64, err error) {
	buf := make([]byte, messageSize)
	for {
		if _, err := io.ReadFull(conn, buf); err != nil {
			if errors.Is(err, io.EOF) { // between two messages
				return n, nil
			}
			return n, err
		}
		if _, err := conn.Write(buf); err != nil {
			return n, err
		}
		n++
	}
}

// check ends a round whose connections have all closed: with the client's time, or with what went
// wrong. The client's error comes first, since the server's often follows from it.
func (t *tally) check(r *Round, a answer) error {
	if a.err != nil {
		return fmt.Errorf("client: %w", a.err)
	}
	if err := t.err.Load(); err != nil {
		return *err
	}
	r.Took = a.took
	return mismatch("messages echoed", t.messages.Load(), int64(r.N)+warmUps*echoConns)
}

// answer is what the client says at the end of a round.
type answer struct {
	took time.Duration
	err  error
}
