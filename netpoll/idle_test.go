//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
)

// Ten thousand connections that wait, the other ends in a process of their own: a descriptor each is as much as many
// systems allow one process.

const idleVar = "USERRT_TEST_IDLE_CLIENT" // the address and the number of connections

// TestIdleClient is that process: it connects, says so, and on each line of its input sends a byte over every connection
// and reads it back.
func TestIdleClient(t *testing.T) {
	spec := os.Getenv(idleVar)
	if spec == "" {
		t.Skip("runs only where TestIdleConnections starts it")
	}
	var address string
	var n int
	_, err := fmt.Sscan(spec, &address, &n)
	require.NoError(t, err)
	tcp, err := net.ResolveTCPAddr("tcp", address)
	require.NoError(t, err)
	sa, err := sockaddr(unix.AF_INET, tcp)
	require.NoError(t, err)
	fds := make([]int, n)
	for i := range fds {
		fds[i], err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		require.NoError(t, err)
		require.NoError(t, unix.Connect(fds[i], sa))
	}
	fmt.Println("connected")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		for i, fd := range fds {
			_, err := unix.Write(fd, []byte{byte(i)})
			require.NoError(t, err)
		}
		for i, fd := range fds {
			var b [1]byte
			_, err := unix.Read(fd, b[:])
			require.NoError(t, err)
			require.Equal(t, byte(i), b[0])
		}
		fmt.Println("echoed")
	}
}

// allowed returns conns, or as many as the process may have descriptors for, which it then says. The limit is the hard one:
// Go's start has raised the soft one to it (syscall/rlimit.go, init), in the client too.
func allowed(t *testing.T, conns int) int {
	const spare = 200 // for all that is no connection
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	room := min(uint64(limit.Cur), 1<<30) // some systems have no limit, which is a large number
	require.Greater(t, room, uint64(spare), "descriptors")
	if most := int(room) - spare; most < conns {
		t.Logf("only %d connections and not %d: the hard limit on descriptors is %d", most, conns, limit.Max)
		return most
	}
	return conns
}

func TestIdleConnections(t *testing.T) {
	conns := 10_000
	if hb.On || testing.Short() {
		conns = 500 // the race detector knows 8,128 goroutines at most
	}
	conns = allowed(t, conns)
	s := scheduler(t, 2)
	g := &group{s: s}
	l := g.listener(t, task)
	cmd := exec.Command(os.Args[0], "-test.run=^TestIdleClient$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", idleVar, l.Addr(), conns))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	before, threadsBefore := memory(), threadCount(t) // earlier tests have left some
	require.NoError(t, cmd.Start())
	var live atomic.Int32
	g.start(task, func() {
		for range conns {
			c, err := l.Accept()
			require.NoError(t, err)
			live.Add(1)
			g.start(task, func() {
				defer live.Add(-1)
				defer c.Close()
				var b [1]byte
				for {
					if err := c.(Conn).WaitRead(t.Context()); err != nil {
						return
					}
					if _, err := c.Read(b[:]); err != nil {
						return
					}
					if _, err := c.Write(b[:]); err != nil {
						return
					}
				}
			})
		}
	})
	answers := bufio.NewScanner(out)
	expect := func(what string) {
		require.True(t, answers.Scan(), "the client says %q", what)
		require.Equal(t, what, answers.Text())
	}
	expect("connected")
	parked(t, s, conns)
	perConn := (memory() - before) / conns
	threads := threadCount(t)
	t.Logf("%d idle connections: %d threads, %d before; %d bytes each with its task, in this process", conns, threads, threadsBefore, perConn)
	few := func(threads int) {
		if coro.Backend == "cell" { // else each task is a goroutine, and the native scheduler makes threads as it likes
			require.Less(t, threads-threadsBefore, 15)
		}
	}
	few(threads)
	require.Less(t, perConn, 16<<10)
	for range 2 {
		_, err = in.Write([]byte("\n"))
		require.NoError(t, err)
		expect("echoed")
	}
	parked(t, s, conns)
	few(threadCount(t))
	require.NoError(t, in.Close())
	for answers.Scan() { // PASS
	}
	require.NoError(t, cmd.Wait())
	testsched.Until(t, func() bool { return live.Load() == 0 }, "all have gone")
	require.NoError(t, l.Close())
	g.wg.Wait()
}

// memory returns the bytes of heap and stacks in use.
func memory() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse)
}
