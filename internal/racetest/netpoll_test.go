//go:build race && linux

package racetest

import (
	"context"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/netpoll"
)

// Programs over the network whose only order is that of what they send each other.

func init() {
	orderedOthers = append(orderedOthers, []scenario{
		{name: "datagrams between tasks", reps: 50, run: func(e *env) { datagrams(e.onTask, e.task) }},
		{name: "datagrams between a goroutine and a task", reps: 50, run: func(e *env) { datagrams(onGoroutine, e.task) }},
		{name: "a pipe between tasks", reps: 50, run: func(e *env) { pipe(e.onTask, e.task) }},
		{name: "a deadline, a context and a close while others read", reps: 50, run: func(e *env) { disturbed(e) }},
	}...)
}

// datagrams lets two sockets write a variable in turn.
func datagrams(start func(func()) func(), run func(func())) {
	x := 0
	var a, b net.PacketConn
	run(func() {
		var err error
		a, err = netpoll.ListenPacket("udp", "127.0.0.1:0")
		must(err)
		b, err = netpoll.ListenPacket("udp", "127.0.0.1:0")
		must(err)
	})
	const rounds = 5
	wait := start(func() {
		buf := make([]byte, 8)
		for range rounds {
			n, from, err := b.ReadFrom(buf)
			must(err)
			x++
			_, err = b.WriteTo(buf[:n], from)
			must(err)
		}
	})
	run(func() {
		buf := make([]byte, 8)
		for range rounds {
			x++
			_, err := a.WriteTo([]byte("x"), b.LocalAddr())
			must(err)
			_, _, err = a.ReadFrom(buf)
			must(err)
			x++
		}
	})
	wait()
	must(a.Close())
	must(b.Close())
}

// pipe is the same one way, over descriptors given to Open; the buffer is written again after each Write.
func pipe(start func(func()) func(), run func(func())) {
	x := 0
	var r, w *netpoll.FD
	run(func() {
		var fds [2]int
		must(unix.Pipe2(fds[:], unix.O_CLOEXEC))
		var err error
		r, err = netpoll.Open(fds[0], "r")
		must(err)
		w, err = netpoll.Open(fds[1], "w")
		must(err)
	})
	wait := start(func() {
		var buf [1]byte
		_, err := r.Read(buf[:])
		must(err)
		use(x + int(buf[0]))
	})
	run(func() {
		x++
		buf := []byte{1}
		_, err := w.Write(buf)
		must(err)
		buf[0]++
	})
	wait()
	must(r.Close())
	must(w.Close())
}

// disturbed reads in one task what others do everything to; it is our own inside that must stay silent.
func disturbed(e *env) {
	var a, b net.Conn
	e.task(func() {
		l, err := netpoll.Listen("tcp", "127.0.0.1:0")
		must(err)
		a, err = netpoll.Dial("tcp", l.Addr().String())
		must(err)
		b, err = l.Accept()
		must(err)
		must(l.Close())
	})
	ctx, cancel := context.WithCancel(context.Background())
	e.tasks(
		func() { _, _ = a.Read(make([]byte, 8)) },
		func() { _ = a.(netpoll.Conn).WaitRead(ctx) },
		func() { _ = a.SetDeadline(time.Now().Add(time.Millisecond)) },
		func() { _ = a.SetDeadline(time.Now().Add(-time.Millisecond)) },
		func() {
			bufs := net.Buffers{[]byte("x"), []byte("y")}
			_, _ = b.(netpoll.StreamConn).WriteBuffers(&bufs)
			bufs = append(bufs, nil)
			use(len(bufs))
		},
		func() { _, _ = a.(netpoll.Conn).TryRead(make([]byte, 1)) },
		cancel,
		func() { must(a.Close()) },
	)
	must(b.Close())
}
