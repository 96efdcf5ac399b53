package kqueue

// The model's events, with FreeBSD's numbers.

// Filters: what is watched of a descriptor.
const (
	Read  = -1 // it can be read, or accepted from
	Write = -2 // it can be written
)

// User is the filter of events that are nobody's but the program's, and Trigger the fflag of a change that makes one.
const (
	User    = -11
	Trigger = 0x01000000
)

// Flags of a change: add or change, remove, and one event for each time that it becomes ready.
const (
	Add    = 0x1
	Delete = 0x2
	Clear  = 0x20
)

// Flags of an event: nothing more will come; a change has failed, with the errno in Data.
const (
	EOF   = 0x8000
	Error = 0x4000
)

// Event is a change to what is watched, or an event.
type Event struct {
	ident, filter, flags int
	fflags               uint32
	data                 int64
	udata                uintptr
}

// Set makes e a change: of ident's filter, which is a descriptor but for the filter User. The kernel returns word with
// each event.
func (e *Event) Set(ident, filter, flags int, fflags uint32, word uintptr) {
	*e = Event{ident: ident, filter: filter, flags: flags, fflags: fflags, udata: word}
}

// Ident returns the descriptor, or the number of a User event.
func (e *Event) Ident() int { return e.ident }

// Filter returns which filter it is that has become ready.
func (e *Event) Filter() int { return e.filter }

// Flags returns EOF and Error, among others.
func (e *Event) Flags() int { return e.flags }

// Data returns an errno where Flags has Error.
func (e *Event) Data() int64 { return e.data }

// Udata returns the word that was given to Set.
func (e *Event) Udata() uintptr { return e.udata }
