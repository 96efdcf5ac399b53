// First steps: tasks, channels, a WaitGroup, fork and join, and a TCP server, all on userrt.
//
// You will see: squares that come out of a pipeline of tasks in order; a sum that a tree of forked
// calls has made; ten clients of an echo server, each served by a task of its own, on no more than
// a few OS threads. Everything runs on one Scheduler with two processors.
//
// Concepts: communicating sequential processes, fork and join, a task for each connection.
// Read next: the package comments of sched and hchan.
package main

import (
	"fmt"
	"io"
	"log"
	"net"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/netpoll"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

func main() {
	s, err := sched.New(sched.Config{Procs: 2})
	if err != nil {
		log.Fatal(err)
	}
	err = s.Run(func() {
		pipeline()
		fmt.Println("sum of 1 to 1000 by a tree of forked calls:", sum(1, 1000))
		if err := echo(); err != nil {
			fmt.Println("echo:", err)
		}
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := s.Close(); err != nil { // a Scheduler wants Close: its threads end here
		log.Fatal(err)
	}
}

// pipeline sends numbers through a task that squares them. The two share nothing but channels.
func pipeline() {
	numbers, squares := hchan.Make[int](0), hchan.Make[int](4)
	sched.Go(func() {
		for n := range numbers.All() {
			squares.Send(n * n)
		}
		squares.Close()
	})
	sched.Go(func() {
		for n := 1; n <= 5; n++ {
			numbers.Send(n)
		}
		numbers.Close()
	})
	for sq := range squares.All() {
		fmt.Println("squared:", sq)
	}
}

// sum forks at every level; a half that no idle worker takes is an ordinary call.
func sum(lo, hi int) int {
	if lo == hi {
		return lo
	}
	mid := (lo + hi) / 2
	var left, right int
	sched.Join(
		func() { left = sum(lo, mid) },
		func() { right = sum(mid+1, hi) },
	)
	return left + right
}

// echo serves ten clients, a task each, and waits until all have their answer.
func echo() error {
	ln, err := netpoll.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	sched.Go(func() {
		for {
			conn, err := ln.Accept() // parks the task, not the thread
			if err != nil {
				return // closed
			}
			sched.Go(func() { serve(conn) })
		}
	})
	var clients waitgroup.WaitGroup
	answers := hchan.Make[string](10)
	for i := range 10 {
		clients.Go(func() { answers.Send(ask(ln.Addr(), fmt.Sprintf("hello %d", i))) })
	}
	clients.Wait()
	answers.Close()
	n := 0
	for range answers.All() {
		n++
	}
	fmt.Println("answers from the echo server:", n)
	return ln.Close()
}

func serve(conn net.Conn) {
	defer conn.Close()
	_, _ = io.Copy(conn, conn)
}

func ask(addr net.Addr, question string) string {
	conn, err := netpoll.Dial("tcp", addr.String())
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	answer := make([]byte, len(question))
	if _, err := io.WriteString(conn, question); err != nil {
		return err.Error()
	}
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err.Error()
	}
	return string(answer)
}
