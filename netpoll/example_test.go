//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/netpoll"
	"github.com/userrt/userrt/sched"
)

// A read that waits ends at its deadline; moved into the past, the deadline ends it at once; cleared, it waits again.
func Example_deadline() {
	err := sched.Default().Run(func() {
		l, err := netpoll.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			fmt.Println(err)
			return
		}
		defer l.Close()
		conn, err := netpoll.Dial("tcp", l.Addr().String())
		if err != nil {
			fmt.Println(err)
			return
		}
		defer conn.Close()
		peer, err := l.Accept()
		if err != nil {
			fmt.Println(err)
			return
		}
		defer peer.Close()

		buf := make([]byte, 8)
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		_, err = conn.Read(buf)
		fmt.Println("nothing came:", errors.Is(err, os.ErrDeadlineExceeded))

		_ = conn.SetReadDeadline(time.Time{})
		sched.Go(func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) }) // while Read waits
		_, err = conn.Read(buf)
		fmt.Println("called off:", errors.Is(err, os.ErrDeadlineExceeded))

		_ = conn.SetReadDeadline(time.Time{})
		sched.Go(func() { _, _ = io.WriteString(peer, "at last") })
		n, err := conn.Read(buf)
		fmt.Printf("%s, %v\n", buf[:n], err)
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// nothing came: true
	// called off: true
	// at last, <nil>
}

// A server that keeps no buffer for connections that say nothing.
func ExampleConn_waitRead() {
	err := sched.Default().Run(func() {
		l, err := netpoll.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			fmt.Println(err)
			return
		}
		defer l.Close()
		tried := hchan.Make[bool](0)
		done := sched.Spawn(func() (int, error) {
			c, err := l.Accept()
			if err != nil {
				return 0, err
			}
			defer c.Close()
			conn := c.(netpoll.Conn)
			_, err = conn.TryRead(make([]byte, 1))
			fmt.Println(err)
			tried.Close()
			if err := conn.WaitRead(context.Background()); err != nil {
				return 0, err
			}
			return conn.Read(make([]byte, 100)) // now it is worth a buffer
		})
		conn, err := netpoll.Dial("tcp", l.Addr().String())
		if err != nil {
			fmt.Println(err)
			return
		}
		tried.Recv()
		_, _ = io.WriteString(conn, "hello")
		n, err := done.Wait()
		fmt.Println(n, err)
		_ = conn.Close()
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// netpoll: nothing to read
	// 5 <nil>
}
