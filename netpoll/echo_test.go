//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/sched"
)

// serve accepts connections and echoes what comes until l is closed.
func serve(t *testing.T, g *group, p party, l net.Listener) {
	g.start(p, func() {
		for {
			c, err := l.Accept()
			if err != nil {
				require.ErrorIs(t, err, net.ErrClosed)
				return
			}
			g.start(p, func() { echo(t, c) })
		}
	})
}

func echo(t *testing.T, c net.Conn) {
	defer c.Close()
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
		_, err = c.Write(buf[:n])
		require.NoError(t, err)
	}
}

// converse dials, sends rounds messages and expects each back, then closes.
func converse(t *testing.T, p party, addr string, rounds int) {
	c, err := p.dial("tcp", addr)
	require.NoError(t, err)
	defer c.Close()
	for i := range rounds {
		msg := fmt.Appendf(nil, "%v round %d", c.LocalAddr(), i)
		_, err := c.Write(msg)
		require.NoError(t, err)
		got := make([]byte, len(msg))
		_, err = io.ReadFull(c, got)
		require.NoError(t, err)
		require.Equal(t, msg, got)
	}
}

// listener opens a listener as p does.
func (g *group) listener(t *testing.T, p party) (l net.Listener) {
	g.run(p, func() {
		var err error
		l, err = p.listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
	})
	require.NotNil(t, l)
	return l
}

func TestEcho(t *testing.T) {
	eachPair(t, func(t *testing.T, s *sched.Scheduler, server, client party) {
		g := &group{s: s}
		l := g.listener(t, server)
		serve(t, g, server, l)
		clients := &group{s: s}
		for range 8 {
			clients.start(client, func() { converse(t, client, l.Addr().String(), 50) })
		}
		clients.wg.Wait()
		require.NoError(t, l.Close())
		g.wg.Wait()
	})
}

// Descriptor numbers, pollDescs and stale events all come round again here.
func TestManyConnectionsAndReuse(t *testing.T) {
	eachPair(t, func(t *testing.T, s *sched.Scheduler, server, client party) {
		for range 3 {
			g := &group{s: s}
			l := g.listener(t, server)
			serve(t, g, server, l)
			clients := &group{s: s}
			for range 200 {
				clients.start(client, func() { converse(t, client, l.Addr().String(), 3) })
			}
			clients.wg.Wait()
			require.NoError(t, l.Close())
			// The server has yet to see that the last clients are gone. Until it has, it keeps their pollDescs.
			g.wg.Wait()
		}
		if p, err := pollerOf(s); server.name == "task" {
			require.NoError(t, err)
			require.LessOrEqual(t, len(*p.table.Load()), 2+2*200/len(pollBlock{}), "pollDescs are not reused")
		}
	})
}

// The slow reader makes the writer run into a full buffer again and again.
func TestBigTransferSlowReader(t *testing.T) {
	eachPair(t, func(t *testing.T, s *sched.Scheduler, server, client party) {
		g := &group{s: s}
		l := g.listener(t, server)
		data := make([]byte, 16<<20)
		for i := range data {
			data[i] = byte(i>>16) ^ byte(i>>8) ^ byte(i)
		}
		g.start(server, func() {
			c, err := l.Accept()
			require.NoError(t, err)
			defer c.Close()
			n, err := c.Write(data)
			require.NoError(t, err)
			require.Equal(t, len(data), n)
		})
		g.start(client, func() {
			c, err := client.dial("tcp", l.Addr().String())
			require.NoError(t, err)
			defer c.Close()
			buf := make([]byte, 10_007)
			pos := 0
			for {
				n, err := c.Read(buf)
				if err == io.EOF {
					break
				}
				require.NoError(t, err)
				require.True(t, bytes.Equal(data[pos:pos+n], buf[:n]), "at %d", pos)
				pos += n
				sched.Yield()
			}
			require.Equal(t, len(data), pos)
		})
		g.wg.Wait()
		require.NoError(t, l.Close())
	})
}

// A Write that takes several attempts is not cut in two by another.
func TestConcurrentWritersTakeTurns(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprint("procs=", procs), func(t *testing.T) {
			const writers, each, size = 8, 8, 300_000
			s := scheduler(t, procs)
			a, b := connected(t, s)
			g := &group{s: s}
			for i := range writers {
				p := []party{task, goroutine}[i%2]
				g.start(p, func() {
					for range each {
						n, err := a.Write(bytes.Repeat([]byte{byte(i)}, size))
						require.NoError(t, err)
						require.Equal(t, size, n)
					}
				})
			}
			counts := make([]int, writers)
			g.start(task, func() {
				block := make([]byte, size)
				for range writers * each {
					_, err := io.ReadFull(b, block)
					require.NoError(t, err)
					require.True(t, bytes.Equal(bytes.Repeat(block[:1], size), block))
					counts[block[0]]++
				}
			})
			g.wg.Wait()
			for i := range counts {
				require.Equal(t, each, counts[i])
			}
			require.NoError(t, a.Close())
			require.NoError(t, b.Close())
		})
	}
}

// Every byte goes to one reader.
func TestConcurrentReadersTakeTurns(t *testing.T) {
	s := scheduler(t, 2)
	a, b := connected(t, s)
	g := &group{s: s}
	got := make([]byte, 64)
	for i := range got {
		p := []party{task, goroutine}[i%2]
		g.start(p, func() {
			n, err := b.Read(got[i : i+1])
			require.NoError(t, err)
			require.Equal(t, 1, n)
		})
	}
	want := make([]byte, len(got))
	g.run(task, func() {
		for i := range want {
			want[i] = byte(i)
			_, err := a.Write(want[i : i+1])
			require.NoError(t, err)
		}
	})
	g.wg.Wait()
	require.ElementsMatch(t, want, got)
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
}

// What was done before a Write is seen after the Read of its bytes, by the race detector too.
func TestMemoryPassedAlong(t *testing.T) {
	eachPair(t, func(t *testing.T, s *sched.Scheduler, server, client party) {
		g := &group{s: s}
		l := g.listener(t, server)
		shared := 0
		g.start(server, func() {
			c, err := l.Accept()
			require.NoError(t, err)
			defer c.Close()
			for range 10 {
				_, err := c.Read(make([]byte, 1))
				require.NoError(t, err)
				shared++
				_, err = c.Write([]byte{1})
				require.NoError(t, err)
			}
		})
		g.start(client, func() {
			c, err := client.dial("tcp", l.Addr().String())
			require.NoError(t, err)
			defer c.Close()
			for range 10 {
				shared++
				_, err := c.Write([]byte{1})
				require.NoError(t, err)
				_, err = c.Read(make([]byte, 1))
				require.NoError(t, err)
			}
		})
		g.wg.Wait()
		require.Equal(t, 20, shared)
		require.NoError(t, l.Close())
	})
}
