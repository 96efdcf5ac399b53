//go:build !userrt_kqueue

package netpoll

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/patience"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// asking returns a connection on which full reads ask how much is left, and have just taken all that was there.
func asking(t *testing.T, s *sched.Scheduler) (a, b *tcpConn) {
	t.Helper()
	a, b = connected(t, s)
	buf := make([]byte, 8)
	for i := range 2 { // a full read, one in vain, and a full one that asks
		read := make(chan error)
		go func() {
			_, err := io.ReadFull(a, buf)
			read <- err
		}()
		parked(t, s, 1)
		_, err := b.Write(make([]byte, len(buf)))
		require.NoError(t, err)
		require.NoError(t, <-read)
		require.Equal(t, []bool{i == 1, i == 1}, []bool{asks(a), drained(a)})
	}
	return a, b
}

// asks and drained look into c, whose Read is not under way.
func asks(c *tcpConn) bool    { return within(func() bool { return c.fd.inq.asks }) }
func drained(c *tcpConn) bool { return within(func() bool { return c.fd.drained }) }

func within(look func() bool) bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return look()
}

// inqSet is whether TCP_INQ is set.
func inqSet(t *testing.T, c *tcpConn) bool {
	t.Helper()
	return option(t, c.fd.sysfd, unix.SOL_TCP, unix.TCP_INQ) != 0
}

func TestFullReadsAskHowMuchIsLeft(t *testing.T) {
	s := scheduler(t, 2)
	a, b := asking(t, s)
	defer b.Close()
	defer a.Close()
	sent := []byte("one, two, three,")
	_, err := b.Write(sent)
	require.NoError(t, err)
	buf := make([]byte, 4)
	for i := 0; i < len(sent); i += len(buf) {
		n, err := a.Read(buf)
		require.NoError(t, err)
		require.Equal(t, string(sent[i:i+len(buf)]), string(buf[:n]))
		require.Equal(t, i == len(sent)-len(buf), drained(a), "%d bytes read", i+n)
	}
	_, err = b.Write(sent[:3])
	require.NoError(t, err)
	n, err := a.Read(buf) // not full: that it is short says as much
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.True(t, drained(a))
	_, err = a.TryRead(buf)
	require.ErrorIs(t, err, ErrWouldBlock)
	_, err = b.Write(sent)
	require.NoError(t, err)
	require.NoError(t, a.WaitRead(t.Context()))
	n, err = a.TryRead(buf)
	require.NoError(t, err)
	require.Equal(t, len(buf), n)
	require.False(t, drained(a))
}

// TestReadersOfOtherSizesDontAsk: a read in vain is of no account when the one before it was short.
func TestReadersOfOtherSizesDontAsk(t *testing.T) {
	s := scheduler(t, 2)
	a, b := connected(t, s)
	defer b.Close()
	defer a.Close()
	buf := make([]byte, 16)
	for range 3 {
		_, err := b.Write(buf[:5])
		require.NoError(t, err)
		_, err = a.Read(buf)
		require.NoError(t, err)
		_, err = a.TryRead(buf)
		require.ErrorIs(t, err, ErrWouldBlock)
	}
	require.False(t, inqSet(t, a))
}

