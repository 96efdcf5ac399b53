//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// soon is a deadline that has to be waited for.
func soon() time.Time { return time.Now().Add(10 * time.Millisecond) }

func isTimeout(t *testing.T, op string, err error) {
	t.Helper()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	var ne net.Error
	require.ErrorAs(t, err, &ne)
	require.True(t, ne.Timeout())
	var oe *net.OpError
	require.ErrorAs(t, err, &oe)
	require.Equal(t, op, oe.Op)
	require.Equal(t, os.ErrDeadlineExceeded, oe.Err)
}

// Each kind of wait ends at its deadline: one that was set before, one that is set while it waits, and one that is over when it
// is set. Those queued for their turn end with it.
func TestDeadlineEndsWaits(t *testing.T) {
	for i, b := range blockers {
		for _, procs := range procsFor(i) {
			for _, when := range []string{"before", "late", "over"} {
				t.Run(fmt.Sprint(b.name, "/", procs, "/", when), func(t *testing.T) {
					s := scheduler(t, procs)
					g := &group{s: s}
					x := b.on(t, s, task)
					defer x.close(t)
					if when == "before" {
						require.NoError(t, x.end.SetDeadline(soon()))
					}
					for i := range 4 {
						g.start([]party{task, goroutine}[i%2], func() { b.timedOut(t, x.block()) })
					}
					switch when {
					case "late":
						b.waiting(t, s)
						require.NoError(t, x.end.SetDeadline(soon()))
					case "over":
						b.waiting(t, s)
						require.NoError(t, x.end.SetDeadline(time.Unix(1, 0)))
					}
					g.wg.Wait()
					b.timedOut(t, x.block()) // for ever
				})
			}
		}
	}
}

// A deadline in the past ends a wait at once, and hides what is there; cleared, it is as if it had not been.
func TestDeadlinePastAndCleared(t *testing.T) {
	for _, past := range []time.Time{time.Unix(1, 0), time.Now().Add(-time.Second), {}} {
		s := scheduler(t, 2)
		a, b := connected(t, s)
		if past.IsZero() {
			past = time.Now() // now is over
		}
		g := &group{s: s}
		g.start(task, func() {
			_, err := a.Read(make([]byte, 1))
			isTimeout(t, "read", err)
		})
		parked(t, s, 1)
		require.NoError(t, a.SetReadDeadline(past))
		g.wg.Wait()
		_, err := b.Write([]byte("xy"))
		require.NoError(t, err)
		_, err = a.Read(make([]byte, 1))
		isTimeout(t, "read", err)
		_, err = a.TryRead(make([]byte, 1))
		isTimeout(t, "read", err)
		isTimeout(t, "read", a.WaitRead(t.Context()))
		_, err = a.Write([]byte("z")) // the other direction
		require.NoError(t, err)
		require.NoError(t, a.SetDeadline(past))
		_, err = a.Write([]byte("z"))
		isTimeout(t, "write", err)
		require.NoError(t, a.SetDeadline(time.Time{}))
		buf := make([]byte, 8)
		n, err := io.ReadAtLeast(a, buf, 2)
		require.NoError(t, err)
		require.Equal(t, "xy", string(buf[:n]))
		require.NoError(t, a.SetReadDeadline(past))
		require.NoError(t, a.SetReadDeadline(neverTime)) // so does one far off
		_, err = b.Write([]byte("1"))
		require.NoError(t, err)
		_, err = a.Read(buf)
		require.NoError(t, err)
		require.NoError(t, a.Close())
		require.NoError(t, b.Close())
	}
}

// TestReadOfNothing asks for no bytes, which is no reason to look at a deadline; package net doesn't either.
func TestReadOfNothing(t *testing.T) {
	s := scheduler(t, 1)
	a, b := connected(t, s)
	require.NoError(t, a.SetDeadline(time.Unix(1, 0)))
	n, err := a.Read(nil)
	require.NoError(t, err)
	require.Zero(t, n)
	_, err = a.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
}

// One that is put off while a call waits does not end it; one that is moved up does.
func TestDeadlineChangedWhileBlocked(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		s := scheduler(t, procs)
		for !deadlineChanged(t, s) { // this machine was too slow to put it off in time
		}
	}
}

func deadlineChanged(t *testing.T, s *sched.Scheduler) (inTime bool) {
	a, b := connected(t, s)
	g := &group{s: s}
	var ended atomic.Bool
	g.start(task, func() {
		_, err := a.Read(make([]byte, 1))
		ended.Store(true)
		isTimeout(t, "read", err)
	})
	parked(t, s, 1)
	first := time.Now().Add(50 * time.Millisecond)
	require.NoError(t, a.SetReadDeadline(first))
	require.NoError(t, a.SetReadDeadline(neverTime))
	inTime = time.Now().Before(first)
	g.run(task, func() { sched.Sleep(70 * time.Millisecond) })
	if inTime {
		require.False(t, ended.Load())
	}
	require.NoError(t, a.SetReadDeadline(soon()))
	g.wg.Wait()
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
	return inTime
}

