// The pair netpoll/idle-memory: what a connection costs that waits for its next request.
//
// As with the pairs of memory.go each round is a fresh process, whose memory is looked at when all connections are there.
// That process has a client of its own. What the kernel holds for a connection is the same on both sides, and not counted.

package main

import (
	"errors"

	"github.com/userrt/userrt/sched"
)

const (
	idleConns    = 5000
	bytesPerConn = "B/conn"
)

func idleMemory() Pair {
	return Pair{
		Name: "netpoll/idle-memory", Unit: bytesPerConn, Step: idleConns, Rounds: memoryRounds,
		Doc:    "5,000 connections that wait for a message, a task each; bytes each in the server, the kernel's not counted",
		Native: func(r *Round) error { return measureMemory(r, "native-idle") },
		Userrt: func(r *Round) error { return measureMemory(r, "userrt-idle") },
	}
}

// idleRound is an echo server whose n clients fall silent after a message. measure is called while they are.
func idleRound(n int, measure func(), serve func(*Round, *client, load) error) (int, error) {
	c := new(client)
	if err := c.start(); err != nil {
		return 0, err
	}
	err := serve(new(Round), c, load{kind: "echo", conns: n, depth: 1, ready: measure})
	return n, errors.Join(err, c.stop())
}

func idleNative(n int, measure func()) (int, error) { return idleRound(n, measure, serveNative) }

func idleUserrt(n int, measure func()) (int, error) {
	s, err := sched.New(sched.Config{})
	if err != nil {
		return 0, err
	}
	n, err = idleRound(n, measure, func(r *Round, c *client, w load) error {
		var serveErr error
		runErr := s.Run(func() { serveErr = serveUserrt(r, c, w) })
		return errors.Join(runErr, serveErr)
	})
	return n, errors.Join(err, s.Close())
}