// TestAskingSeesTheEnd: what comes after a read that has emptied the socket, or with the last bytes of it, is not waited for in
// vain.
func TestAskingSeesTheEnd(t *testing.T) {
	message := make([]byte, 8)
	ends := map[string]struct {
		end  func(t *testing.T, a, b *tcpConn)
		want func(t *testing.T, err error)
	}{
		"CloseWrite": {
			func(t *testing.T, _, b *tcpConn) { require.NoError(t, b.CloseWrite()) },
			func(t *testing.T, err error) { require.ErrorIs(t, err, io.EOF) },
		},
		"reset": {
			func(t *testing.T, _, b *tcpConn) {
				require.NoError(t, b.SetLinger(0))
				require.NoError(t, b.Close())
			},
			func(t *testing.T, err error) { require.ErrorIs(t, err, unix.ECONNRESET) },
		},
		"Close": {
			func(t *testing.T, a, _ *tcpConn) { require.NoError(t, a.Close()) },
			func(t *testing.T, err error) { require.ErrorIs(t, err, net.ErrClosed) },
		},
		"CloseRead": {
			func(t *testing.T, a, _ *tcpConn) { require.NoError(t, a.CloseRead()) },
			func(t *testing.T, err error) { require.ErrorIs(t, err, io.EOF) },
		},
		"deadline": {
			func(t *testing.T, a, _ *tcpConn) { require.NoError(t, a.SetReadDeadline(time.Now())) },
			func(t *testing.T, err error) { require.ErrorIs(t, err, os.ErrDeadlineExceeded) },
		},
		"urgent data": {
			func(t *testing.T, _, b *tcpConn) {
				require.NoError(t, unix.Sendto(b.fd.sysfd, []byte("X"), unix.MSG_OOB, nil))
				_, err := b.Write([]byte("more"))
				require.NoError(t, err)
			},
			func(t *testing.T, err error) { require.NoError(t, err) },
		},
	}
	for name, c := range ends {
		for _, when := range []string{"with the last bytes", "before the read", "during the read"} {
			if when == "with the last bytes" && (name == "reset" || name == "Close" || name == "deadline") {
				continue // these take the bytes away
			}
			t.Run(name+"/"+when, func(t *testing.T) {
				s := scheduler(t, 2)
				a, b := asking(t, s)
				defer b.Close()
				defer a.Close()
				_, err := b.Write(message)
				require.NoError(t, err)
				if when == "with the last bytes" {
					c.end(t, a, b)
					eventCame(t, s, a)
				}
				_, err = io.ReadFull(a, make([]byte, len(message)))
				require.NoError(t, err)
				if when == "before the read" {
					c.end(t, a, b)
				}
				read := make(chan error, 1)
				go func() {
					_, err := a.Read(make([]byte, 4))
					read <- err
				}()
				if when == "during the read" {
					parked(t, s, 1)
					c.end(t, a, b)
				}
				c.want(t, <-read)
			})
		}
	}
}

// eventCame returns when the poller has had c's event. Somebody has to wait, so that events are polled for.
func eventCame(t *testing.T, s *sched.Scheduler, c *tcpConn) {
	t.Helper()
	a, b := connected(t, s)
	end := make(chan error)
	go func() {
		_, err := a.Read(make([]byte, 1))
		end <- err
	}()
	testsched.Until(t, func() bool { return within(func() bool { return c.fd.pd.special.Load() == seenSpecial }) }, "the event has come")
	require.NoError(t, b.Close())
	require.ErrorIs(t, <-end, io.EOF)
	require.NoError(t, a.Close())
}

// TestAskingWhileTheUserGetsTheDescriptor: whichever of the two is first, the option is off in the end.
func TestAskingWhileTheUserGetsTheDescriptor(t *testing.T) {
	s := scheduler(t, 1)
	a, b := connected(t, s)
	defer b.Close()
	defer a.Close()
	asked := 0
	for i := range 20_000 {
		f := &pollFD{sysfd: a.fd.sysfd, tcp: true, pd: new(pollDesc)}
		var turn atomic.Int32
		var wg sync.WaitGroup
		race := func(pauses int, fn func()) {
			wg.Go(func() {
				for turn.Add(1); turn.Load() < 2; {
					runtime.Gosched()
				}
				for range pauses {
					turn.Load()
				}
				fn()
			})
		}
		race(i%64, f.ask)
		race(32, f.handOut)
		wg.Wait()
		if f.inq.asks {
			asked++
		}
		require.False(t, inqSet(t, a))
	}
	require.NotZero(t, asked)
}

// TestFileSwitchesAskingOff: a recvmsg of the user's gets no message that he has not asked for. One that he asks for himself he gets.
func TestFileSwitchesAskingOff(t *testing.T) {
	s := scheduler(t, 2)
	a, b := asking(t, s)
	defer b.Close()
	defer a.Close()
	require.True(t, inqSet(t, a))
	for i := range 2 {
		f, err := a.File()
		require.NoError(t, err)
		require.Equal(t, i == 1, inqSet(t, a))
		require.NoError(t, unix.SetsockoptInt(int(f.Fd()), unix.SOL_TCP, unix.TCP_INQ, 1))
		require.NoError(t, f.Close())
	}
	require.NoError(t, raw(t, a).Control(func(uintptr) {}))
	require.NoError(t, raw(t, a).Read(func(uintptr) bool { return true }))
	require.True(t, inqSet(t, a))
	_, err := b.Write(make([]byte, 8))
	require.NoError(t, err)
	_, err = a.Read(make([]byte, 8))
	require.NoError(t, err)
	require.False(t, drained(a))
}