// What a deadline does not get is not lost: who reads in small portions of time gets every byte.
func TestStressDeadlines(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		for _, reader := range []party{task, goroutine} {
			t.Run(reader.name+string(rune('0'+procs)), func(t *testing.T) {
				defer testsched.Collect()()
				s := scheduler(t, procs)
				const conns, rounds = 8, 200
				g := &group{s: s}
				for range conns {
					a, b := connected(t, s)
					g.start(task, func() {
						for i := range rounds {
							_, err := a.Write([]byte{byte(i)})
							require.NoError(t, err)
							if i%3 == 0 {
								sched.Sleep(time.Duration(i) * time.Microsecond)
							}
						}
						require.NoError(t, a.Close())
					})
					g.start(reader, func() {
						defer b.Close()
						buf := make([]byte, 3)
						for got, tries := 0, 0; got < rounds; tries++ {
							require.NoError(t, b.SetReadDeadline(time.Now().Add(time.Duration(tries%6-1)*50*time.Microsecond)))
							n, err := b.Read(buf)
							if errors.Is(err, os.ErrDeadlineExceeded) {
								require.Zero(t, n)
								continue
							}
							require.NoError(t, err)
							for _, x := range buf[:n] {
								require.Equal(t, byte(got), x)
								got++
							}
						}
						require.NoError(t, b.SetReadDeadline(time.Time{}))
						_, err := b.Read(buf)
						require.ErrorIs(t, err, io.EOF)
					})
					g.start(goroutine, func() { // somebody else moves the other deadline about
						for i := range rounds {
							_ = b.SetWriteDeadline(time.Now().Add(time.Duration(i%3-1) * time.Millisecond))
						}
					})
				}
				g.wg.Wait()
			})
		}
	}
}

// The deadline of a descriptor that has been closed says nothing to the next one that gets its pollDesc.
func TestDeadlineDiesWithItsDescriptor(t *testing.T) {
	s := scheduler(t, 2)
	g := &group{s: s}
	for range 200 {
		a, b := connected(t, s)
		require.NoError(t, a.SetDeadline(time.Now().Add(200*time.Microsecond)))
		require.NoError(t, b.SetDeadline(time.Now().Add(100*time.Microsecond)))
		require.NoError(t, a.Close())
		require.NoError(t, b.Close())
		c, d := connected(t, s)
		g.start(task, func() {
			_, err := c.Read(make([]byte, 1))
			require.NoError(t, err)
		})
		g.start(task, func() {
			sched.Sleep(300 * time.Microsecond)
			_, err := d.Write([]byte("x"))
			require.NoError(t, err)
		})
		g.wg.Wait()
		require.Zero(t, c.fd.pd.stop.Load())
		require.NoError(t, c.Close())
		require.NoError(t, d.Close())
	}
}

// A partial Write says how much it has written.
func TestWriteDeadlineCounts(t *testing.T) {
	s := scheduler(t, 2)
	a, b := connected(t, s)
	g := &group{s: s}
	total := 64 << 20
	g.start(task, func() {
		n, err := a.Write(make([]byte, total))
		isTimeout(t, "write", err)
		require.Positive(t, n)
		require.Less(t, n, total)
		total = n
		require.NoError(t, a.Close())
	})
	parked(t, s, 1)
	require.NoError(t, a.SetWriteDeadline(soon()))
	g.wg.Wait()
	g.run(task, func() {
		n, err := io.Copy(io.Discard, b)
		require.NoError(t, err)
		require.EqualValues(t, total, n)
		require.NoError(t, b.Close())
	})
}

// A descriptor that never had a deadline has no timers, and setting one again and again makes no garbage.
func TestDeadlineCost(t *testing.T) {
	s := scheduler(t, 1)
	a, b := connected(t, s)
	require.NoError(t, a.SetDeadline(time.Time{}))
	require.Nil(t, a.fd.pd.deadlines.Load())
	require.NoError(t, a.SetDeadline(neverTime))
	least := testsched.LeastMallocs(func() {
		for range 100 {
			_ = a.SetReadDeadline(neverTime)
			_ = a.SetDeadline(time.Time{})
		}
	})
	if !hb.On { // which allocates
		require.Less(t, least, uint64(50))
	}
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
}
