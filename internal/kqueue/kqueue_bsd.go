//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package kqueue

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// kevent(2) itself. The same in Go: runtime/netpoll_kqueue.go; its types: runtime/defs_freebsd.go and its like.

// Filters: what is watched of a descriptor.
const (
	Read  = unix.EVFILT_READ  // it can be read, or accepted from
	Write = unix.EVFILT_WRITE // it can be written
)

// Flags of a change: add or change, remove, and one event for each time that it becomes ready.
const (
	Add    = unix.EV_ADD
	Delete = unix.EV_DELETE
	Clear  = unix.EV_CLEAR
)

// Flags of an event: nothing more will come; a change has failed, with the errno in Data.
const (
	EOF   = unix.EV_EOF
	Error = unix.EV_ERROR
)

// Event is a change to what is watched, or an event. It has unix.Kevent_t's layout, but without a pointer in it: the
// collector would take the word that we keep there for one.
type Event struct {
	words [unsafe.Sizeof(unix.Kevent_t{}) / unsafe.Sizeof(uintptr(0))]uintptr
}

// If words could be shorter than a Kevent_t, this would not compile.
var _ [0]struct{} = [unsafe.Sizeof(unix.Kevent_t{}) - unsafe.Sizeof(Event{})]struct{}{}

func (e *Event) kevent() *unix.Kevent_t { return (*unix.Kevent_t)(unsafe.Pointer(e)) }

// Set makes e a change: of ident's filter, which is a descriptor but for the filter User. The kernel returns word with
// each event.
func (e *Event) Set(ident, filter, flags int, fflags uint32, word uintptr) {
	*e = Event{}
	k := e.kevent()
	unix.SetKevent(k, ident, filter, flags)
	k.Fflags = fflags
	*(*uintptr)(unsafe.Pointer(&k.Udata)) = word
}

// Ident returns the descriptor, or the number of a User event.
func (e *Event) Ident() int { return int(e.kevent().Ident) }

// Filter returns which filter it is that has become ready.
func (e *Event) Filter() int { return int(e.kevent().Filter) }

// Flags returns EOF and Error, among others.
func (e *Event) Flags() int { return int(e.kevent().Flags) }

// Data returns the number of bytes or connections that wait, or an errno.
func (e *Event) Data() int64 { return int64(e.kevent().Data) }

// Udata returns the word that was given to Set.
func (e *Event) Udata() uintptr { return *(*uintptr)(unsafe.Pointer(&e.kevent().Udata)) }

// Open makes a kqueue, which child processes do not get. Errors are bare errnos, as everywhere here.
func Open() (kq int, err error) {
	kq, err = unix.Kqueue()
	if err != nil {
		return 0, err
	}
	unix.CloseOnExec(kq) // a forked child has not got it in any case
	return kq, nil
}

// Close ends a kqueue.
func Close(kq int) error { return unix.Close(kq) }

// maxWaitNS is how long a wait may last; darwin refuses much longer ones.
const maxWaitNS = 1e6 * 1e9

// Kevent applies changes, then writes events that have come to events and returns how many. If none has, it waits for
// timeoutNS, with a negative one for ever. Without room for events it only applies the changes.
func Kevent(kq int, changes, events []Event, timeoutNS int64) (n int, err error) {
	var timeout *unix.Timespec
	if timeoutNS >= 0 {
		ts := unix.NsecToTimespec(min(timeoutNS, maxWaitNS))
		timeout = &ts
	}
	return unix.Kevent(kq, kevents(changes), kevents(events), timeout)
}

func kevents(events []Event) []unix.Kevent_t {
	return unsafe.Slice((*unix.Kevent_t)(unsafe.Pointer(unsafe.SliceData(events))), len(events))
}
