//go:build darwin || dragonfly || freebsd || netbsd || openbsd || (linux && userrt_kqueue)

package netpoll

import (
	"math"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/kqueue"
)

// kqueue: the kernel's side of the poller. System calls only, no policy; it has epoll_linux.go's calls.
// The same in Go: runtime/netpoll_kqueue.go.
//
// On Linux, with the tag userrt_kqueue, the same file runs on a model of kevent (internal/kqueue).

// osPoller is a kqueue and what wakes it.
//
// wakeSig is 1 from the wake that made the waker's event to the drain that took it, so that many wakes
// cost one system call.
type osPoller struct {
	kq      int
	waker   osWaker // wake_user.go, wake_pipe.go
	wakeSig atom.Uint32
}

// osEvent is an event as the kernel writes it.
type osEvent = kqueue.Event

// An event carries its tag in the word that the kernel keeps for us, the index above the seq. Where a word has 32 bits
// there are 8 for the seq: one event in 256 that come too late costs a look in vain (pollDesc).
const (
	seqBits = 8 + 24*(unsafe.Sizeof(uintptr(0))/8)
	maxSeq  = 1<<seqBits - 1
)

func (t tag) word() uintptr { return uintptr(t.index)<<seqBits | uintptr(t.seq) }

// wakeTag marks the waker's events; no pollDesc has that index.
var wakeTag = tag{index: math.MaxUint32 >> (32 - (8*unsafe.Sizeof(uintptr(0)) - seqBits))}

// open makes the kqueue. Errors are *os.SyscallError.
func (k *osPoller) open() error {
	kq, err := kqueue.Open()
	if err != nil {
		return os.NewSyscallError("kqueue", err)
	}
	k.kq = kq
	if err := k.waker.open(kq); err != nil {
		_ = kqueue.Close(kq)
		return err
	}
	return nil
}

func (k *osPoller) close() error {
	err := k.waker.close()
	if err2 := kqueue.Close(k.kq); err == nil {
		err = err2
	}
	return os.NewSyscallError("close", err)
}

// add registers sysfd for both directions, edge-triggered: an event comes each time that it becomes
// ready, and one at once if it already is.
func (k *osPoller) add(sysfd int, t tag) error {
	var filters [2]kqueue.Event
	filters[0].Set(sysfd, kqueue.Read, kqueue.Add|kqueue.Clear, 0, t.word())
	filters[1].Set(sysfd, kqueue.Write, kqueue.Add|kqueue.Clear, 0, t.word())
	err := change(k.kq, filters[:])
	if err == unix.EPIPE {
		return nil // a pipe that has lost its reader can't be watched for writing, nor need it: a write says so at once
	}
	if err != nil {
		filters[0].Set(sysfd, kqueue.Read, kqueue.Delete, 0, 0)
		_ = change(k.kq, filters[:1]) // it may be the one that failed
	}
	return os.NewSyscallError("kevent", err)
}

// remove has nothing to do: closing sysfd, which comes next, ends its registration in whatever process
// else it is open, for that is one of the descriptor and not of the file behind it.
func (k *osPoller) remove(int) {}

// change applies changes, in order, and returns what went wrong with the first that could not be. It takes no event out.
func change(kq int, changes []kqueue.Event) error {
	for {
		_, err := kqueue.Kevent(kq, changes, nil, 0)
		if err != unix.EINTR { // done already, but doing it again does no harm
			return err
		}
	}
}

// wait writes the events that have come to events and returns their number: at once with delayNS 0, after
// at most so many ns with a positive one, and with a negative one only when there is one.
func (k *osPoller) wait(events []osEvent, delayNS int64) int {
	for {
		n, err := kqueue.Kevent(k.kq, nil, events, delayNS)
		switch err {
		case nil:
			return n
		case unix.EINTR, unix.ETIMEDOUT: // the second has been seen where none was set
		default:
			panic("netpoll: kevent: " + err.Error())
		}
		if delayNS >= 0 {
			return 0
		}
	}
}

// decode says whom the event is for, in which directions it may go on, and whether there is an end or a
// fault. These concern both directions, though kqueue tells of some in one only, as of a pipe's lost reader to who
// would read: the system call that is then tried tells what it is.
func decode(ev *osEvent) (t tag, readable, writable, special bool) {
	word := ev.Udata()
	t = tag{index: uint32(word >> seqBits), seq: uint32(word & maxSeq)}
	special = ev.Flags()&(kqueue.EOF|kqueue.Error) != 0
	return t, special || ev.Filter() != kqueue.Write, special || ev.Filter() == kqueue.Write, special
}

// wake makes a wait that blocks return. It never blocks.
func (k *osPoller) wake() {
	if k.wakeSig.CompareAndSwap(0, 1) {
		k.waker.wake(k.kq)
	}
}

// drain takes a wake back; whoever calls it has returned from wait and will not block again without
// having looked round. Order: empty first, then the flag; the other way about, a wake between the two
// would be emptied away and leave the flag up for ever.
func (k *osPoller) drain() {
	k.waker.empty()
	k.wakeSig.Store(0)
}

// leave leaves a wake, which the caller's wait has returned, to the one that blocks.
func (k *osPoller) leave() { k.waker.leave(k.kq) }
