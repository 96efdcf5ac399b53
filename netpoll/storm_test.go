//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
)

// Connections come and go by the thousand, in every way that they can end, and each number that becomes free is at once
// somebody else's. Those that stay must not notice: no byte of another's, no end that was another's, no wake-up lost.

// stormKinds are the lives of a connection in the storm, by how they end: while the kernel may still have something to
// tell of it. Each closes what it has.
var stormKinds = map[string]func(t *testing.T, g *group, address string){
	"echoes": func(t *testing.T, _ *group, address string) { converse(t, task, address, 1) },
	"resets with an answer under way": func(t *testing.T, _ *group, address string) {
		c := stormDial(t, address)
		_, err := c.Write([]byte("never read"))
		require.NoError(t, err)
		reset(t, c)
	},
	"ends with its deadline": func(t *testing.T, _ *group, address string) {
		c := stormDial(t, address)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(50*time.Microsecond)))
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, c.Close())
	},
	"ends below its reader": func(t *testing.T, g *group, address string) {
		c := stormDial(t, address)
		_, err := c.Write([]byte("may be read"))
		require.NoError(t, err)
		g.start(task, func() {
			for {
				if _, err := c.Read(make([]byte, 64)); err != nil {
					require.ErrorIs(t, err, net.ErrClosed)
					return
				}
			}
		})
		require.NoError(t, c.Close())
	},
	"is followed by a pipe": func(t *testing.T, _ *group, address string) {
		c := stormDial(t, address)
		_, err := c.Write([]byte("never read"))
		require.NoError(t, err)
		require.NoError(t, c.Close())
		fds := pipe(t)
		r, err := Open(fds[0], "r")
		require.NoError(t, err)
		w, err := Open(fds[1], "w")
		require.NoError(t, err)
		want := fmt.Append(nil, fds)
		_, err = w.Write(want)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		got, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.NoError(t, r.Close())
	},
}

func stormDial(t *testing.T, address string) *tcpConn {
	c, err := Dial("tcp", address)
	require.NoError(t, err)
	stormDials.Add(1)
	stormNumbers.Store(c.(*tcpConn).fd.sysfd, true)
	return c.(*tcpConn)
}

// stormDials counts stormDial's calls, and stormNumbers is the set of the descriptors that it has got.
var (
	stormDials   atomic.Int32
	stormNumbers sync.Map
)

func TestStormBesideBystanders(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprint("procs=", procs), func(t *testing.T) {
			const each = 15 // for each worker and kind
			workers := 20
			if hb.On {
				workers = 4 // fewer at a time, so that numbers come round all the more often
			}
			s := scheduler(t, procs)

			// Two bystanders: one that talks all the time, one that waits for the one byte at the end.
			bystanders := &group{s: s}
			var over atomic.Bool
			talking, echoing := connected(t, s)
			bystanders.start(task, func() { echo(t, echoing) })
			bystanders.start(task, func() {
				defer talking.Close()
				got := make([]byte, 64)
				for round := 0; !over.Load(); round++ {
					said := fmt.Appendf(nil, "round %d of the bystander", round)
					_, err := talking.Write(said)
					require.NoError(t, err)
					_, err = io.ReadFull(talking, got[:len(said)])
					require.NoError(t, err)
					require.Equal(t, said, got[:len(said)])
				}
			})
			waiting, silent := connected(t, s)
			var heard atomic.Bool
			bystanders.start(task, func() {
				defer waiting.Close()
				got := make([]byte, 64)
				n, err := waiting.Read(got)
				heard.Store(true)
				require.NoError(t, err)
				require.Equal(t, "!", string(got[:n]))
			})

			g := &group{s: s}
			l := g.listener(t, task)
			g.start(task, func() { stormServe(t, g, l) })
			storm := &group{s: s}
			stormDials.Store(0)
			stormNumbers.Clear()
			for range workers {
				for _, live := range stormKinds {
					storm.start(task, func() {
						for range each {
							live(t, storm, l.Addr().String())
						}
					})
				}
			}
			storm.wg.Wait()
			numbers := 0
			stormNumbers.Range(func(any, any) bool { numbers++; return true })
			dials := int(stormDials.Load())
			t.Logf("%d connections, %d descriptor numbers", dials, numbers)
			require.Less(t, numbers, dials, "none came round again")
			require.False(t, heard.Load(), "nobody has said anything to it")
			over.Store(true)
			_, err := silent.Write([]byte("!"))
			require.NoError(t, err)
			bystanders.wg.Wait()
			require.NoError(t, silent.Close())
			require.NoError(t, l.Close())
			g.wg.Wait()
			p, err := pollerOf(s)
			require.NoError(t, err)
			testsched.Until(t, func() bool { return p.parked() == 0 }, "nobody is left")
		})
	}
}

// stormServe echoes on every connection until that ends in one way or another.
func stormServe(t *testing.T, g *group, l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			require.ErrorIs(t, err, net.ErrClosed)
			return
		}
		g.start(task, func() {
			defer c.Close()
			_, _ = io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c})
		})
	}
}
