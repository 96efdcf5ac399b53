//go:build amd64 && !race && !userrt_goroutine && !userrt_nogetg && !userrt_kqueue

package netpoll

import (
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// stackVar is set in a process in which stacks begin small whatever the collector has seen (runtime/stack.go,
// gcComputeStartingStackSize).
const stackVar = "USERRT_TEST_STACK"

// TestWaitingTakesASmallStack holds the frames between a task's first line and the switch to what is left of 2 KiB: another 8 bytes
// can cost each idle connection 2 KiB. The handler has as many frames of its own as a simple server.
func TestWaitingTakesASmallStack(t *testing.T) {
	if os.Getenv(stackVar) == "" {
		cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), stackVar+"=1", "GODEBUG=adaptivestackstart=0")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "bytes of stack for each connection")
		return
	}
	const conns = 400
	s := scheduler(t, 2)
	g := &group{s: s}
	l := g.listener(t, task)
	before := stackInUse()
	g.start(task, func() {
		for range conns {
			c, err := l.Accept()
			require.NoError(t, err)
			g.wg.Add(1)
			g.s.Go(func() { handle(c, answer); g.wg.Done() })
		}
	})
	clients := make([]net.Conn, conns)
	buf := make([]byte, smallMessage)
	for i := range clients {
		c, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		clients[i] = c
	}
	defer func() {
		for _, c := range clients {
			_ = c.Close()
		}
		_ = l.Close()
		g.wg.Wait()
	}()
	for range 70 { // more than the 61 choices after which a task that parks looks elsewhere for once
		for _, c := range clients {
			_, err := c.Write(buf)
			require.NoError(t, err)
		}
		for _, c := range clients {
			_, err := io.ReadFull(c, buf)
			require.NoError(t, err)
		}
	}
	parked(t, s, conns)
	each := (stackInUse() - before) / conns
	t.Logf("%d bytes of stack for each connection", each)
	require.Less(t, each, 3072)
}

const smallMessage = 64

func stackInUse() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.StackInuse)
}

//go:noinline
func handle(c net.Conn, handler func(net.Conn) (int, error)) {
	_, _ = handler(c)
	_ = c.Close()
}

//go:noinline
func answer(c net.Conn) (n int, err error) {
	buf := make([]byte, smallMessage)
	for {
		if _, err := io.ReadFull(c, buf); err != nil {
			return n, err
		}
		if _, err := c.Write(buf); err != nil {
			return n, err
		}
		n++
	}
}
