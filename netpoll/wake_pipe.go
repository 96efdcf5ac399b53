//go:build netbsd || openbsd || (linux && userrt_kqueue && userrt_wakepipe)

package netpoll

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/kqueue"
)

// Waking a poll by a pipe, where x/sys knows no events of one's own.
// The same in Go: runtime/netpoll_kqueue_pipe.go.

// osWaker is a pipe whose one end is registered level-triggered: a poll that does not block sees it and
// leaves it for the one that does.
type osWaker struct{ r, w int }

func (p *osWaker) open(kq int) error {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		return os.NewSyscallError("pipe2", err)
	}
	p.r, p.w = ends[0], ends[1]
	var ev [1]kqueue.Event
	ev[0].Set(p.r, kqueue.Read, kqueue.Add, 0, wakeTag.word())
	if err := change(kq, ev[:]); err != nil {
		_ = p.close()
		return os.NewSyscallError("kevent", err)
	}
	return nil
}

func (p *osWaker) close() error {
	err := unix.Close(p.r)
	if err2 := unix.Close(p.w); err == nil {
		err = err2
	}
	return err
}

func (p *osWaker) wake(int) {
	one := [1]byte{1}
	for {
		_, err := unix.Write(p.w, one[:])
		switch err {
		case nil, unix.EAGAIN: // EAGAIN: it is full, hence readable
			return
		case unix.EINTR:
		default:
			panic("netpoll: pipe: " + err.Error())
		}
	}
}

func (p *osWaker) empty() {
	var buf [16]byte              // there is one byte
	_, _ = unix.Read(p.r, buf[:]) // EAGAIN: somebody else has
}

func (p *osWaker) leave(int) {}
