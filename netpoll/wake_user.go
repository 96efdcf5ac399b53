//go:build darwin || dragonfly || freebsd || (linux && userrt_kqueue && !userrt_wakepipe)

package netpoll

import (
	"os"

	"github.com/userrt/userrt/internal/kqueue"
)

// Waking a poll by an event of one's own, which is no descriptor's.
// The same in Go: runtime/netpoll_kqueue_event.go.

// osWaker is the event of filter User and number 0. With EV_CLEAR it is gone once a wait has returned it.
type osWaker struct{}

func (osWaker) open(kq int) error {
	return os.NewSyscallError("kevent", user(kq, kqueue.Add|kqueue.Clear, 0))
}

func (osWaker) close() error { return nil }

func (osWaker) wake(kq int) {
	if err := user(kq, 0, kqueue.Trigger); err != nil {
		panic("netpoll: kevent: " + err.Error())
	}
}

func (osWaker) empty() {} // EV_CLEAR has

func (w osWaker) leave(kq int) { w.wake(kq) }

// user changes the event. Some systems take over the tag anew with every change.
func user(kq, flags int, fflags uint32) error {
	var ev [1]kqueue.Event
	ev[0].Set(0, kqueue.User, flags, fflags, wakeTag.word())
	return change(kq, ev[:])
}
