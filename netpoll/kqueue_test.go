//go:build darwin || dragonfly || freebsd || netbsd || openbsd || (linux && userrt_kqueue)

package netpoll

import (
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/kqueue"
	"github.com/userrt/userrt/sched"
)

// registerCall is the system call that registers a descriptor.
const registerCall = "kevent"

// datagramMallocs is how many objects sending and receiving a datagram costs: the addresses, in x/sys's form.
const datagramMallocs = 3

// kernelFD returns the descriptor that p's kernel side is.
func kernelFD(p *poller) int { return p.kernel.kq }

func TestTagInWord(t *testing.T) {
	large := uint32(math.MaxUint32 >> 8)
	if unsafe.Sizeof(uintptr(0)) == 8 {
		large = math.MaxUint32
	}
	for _, want := range []tag{{0, 0}, {0, 1}, {1, 0}, {5, maxSeq}, {large, maxSeq}, {large, 0}, wakeTag} {
		var ev osEvent
		ev.Set(3, kqueue.Read, 0, 0, want.word())
		got, _, _, _ := decode(&ev)
		require.Equal(t, want, got)
	}
	require.Equal(t, large, wakeTag.index)
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		filter, flags               int
		readable, writable, special bool
	}{
		{kqueue.Read, kqueue.Clear, true, false, false},
		{kqueue.Write, kqueue.Clear, false, true, false},
		{kqueue.Read, kqueue.EOF, true, true, true},
		{kqueue.Write, kqueue.EOF, true, true, true},
		{kqueue.Read, kqueue.Error, true, true, true},
	} {
		var ev osEvent
		ev.Set(3, c.filter, c.flags, 0, tag{9, 4}.word())
		got, readable, writable, special := decode(&ev)
		require.Equal(t, tag{9, 4}, got)
		require.Equal(t, []bool{c.readable, c.writable, c.special}, []bool{readable, writable, special}, c)
	}
}

// After so many owners of a pollDesc as an event can tell apart, the count begins again.
func TestSeqWraps(t *testing.T) {
	p, a, b := lonePoller(t)
	pd, err := p.register(a)
	require.NoError(t, err)
	p.unregister(pd, a)
	pd.seq.Store(maxSeq - 1)
	var list sched.GList
	for _, want := range []uint32{maxSeq - 1, maxSeq, 0, 1} {
		again, err := p.register(a)
		require.NoError(t, err)
		require.Same(t, pd, again)
		require.Equal(t, want, pd.seq.Load())
		p.Poll(0, &list)
		require.True(t, pd.w.g.Load() == ready, "its event is known")
		p.unregister(pd, a)
	}
	require.NoError(t, unix.Close(a))
	require.NoError(t, unix.Close(b))
	require.NoError(t, p.Close())
}

// A pipe without reader can't be watched for writing; that is no reason not to take it.
func TestRegisterBrokenPipe(t *testing.T) {
	p, a, b := lonePoller(t)
	var ends [2]int
	require.NoError(t, unix.Pipe(ends[:]))
	require.NoError(t, unix.SetNonblock(ends[1], true))
	require.NoError(t, unix.Close(ends[0]))
	pd, err := p.register(ends[1])
	require.NoError(t, err)
	_, errno := sysWrite(ends[1], []byte("x"))
	require.Equal(t, unix.EPIPE, errno)
	p.unregister(pd, ends[1])
	for _, fd := range []int{ends[1], a, b} {
		require.NoError(t, unix.Close(fd))
	}
	require.NoError(t, p.Close())
}
