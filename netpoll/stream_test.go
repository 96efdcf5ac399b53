//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/sched"
)

// eachStream runs fn in a task with the two ends of a connection over tcp and over unix.
func eachStream(t *testing.T, fn func(t *testing.T, g *group, a, b StreamConn)) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			s := scheduler(t, 2)
			g := &group{s: s}
			g.run(task, func() {
				a, b, err := pipeOf(network, filepath.Join(t.TempDir(), "s"))
				require.NoError(t, err)
				defer a.Close()
				defer b.Close()
				fn(t, &group{s: s}, a.(StreamConn), b.(StreamConn))
			})
		})
	}
}

func TestHalfClose(t *testing.T) {
	eachStream(t, func(t *testing.T, g *group, a, b StreamConn) {
		g.start(task, func() { // the server's side: everything, then the answer
			all, err := io.ReadAll(b)
			require.NoError(t, err)
			_, err = b.Write(bytes.ToUpper(all))
			require.NoError(t, err)
			require.NoError(t, b.CloseWrite())
		})
		_, err := io.WriteString(a, "question")
		require.NoError(t, err)
		require.NoError(t, a.CloseWrite())
		_, err = a.Write([]byte("more"))
		require.ErrorIs(t, err, unix.EPIPE)
		all, err := io.ReadAll(a)
		require.NoError(t, err)
		require.Equal(t, "QUESTION", string(all))
		g.wgWait()
		require.NoError(t, a.Close())
		require.ErrorIs(t, a.CloseWrite(), net.ErrClosed)
		require.ErrorIs(t, a.CloseRead(), net.ErrClosed)
	})
}

// wgWait waits in a task without keeping its P.
func (g *group) wgWait() { sched.Block(g.wg.Wait) }

// CloseRead ends a Read that waits, also one that waits because the last came up short.
func TestCloseReadEndsRead(t *testing.T) {
	eachStream(t, func(t *testing.T, g *group, a, b StreamConn) {
		_, err := a.Write([]byte("x"))
		require.NoError(t, err)
		g.start(task, func() {
			buf := make([]byte, 10)
			_, err := b.Read(buf)
			require.NoError(t, err)
			_, err = b.Read(buf)
			require.Equal(t, io.EOF, err)
		})
		sched.Sleep(2 * time.Millisecond)
		require.NoError(t, b.CloseRead())
		g.wgWait()
	})
}

func pattern(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// Empty buffers, many buffers, big ones: all go out in order, and what has gone is taken out.
func TestWriteBuffers(t *testing.T) {
	eachStream(t, func(t *testing.T, g *group, a, b StreamConn) {
		data := pattern(3 << 20)
		var bufs net.Buffers
		for rest, n := data, 0; len(rest) > 0; n++ {
			size := min(n*n%1000, len(rest))
			if n%500 == 499 {
				size = min(1<<20, len(rest))
			}
			bufs = append(bufs, rest[:size])
			rest = rest[size:]
		}
		g.start(task, func() {
			all, err := io.ReadAll(b)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, all))
		})
		half := append(net.Buffers{}, bufs[:len(bufs)/2]...)
		want := int64(0)
		for _, x := range half {
			want += int64(len(x))
		}
		n, err := a.WriteBuffers(&half)
		require.NoError(t, err)
		require.Equal(t, want, n)
		require.Empty(t, half)
		rest := append(net.Buffers{}, bufs[len(bufs)/2:]...)
		n, err = a.ReadFrom(&rest)
		require.NoError(t, err)
		require.EqualValues(t, len(data), want+n)
		n, err = a.WriteBuffers(&net.Buffers{nil, {}})
		require.NoError(t, err)
		require.Zero(t, n)
		require.NoError(t, a.CloseWrite())
		g.wgWait()
	})
}

// What a deadline keeps from going stays in the buffers.
func TestWriteBuffersPartly(t *testing.T) {
	eachStream(t, func(t *testing.T, g *group, a, b StreamConn) {
		data := pattern(8 << 20)
		bufs := net.Buffers{data[:1000], data[1000 : 6<<20], data[6<<20:]}
		require.NoError(t, a.SetWriteDeadline(time.Now().Add(50*time.Millisecond)))
		n, err := a.WriteBuffers(&bufs)
		isTimeout(t, "write", err)
		left := bytes.Join(bufs, nil)
		require.True(t, bytes.Equal(data[n:], left))
		g.start(task, func() {
			all, err := io.ReadAll(b)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, all))
		})
		require.NoError(t, a.SetWriteDeadline(time.Time{}))
		_, err = a.WriteBuffers(&bufs)
		require.NoError(t, err)
		require.NoError(t, a.CloseWrite())
		g.wgWait()
	})
}

