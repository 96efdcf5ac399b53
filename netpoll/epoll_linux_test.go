//go:build !userrt_kqueue

package netpoll

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/patience"
	"github.com/userrt/userrt/internal/testsched"
)

// registerCall is the system call that registers a descriptor.
const registerCall = "epoll_ctl"

// datagramMallocs is how many objects sending and receiving a datagram costs.
const datagramMallocs = 0

// kernelFD returns the descriptor that p's kernel side is.
func kernelFD(p *poller) int { return p.kernel.epfd }

// TestReadTriesOnceTheUserHadTheDescriptor: with SO_RCVLOWAT the kernel tells nothing of a few bytes, which a Read takes all the
// same when they are there.
func TestReadTriesOnceTheUserHadTheDescriptor(t *testing.T) {
	for name, hand := range map[string]func(c Conn, set func(fd uintptr)){
		"Control": func(c Conn, set func(fd uintptr)) { require.NoError(t, raw(t, c).Control(set)) },
		"Read": func(c Conn, set func(fd uintptr)) {
			require.NoError(t, raw(t, c).Read(func(fd uintptr) bool { set(fd); return true }))
		},
		"Write": func(c Conn, set func(fd uintptr)) {
			require.NoError(t, raw(t, c).Write(func(fd uintptr) bool { set(fd); return true }))
		},
		"File": func(c Conn, set func(fd uintptr)) {
			f, err := c.File()
			require.NoError(t, err)
			require.NoError(t, raw(t, f).Control(set))
			require.NoError(t, f.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := scheduler(t, 1)
			a, b := connected(t, s)
			buf := make([]byte, 10)
			_, err := b.Write(buf[:1])
			require.NoError(t, err)
			_, err = a.Read(buf) // has room for more
			require.NoError(t, err)
			hand(a, func(fd uintptr) {
				require.NoError(t, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, 1000))
			})
			require.NoError(t, a.SetReadDeadline(time.Now().Add(patience.Times(10*time.Second))))
			for range 3 {
				_, err = b.Write(buf[:5])
				require.NoError(t, err)
				testsched.Until(t, func() bool {
					n, _, _ := unix.Recvfrom(a.fd.sysfd, buf, unix.MSG_PEEK|unix.MSG_DONTWAIT)
					return n == 5
				}, "it is there")
				n, err := a.Read(buf)
				require.NoError(t, err)
				require.Equal(t, 5, n)
			}
			require.NoError(t, a.Close())
			require.NoError(t, b.Close())
		})
	}
}

func TestTimeoutMS(t *testing.T) {
	for _, c := range []struct {
		ns   int64
		want int
	}{
		{-1, -1},
		{math.MinInt64, -1},
		{0, 0},
		{1, 1},
		{1e6, 1},
		{1e6 + 1, 2},
		{1e15, 1e9},
		{math.MaxInt64, 1e9},
	} {
		require.Equal(t, c.want, timeoutMS(c.ns), c.ns)
	}
}
