//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
)

// Writing many buffers by one system call. The same in Go: internal/poll/writev.go, Writev.

// vecMax is how many buffers go into one call; the kernel takes up to 1024.
const vecMax = 64

// writev writes all of bufs and changes nothing of it. n counts as in write.
func (f *pollFD) writev(bufs [][]byte) (n int64, err error) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if err := f.lock(writing); err != nil {
		return 0, err
	}
	defer f.unlock(writing)
	if err := f.pd.prepare(&f.pd.w); err != nil {
		return 0, err
	}
	at := vecPos{bufs: bufs}
	for {
		m, done, errno := at.step(f.sysfd)
		if errno != 0 {
			if err := f.retry("writev", errno, &f.pd.w); err != nil {
				return n, err
			}
			continue
		}
		n += int64(m)
		if done {
			giveWay()
			return n, nil
		}
	}
}

// vecPos is how far a writev has come: bufs[0][off:] is next.
type vecPos struct {
	bufs [][]byte
	off  int
}

// step makes one attempt; done says that nothing is left but empty buffers. To the race detector it is the caller who
// looks at the buffers.
func (v *vecPos) step(sysfd int) (n int, done bool, errno unix.Errno) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	n, errno = v.send(sysfd)
	if errno == 0 {
		v.advance(n)
	}
	return n, len(v.bufs) == 0, errno
}

// advance goes on by n bytes, and over empty buffers.
func (v *vecPos) advance(n int) {
	v.off += n
	for len(v.bufs) > 0 && v.off >= len(v.bufs[0]) {
		v.off -= len(v.bufs[0])
		v.bufs = v.bufs[1:]
	}
}

// send makes one attempt, of at most vecMax buffers and rawMax bytes.
func (v *vecPos) send(sysfd int) (int, unix.Errno) {
	var iov [vecMax]unix.Iovec
	n, room, off := 0, rawMax, v.off
	for _, b := range v.bufs {
		b = b[off:]
		off = 0
		if len(b) == 0 {
			continue
		}
		b = b[:min(len(b), room)]
		raceSending(b)
		iov[n].Base = &b[0]
		iov[n].SetLen(len(b))
		room -= len(b)
		if n++; n == vecMax || room == 0 {
			break
		}
	}
	if n == 0 {
		return 0, 0
	}
	return sendVec(sysfd, iov[:n])
}

// consume takes the first n bytes out of v, and what is then empty, as package net does.
func consume(v *net.Buffers, n int64) {
	for len(*v) > 0 {
		b := (*v)[0]
		if int64(len(b)) > n {
			(*v)[0] = b[n:]
			return
		}
		n -= int64(len(b))
		(*v)[0] = nil
		*v = (*v)[1:]
	}
}