// TestOptionsOfTheListenerCount: a connection inherits SO_RCVLOWAT, so its reads try first, as they do when the user has had its own descriptor.
func TestOptionsOfTheListenerCount(t *testing.T) {
	s := scheduler(t, 2)
	g := group{s: s}
	g.run(task, func() {
		l, err := Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		require.NoError(t, raw(t, l.(syscall.Conn)).Control(func(fd uintptr) {
			require.NoError(t, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, 1000))
		}))
		b, err := Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		defer b.Close()
		a, err := l.Accept()
		require.NoError(t, err)
		defer a.Close()
		require.NoError(t, a.SetReadDeadline(time.Now().Add(patience.Times(10*time.Second))))
		for _, size := range []int{8, 4} { // full reads, short ones
			for range 4 {
				_, err := b.Write(make([]byte, 4))
				require.NoError(t, err)
				testsched.Until(t, func() bool {
					n, _, _ := unix.Recvfrom(a.(*tcpConn).fd.sysfd, make([]byte, 4), unix.MSG_PEEK|unix.MSG_DONTWAIT)
					return n == 4
				}, "it is there")
				n, err := a.Read(make([]byte, size))
				require.NoError(t, err)
				require.Equal(t, 4, n)
			}
		}
	})
}

// TestKernelThatCannotTell: older ones refuse, as a unix socket does. Reads go on without.
func TestKernelThatCannotTell(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	require.NoError(t, err)
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	f := &pollFD{sysfd: pair[0], tcp: true, pd: new(pollDesc)}
	buf := make([]byte, 8)
	var n int
	var errno unix.Errno
	full := func() bool { n, errno = f.recv(buf); return f.inq == inq{full: true} && !f.drained }
	refused := func() bool { n, errno = f.recv(buf); return f.inq == inq{full: true, refused: true} && !f.drained }
	for i, want := range []func() bool{full, refused, refused} {
		_, err := unix.Write(pair[1], buf)
		require.NoError(t, err)
		require.True(t, within(want), i)
		require.Equal(t, len(buf), n)
		require.True(t, within(refused), i)
		require.Equal(t, unix.EAGAIN, errno)
	}
}

// TestFixedSizesUnderStress sends bursts to readers of a fixed size: that a burst ends just when one looks is what could leave a
// reader asleep.
func TestFixedSizesUnderStress(t *testing.T) {
	const conns, bursts, most = 24, 150, 4
	for _, p := range []party{task, goroutine} {
		for _, procs := range []int{1, 2, 8} {
			t.Run(fmt.Sprintf("%s/procs=%d", p.name, procs), func(t *testing.T) {
				s := scheduler(t, procs)
				g := &group{s: s}
				for range conns {
					a, b := connected(t, s)
					sent := rand.Perm(bursts * most)[:bursts]
					for i := range sent {
						sent[i] = sent[i]%most + 1
					}
					answered := make(chan struct{}, 1)
					g.start(p, func() {
						defer b.Close()
						next := uint64(0)
						for i, n := range sent {
							burst := make([]byte, 0, 8*most)
							for range n {
								burst = binary.LittleEndian.AppendUint64(burst, next)
								next++
							}
							_, err := b.Write(burst)
							require.NoError(t, err)
							if i%3 == 0 { // all of it has to come before more is sent
								_, err = b.Write(binary.LittleEndian.AppendUint64(nil, next|1<<63))
								require.NoError(t, err)
								next++
								_, err = io.ReadFull(b, make([]byte, 1))
								require.NoError(t, err)
							}
						}
						answered <- struct{}{}
					})
					g.start(p, func() {
						defer a.Close()
						message := make([]byte, 8)
						for next := uint64(0); ; next++ {
							_, err := io.ReadFull(a, message)
							if err == io.EOF {
								require.Len(t, answered, 1)
								return
							}
							require.NoError(t, err)
							got := binary.LittleEndian.Uint64(message)
							require.Equal(t, next, got&^(1<<63))
							if got>>63 == 1 {
								_, err := a.Write(message[:1])
								require.NoError(t, err)
							}
						}
					})
				}
				g.wg.Wait()
			})
		}
	}
}