// io.Copy from a file goes by sendfile: from where the file stands, up to its end or a limit, and the file
// stands behind what was sent. From anything else it is an ordinary copy.
func TestCopyFromFile(t *testing.T) {
	eachStream(t, func(t *testing.T, g *group, a, b StreamConn) {
		data := pattern(5<<20 + 17)
		path := filepath.Join(t.TempDir(), "data")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		f, err := os.Open(path)
		require.NoError(t, err)
		defer f.Close()
		_, err = f.Seek(100, io.SeekStart)
		require.NoError(t, err)
		g.start(task, func() {
			all, err := io.ReadAll(b)
			require.NoError(t, err)
			require.True(t, bytes.Equal(append(data[100:], "tail"...), all))
		})
		blocks := sched.Current().Stats().Blocks
		sent := func() { // each time by sendfile
			t.Helper()
			now := sched.Current().Stats().Blocks
			require.Greater(t, now, blocks, "it was sendfile")
			blocks = now
		}
		n, err := io.Copy(a, io.LimitReader(f, 1<<20))
		require.NoError(t, err)
		sent()
		require.EqualValues(t, 1<<20, n)
		at, err := f.Seek(0, io.SeekCurrent)
		require.NoError(t, err)
		require.EqualValues(t, 100+1<<20, at)
		n, err = io.CopyN(a, f, 10)
		require.NoError(t, err)
		sent()
		require.EqualValues(t, 10, n)
		n, err = io.Copy(a, f)
		require.NoError(t, err)
		require.EqualValues(t, len(data)-100-1<<20-10, n)
		sent()
		n, err = io.Copy(a, f)
		require.NoError(t, err)
		require.Zero(t, n)
		n, err = io.Copy(a, bytes.NewBufferString("tail"))
		require.NoError(t, err)
		require.EqualValues(t, 4, n)
		require.NoError(t, a.CloseWrite())
		g.wgWait()
		require.NoError(t, f.Close())
		_, err = a.ReadFrom(f)
		require.ErrorIs(t, err, os.ErrClosed)
	})
}

// A file's descriptor may be a pipe: that is copied.
func TestCopyFromPipe(t *testing.T) {
	eachStream(t, func(t *testing.T, g *group, a, b StreamConn) {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		go func() {
			_, _ = w.WriteString("through a pipe")
			_ = w.Close()
		}()
		n, err := io.Copy(a, r)
		require.NoError(t, err)
		require.EqualValues(t, 14, n)
		require.NoError(t, r.Close())
		buf := make([]byte, 14)
		_, err = io.ReadFull(b, buf)
		require.NoError(t, err)
		require.Equal(t, "through a pipe", string(buf))
	})
}

func TestRawConn(t *testing.T) {
	eachStream(t, func(t *testing.T, g *group, a, b StreamConn) {
		rawA, rawB := raw(t, a), raw(t, b)
		got := make([]byte, 4)
		tries := 0
		g.start(task, func() {
			require.NoError(t, rawB.Read(func(fd uintptr) bool {
				tries++
				_, err := syscall.Read(int(fd), got)
				return err != syscall.EAGAIN
			}))
		})
		sched.Sleep(time.Millisecond)
		require.NoError(t, rawA.Write(func(fd uintptr) bool {
			_, err := syscall.Write(int(fd), []byte("raw!"))
			return err != syscall.EAGAIN
		}))
		g.wgWait()
		require.Equal(t, "raw!", string(got))
		require.NoError(t, rawA.Control(func(fd uintptr) { require.Positive(t, fd) }))
		require.NoError(t, b.SetReadDeadline(soon()))
		isTimeout(t, "raw-read", rawB.Read(func(uintptr) bool { return false }))
		require.NoError(t, a.Close())
		require.ErrorIs(t, rawA.Control(func(uintptr) {}), net.ErrClosed)
		require.ErrorIs(t, rawA.Write(func(uintptr) bool { return true }), net.ErrClosed)
	})
}

