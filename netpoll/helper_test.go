//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"
	"os"
	"runtime/debug"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/patience"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// What the tests share: a watchdog, a scheduler that leaves nothing, and the kinds of party that talk
// to each other.

// watch ends the process with a dump and all stacks when the test has not ended after a minute.
func watch(t *testing.T) {
	t.Helper()
	timer := time.AfterFunc(patience.Times(time.Minute), func() {
		_ = sched.DumpAll(os.Stderr)
		debug.SetTraceback("all")
		panic("hangs: " + t.Name())
	})
	t.Cleanup(func() { timer.Stop() })
}

// scheduler returns a Scheduler that is closed at the test's end; by then all descriptors that the
// test has opened must be closed.
func scheduler(t *testing.T, procs int) *sched.Scheduler {
	t.Helper()
	watch(t)
	warmUp(t)
	before := openFDs(t)
	s, err := sched.New(sched.Config{Procs: procs})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		defer func() {
			if t.Failed() {
				t.Logf("before: %v\nafter: %v", before, openFDs(t))
			}
		}()
		testsched.Until(t, func() bool { return len(openFDs(t)) == len(before) }, "no descriptor left open")
	})
	return s
}

// warmUp makes package net, and Default's poller, open what they keep.
var warmUp = func() func(t *testing.T) {
	var once sync.Once
	return func(t *testing.T) {
		once.Do(func() {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			require.NoError(t, l.Close())
			l, err = Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			require.NoError(t, l.Close())
		})
	}
}()

// party is somebody who listens, dials, reads and writes in one of the possible ways.
type party struct {
	name         string
	listen       func(network, address string) (net.Listener, error)
	listenPacket func(network, address string) (net.PacketConn, error)
	dial         func(network, address string) (net.Conn, error)
	spawn        func(s *sched.Scheduler, fn func())
}

func onTask(s *sched.Scheduler, fn func())      { s.Go(fn) }
func onGoroutine(_ *sched.Scheduler, fn func()) { go fn() }

var (
	task      = party{"task", Listen, ListenPacket, Dial, onTask}
	goroutine = party{"goroutine", Listen, ListenPacket, Dial, onGoroutine}
	native    = party{"net", net.Listen, net.ListenPacket, net.Dial, onGoroutine}
)

// pairs are all combinations but the one that is none of our business.
var pairs = [][2]party{
	{task, task},
	{task, goroutine},
	{goroutine, task},
	{goroutine, goroutine},
	{task, native},
	{native, task},
	{goroutine, native},
	{native, goroutine},
}

// eachPair runs fn for all pairs of server and client at Procs 1, 2 and 8.
func eachPair(t *testing.T, fn func(t *testing.T, s *sched.Scheduler, server, client party)) {
	for _, pair := range pairs {
		for _, procs := range []int{1, 2, 8} {
			t.Run(pair[0].name+"-"+pair[1].name+"/procs="+string(rune('0'+procs)), func(t *testing.T) {
				fn(t, scheduler(t, procs), pair[0], pair[1])
			})
		}
	}
}

// group starts functions as a party does and lets the test wait for them, natively.
type group struct {
	s  *sched.Scheduler
	wg sync.WaitGroup
}

func (g *group) start(p party, fn func()) {
	g.wg.Add(1)
	p.spawn(g.s, func() {
		defer g.wg.Done()
		fn()
	})
}

// run starts fn and waits for it.
func (g *group) run(p party, fn func()) {
	done := make(chan struct{})
	p.spawn(g.s, func() {
		defer close(done)
		fn()
	})
	<-done
}

// connected returns the two ends of a connection, made and later used by tasks of s.
func connected(t *testing.T, s *sched.Scheduler) (a, b *tcpConn) {
	t.Helper()
	g := group{s: s}
	g.run(task, func() {
		l, err := Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		c, err := Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		d, err := l.Accept()
		require.NoError(t, err)
		a, b = c.(*tcpConn), d.(*tcpConn)
	})
	require.NotNil(t, b)
	return a, b
}

// natively returns the address of a listener of package net's, which lasts as long as the test.
func natively(network, address string) func(t *testing.T) string {
	return func(t *testing.T) string {
		l, err := net.Listen(network, address)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, l.Close()) })
		return l.Addr().String()
	}
}

// raw returns c's descriptor.
func raw(t *testing.T, c syscall.Conn) syscall.RawConn {
	t.Helper()
	r, err := c.SyscallConn()
	require.NoError(t, err)
	return r
}

// parked waits until n Gs are parked on s's poller.
func parked(t *testing.T, s *sched.Scheduler, n int) {
	t.Helper()
	p, err := pollerOf(s)
	require.NoError(t, err)
	testsched.Until(t, func() bool { return p.parked() == n }, "%d parked", n)
}

// parked counts the Gs in words of p.
func (p *poller) parked() int {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return int(p.waiting.Load())
}
