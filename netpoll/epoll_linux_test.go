//go:build !userrt_kqueue

package netpoll

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// registerCall is the system call that registers a descriptor.
const registerCall = "epoll_ctl"

// datagramMallocs is how many objects sending and receiving a datagram costs.
const datagramMallocs = 0

// kernelFD returns the descriptor that p's kernel side is.
func kernelFD(p *poller) int { return p.kernel.epfd }

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