// A copy of the descriptor lives on by itself.
func TestFile(t *testing.T) {
	eachStream(t, func(t *testing.T, g *group, a, b StreamConn) {
		f, err := a.File()
		require.NoError(t, err)
		require.NoError(t, a.Close())
		_, err = a.File()
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = f.WriteString("from the copy")
		require.NoError(t, err)
		buf := make([]byte, 20)
		n, err := b.Read(buf)
		require.NoError(t, err)
		require.Equal(t, "from the copy", string(buf[:n]))
		require.NoError(t, f.Close())
		_, err = b.Read(buf)
		require.Equal(t, io.EOF, err)
	})
	s := scheduler(t, 1)
	l := (&group{s: s}).listener(t, task)
	f, err := l.(*listener).File()
	require.NoError(t, err)
	native, err := net.FileListener(f)
	require.NoError(t, err)
	require.Equal(t, l.Addr().String(), native.Addr().String())
	rawL := raw(t, l.(*listener))
	require.NoError(t, rawL.Control(func(uintptr) {}))
	require.Equal(t, syscall.EINVAL, rawL.Read(nil))
	require.Equal(t, syscall.EINVAL, rawL.Write(nil))
	require.NoError(t, native.Close())
	require.NoError(t, f.Close())
	require.NoError(t, l.Close())
}

// TestFileNamesAreNets: of a listener, of both ends, of one whose peer is gone; and where the kernel knows no address any more.
func TestFileNamesAreNets(t *testing.T) {
	s := scheduler(t, 1)
	nameOf := func(c any) string {
		f, err := c.(interface{ File() (*os.File, error) }).File()
		require.NoError(t, err)
		require.NoError(t, f.Close())
		return f.Name()
	}
	for _, p := range []party{native, task} {
		(&group{s: s}).run(p, func() {
			l, err := p.listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			require.Equal(t, "tcp:"+l.Addr().String()+"->", nameOf(l))
			a, err := p.dial("tcp", l.Addr().String())
			require.NoError(t, err)
			b, err := l.Accept()
			require.NoError(t, err)
			ends := "tcp:" + a.LocalAddr().String() + "->" + a.RemoteAddr().String()
			require.Equal(t, ends, nameOf(a))
			reset(t, b)
			_, err = a.Read(make([]byte, 1))
			require.ErrorIs(t, err, unix.ECONNRESET)
			require.Equal(t, ends, nameOf(a))
			if ours, ok := a.(*tcpConn); ok {
				ours.laddr, ours.raddr = nil, nil
				l.(*listener).addr = nil
				require.Equal(t, "tcp:->", nameOf(a))
				require.Equal(t, "tcp:->", nameOf(l))
			}
			require.NoError(t, a.Close())
			require.NoError(t, l.Close())
		})
	}
}

// keepAliveTimes sets a's keep-alive's times and looks at them.
func keepAliveTimes(t *testing.T, a *tcpConn) {
	t.Helper()
	fd := a.fd.sysfd
	if optKeepIdle == 0 {
		require.ErrorIs(t, a.SetKeepAlivePeriod(time.Second), unix.ENOPROTOOPT)
		return
	}
	require.NoError(t, a.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 1500 * time.Millisecond, Interval: 7 * time.Second, Count: 3}))
	require.Equal(t, 2, option(t, fd, unix.IPPROTO_TCP, optKeepIdle))
	require.Equal(t, 7, option(t, fd, unix.IPPROTO_TCP, optKeepInterval))
	require.Equal(t, 3, option(t, fd, unix.IPPROTO_TCP, optKeepCount))
	require.NoError(t, a.SetKeepAlivePeriod(-1))
	require.Equal(t, 2, option(t, fd, unix.IPPROTO_TCP, optKeepIdle))
	require.NoError(t, a.SetKeepAliveConfig(net.KeepAliveConfig{Interval: -1, Count: -1}))
	require.Zero(t, option(t, fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE))
	require.Equal(t, keepAliveIdle, option(t, fd, unix.IPPROTO_TCP, optKeepIdle))
	require.Equal(t, 7, option(t, fd, unix.IPPROTO_TCP, optKeepInterval))
}

func TestTCPOptions(t *testing.T) {
	s := scheduler(t, 1)
	a, b := connected(t, s)
	fd := a.fd.sysfd
	require.NoError(t, a.SetNoDelay(false))
	require.Zero(t, option(t, fd, unix.IPPROTO_TCP, unix.TCP_NODELAY))
	keepAliveTimes(t, a)
	require.NoError(t, a.SetReadBuffer(1<<14))
	size := option(t, fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	require.Contains(t, []int{1 << 14, 1 << 15}, size) // Linux doubles it
	require.NoError(t, a.SetWriteBuffer(1<<14))
	require.NoError(t, a.SetLinger(0))
	require.NoError(t, a.Close())
	(&group{s: s}).run(task, func() {
		_, err := b.Read(make([]byte, 1))
		require.ErrorIs(t, err, unix.ECONNRESET)
	})
	require.ErrorIs(t, a.SetNoDelay(true), net.ErrClosed)
	require.ErrorIs(t, a.SetLinger(1), net.ErrClosed)
	require.NoError(t, b.Close())
}
