// Client and server: a task for each connection.
//
// You will see: a server that accepts and starts a task for each connection, which reads and writes as if it had the
// machine for itself, and 200 clients that talk to it at once. All of it runs on a handful of threads: a task that waits
// for the network is parked, and its thread goes on with another. With -listen the server stays, for clients of your
// own: go run ./examples/07-echo -listen localhost:7777, then nc localhost 7777.
//
// Concepts: client and server, one task a connection, blocking code that blocks no thread.
// Read next: docs/tour.md, "7"; netpoll/rw.go.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"sync/atomic"

	"github.com/userrt/userrt/netpoll"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

const (
	clients  = 200
	messages = 50 // of each
)

func main() {
	listen := flag.String("listen", "", "serve at this address until interrupted")
	flag.Parse()
	if *listen != "" {
		if err := sched.Default().Run(func() { serveForever(*listen) }); err != nil {
			log.Fatal(err)
		}
		return
	}
	r, err := run()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d clients sent %d messages each; %d tasks were spawned, %d threads made\n",
		clients, messages, r.stats.Spawned, r.stats.ThreadsCreated)
}

func serveForever(address string) {
	l, err := netpoll.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("echoing at", l.Addr())
	log.Fatal(serve(l))
}

// serve is the whole server.
func serve(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		sched.Go(func() {
			defer conn.Close()
			_, _ = io.Copy(conn, conn) // until the client has closed its half
		})
	}
}

type result struct {
	echoed atomic.Int64
	stats  sched.Stats
}

func run() (*result, error) {
	s, err := sched.New(sched.Config{Procs: 2})
	if err != nil {
		return nil, err
	}
	r := new(result)
	var failed error
	err = s.Run(func() {
		l, err := netpoll.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			failed = err
			return
		}
		server := sched.Spawn(func() (struct{}, error) { return struct{}{}, serve(l) })
		var wg waitgroup.WaitGroup
		var errs [clients]error
		for i := range clients {
			wg.Go(func() { errs[i] = r.talk(l.Addr().String(), i) })
		}
		wg.Wait()
		closed := l.Close()
		if _, err := server.Wait(); !errors.Is(err, net.ErrClosed) {
			errs[0] = errors.Join(errs[0], err)
		}
		failed = errors.Join(append(errs[:], closed)...)
	})
	r.stats = s.Stats()
	return r, errors.Join(err, failed, s.Close())
}

// talk is the whole client.
func (r *result) talk(address string, id int) error {
	conn, err := netpoll.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	for i := range messages {
		msg := fmt.Appendf(nil, "client %d, message %d", id, i)
		if _, err := conn.Write(msg); err != nil {
			return err
		}
		answer := make([]byte, len(msg))
		if _, err := io.ReadFull(conn, answer); err != nil {
			return err
		}
		if !bytes.Equal(msg, answer) {
			return fmt.Errorf("sent %q, got %q", msg, answer)
		}
		r.echoed.Add(1)
	}
	return nil
}
