// A thousand connections that wait, and how many threads that takes.
//
// You will see: a server with a task for each of 1,000 connections, all of which wait for a message that does not come yet. A
// read that finds nothing (EAGAIN) parks its task and leaves word with the network poller; when the kernel says that the
// socket is readable, whoever polls makes the task runnable and it reads again. So the waiting takes no thread but the one
// that sleeps in epoll for all of them. Then every connection says something, and the same few threads answer.
//
// Concepts: asynchronous system calls, EAGAIN, the network poller, no thread per connection.
// Read next: docs/tour.md, "16"; netpoll/waitword.go and netpoll/poller.go.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	"github.com/userrt/userrt/netpoll"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

const conns = 1000

func main() {
	r, err := run()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d connections, %d tasks wait for the network\n", conns, r.waiting)
	fmt.Printf("threads of the process: %d before, %d while all are idle, %d after each has had an answer\n", r.before, r.idle, r.after)
	fmt.Printf("threads made by the scheduler: %d\n", r.stats.ThreadsCreated)
}

type result struct {
	before, idle, after int // threads
	waiting             int // tasks in "IO wait"
	stats               sched.Stats
}

func run() (*result, error) {
	s, err := sched.New(sched.Config{Procs: 2})
	if err != nil {
		return nil, err
	}
	r := &result{before: threads()}
	var failed error
	err = s.Run(func() { failed = r.measure(s) })
	r.stats = s.Stats()
	return r, errors.Join(err, failed, s.Close())
}

func (r *result) measure(s *sched.Scheduler) error {
	l, err := netpoll.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	var served waitgroup.WaitGroup
	var clients []net.Conn
	for range conns {
		c, err := netpoll.Dial("tcp", l.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		clients = append(clients, c)
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		served.Go(func() {
			defer conn.Close()
			_, _ = io.Copy(conn, conn)
		})
	}
	for r.waiting < conns {
		sched.Sleep(time.Millisecond)
		if r.waiting, err = waiting(s); err != nil {
			return err
		}
	}
	r.idle = threads()
	for i, c := range clients {
		if _, err := fmt.Fprintf(c, "message %4d", i); err != nil {
			return err
		}
	}
	for i, c := range clients {
		want, got := fmt.Appendf(nil, "message %4d", i), make([]byte, 12)
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(want, got) {
			return fmt.Errorf("got %q, want %q: %w", got, want, err)
		}
	}
	r.after = threads()
	for _, c := range clients {
		if err := c.Close(); err != nil {
			return err
		}
	}
	served.Wait()
	return nil
}

// waiting counts the tasks that are parked on the poller.
func waiting(s *sched.Scheduler) (int, error) {
	var b bytes.Buffer
	err := s.Dump(&b)
	return bytes.Count(b.Bytes(), []byte("[IO wait")), err
}

// threads returns how many threads the process has; 0 where the system does not say.
func threads() (n int) {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := bytes.Cut(status, []byte("Threads:"))
	_, _ = fmt.Sscan(string(rest), &n)
	return n
}
