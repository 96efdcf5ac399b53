package kqueue

import (
	"encoding/binary"
	"sync"

	"golang.org/x/sys/unix"
)

// A model of kevent(2) over epoll(7).
//
//	kqueue = epoll +-- epoll: notes of filter Read
//	               +-- epoll: notes of filter Write
//	               +-- eventfd: readable while a User event is active
//
// Two inner instances, because epoll has one registration a descriptor and would tell of both directions whenever
// something happens in one; kqueue has a note for each filter and tells of it alone.
//
// It has: Read and Write of sockets, pipes and the like, with Clear (an event for each time that it becomes ready) and
// without (as long as it is); EOF on each filter that it ends; several events a call, and no more than there is room
// for; User with Trigger; notes that are changed by adding them again, word included; notes that end when
// their descriptor is closed, though the file behind it is open elsewhere; a change that fails told by
// an Error among the events if there is room, else by an errno, with the changes before it applied; EPIPE for who wants
// to write to a pipe without reader.
//
// It leaves out: other filters; the flags to disable a note, to use it once, and to force receipts (EINVAL); Data and
// fflags of readiness, which are 0. A wait that has a time-out may end early with nothing. A descriptor closed and
// reused is told from its successor by its inode, so not among eventfds and others that share one. A note without Clear
// whose descriptor was closed while it was ready, and whose file is open elsewhere, keeps waits from sleeping.
type model struct {
	outer int    // its number is the kqueue's
	inner [2]int // for the filters Read and Write
	bell  int

	mu    sync.Mutex
	notes map[noteKey]*note
	users map[int]*user
	rung  bool // bell is readable
	made  uint32
	turn  int // which filter's events are taken out first
}

type noteKey struct{ fd, filter int }

// note is what is watched of a descriptor.
type note struct {
	id    uint32 // tells it from earlier ones of the same key
	file  file   // that was behind the descriptor
	flags int
	word  uintptr
}

// user is an event of the program's own.
type user struct {
	word             uintptr
	clear, triggered bool
}

// file names a file whatever its descriptors.
type file struct{ dev, ino uint64 }

var models struct {
	mu sync.RWMutex
	of map[int]*model
}

// Open makes a kqueue, which child processes do not get. Errors are bare errnos, as everywhere here.
func Open() (kq int, err error) {
	m := &model{outer: -1, inner: [2]int{-1, -1}, bell: -1, notes: map[noteKey]*note{}, users: map[int]*user{}}
	if err := m.open(); err != nil {
		m.close()
		return 0, err
	}
	models.mu.Lock()
	defer models.mu.Unlock()
	if models.of == nil {
		models.of = map[int]*model{}
	}
	models.of[m.outer] = m
	return m.outer, nil
}

func (m *model) open() (err error) {
	for _, fd := range []*int{&m.outer, &m.inner[0], &m.inner[1]} {
		if *fd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
			return err
		}
	}
	if m.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return err
	}
	for _, fd := range []int{m.inner[0], m.inner[1], m.bell} {
		if err := unix.EpollCtl(m.outer, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN}); err != nil {
			return err
		}
	}
	return nil
}

// close closes what open has opened; its result is that of the kqueue itself.
func (m *model) close() error {
	for _, fd := range []int{m.bell, m.inner[0], m.inner[1]} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	if m.outer < 0 {
		return unix.EBADF
	}
	return unix.Close(m.outer)
}

// Close ends a kqueue. Nobody may be in Kevent.
func Close(kq int) error {
	models.mu.Lock()
	m := models.of[kq]
	delete(models.of, kq)
	models.mu.Unlock()
	if m == nil {
		return unix.EBADF
	}
	return m.close()
}

// Kevent applies changes, then writes events that have come to events and returns how many. If none has, it waits for
// timeoutNS, with a negative one for ever. Without room for events it only applies the changes.
func Kevent(kq int, changes, events []Event, timeoutNS int64) (n int, err error) {
	models.mu.RLock()
	m := models.of[kq]
	models.mu.RUnlock()
	if m == nil {
		return 0, unix.EBADF
	}
	n, err = m.applyAll(changes, events)
	if n > 0 || err != nil || len(events) == 0 {
		return n, err
	}
	for {
		if n := m.collect(events); n > 0 || timeoutNS == 0 {
			return n, nil
		}
		var some [1]unix.EpollEvent
		if _, err := unix.EpollWait(m.outer, some[:], timeoutMS(timeoutNS)); err != nil {
			return 0, err
		}
		if timeoutNS > 0 {
			timeoutNS = 0
		}
	}
}

// timeoutMS rounds up to epoll's unit.
func timeoutMS(ns int64) int {
	if ns < 0 {
		return -1
	}
	return int(min((ns+1e6-1)/1e6, 1e9))
}

// applyAll applies changes and returns how many it has told in events that they failed.
func (m *model) applyAll(changes, events []Event) (n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range changes {
		err := m.apply(c)
		switch {
		case err == nil:
		case n == len(events):
			return n, err
		default:
			errno, _ := err.(unix.Errno)
			c.flags, c.data = Error, int64(errno)
			events[n] = c
			n++
		}
	}
	return n, nil
}

// apply applies one change; mu is held.
func (m *model) apply(c Event) error {
	switch c.filter {
	case Read, Write:
		return m.applyNote(c)
	case User:
		return m.applyUser(c)
	}
	return unix.EINVAL
}

func (m *model) applyNote(c Event) error {
	key := noteKey{c.ident, c.filter}
	f, err := fileOf(c.ident)
	if err != nil {
		return err
	}
	old := m.notes[key]
	if old != nil && old.file != f { // that of a descriptor which has been closed meanwhile
		old = nil
	}
	switch {
	case c.flags&^(Add|Delete|Clear) != 0:
		return unix.EINVAL
	case c.flags&Delete != 0:
		if old == nil {
			return unix.ENOENT
		}
		delete(m.notes, key)
		return unix.EpollCtl(m.side(c.filter), unix.EPOLL_CTL_DEL, c.ident, new(unix.EpollEvent))
	case c.flags&Add == 0 && old == nil:
		return unix.ENOENT
	case c.filter == Write && brokenPipe(c.ident):
		return unix.EPIPE
	}
	m.made++
	n := &note{id: m.made, file: f, flags: c.flags, word: c.udata}
	ev := unix.EpollEvent{Events: interest(c.filter, c.flags), Fd: int32(c.ident), Pad: int32(n.id)}
	err = unix.EpollCtl(m.side(c.filter), unix.EPOLL_CTL_ADD, c.ident, &ev)
	if err == unix.EEXIST {
		err = unix.EpollCtl(m.side(c.filter), unix.EPOLL_CTL_MOD, c.ident, &ev)
	}
	if err == nil {
		m.notes[key] = n
	}
	return err
}

// side returns filter's epoll.
func (m *model) side(filter int) int { return m.inner[-1-filter] }

// interest returns what epoll is to tell of.
func interest(filter, flags int) uint32 {
	events := uint32(unix.EPOLLOUT)
	if filter == Read {
		events = unix.EPOLLIN | unix.EPOLLRDHUP
	}
	if flags&Clear != 0 {
		events |= unix.EPOLLET
	}
	return events
}

// brokenPipe reports whether fd is a pipe's end for writing and nobody has the other.
func brokenPipe(fd int) bool {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return false
	}
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	_, err := unix.Poll(p, 0)
	return err == nil && p[0].Revents&unix.POLLERR != 0
}

func fileOf(fd int) (file, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return file{}, err
	}
	return file{uint64(st.Dev), st.Ino}, nil
}

func (m *model) applyUser(c Event) error {
	u := m.users[c.ident]
	switch {
	case c.flags&^(Add|Delete|Clear) != 0:
		return unix.EINVAL
	case u == nil && c.flags&Add == 0:
		return unix.ENOENT
	case c.flags&Delete != 0:
		delete(m.users, c.ident)
		m.ring()
		return nil
	case u == nil:
		u = &user{clear: c.flags&Clear != 0}
		m.users[c.ident] = u
	}
	u.word = c.udata
	u.triggered = u.triggered || c.fflags&Trigger != 0
	m.ring()
	return nil
}

// ring makes bell readable exactly while a User event is active; mu is held.
func (m *model) ring() {
	active := false
	for _, u := range m.users {
		active = active || u.triggered
	}
	if active == m.rung {
		return
	}
	m.rung = active
	var buf [8]byte
	if active {
		binary.NativeEndian.PutUint64(buf[:], 1)
		_, _ = unix.Write(m.bell, buf[:])
	} else {
		_, _ = unix.Read(m.bell, buf[:])
	}
}

// collect takes events out, without waiting.
func (m *model) collect(events []Event) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn++
	for i := range 3 {
		if n == len(events) {
			break // the others come first next time
		}
		switch (m.turn + i) % 3 {
		case 0:
			n += m.collectNotes(Read, events[n:])
		case 1:
			n += m.collectNotes(Write, events[n:])
		case 2:
			n += m.collectUsers(events[n:])
		}
	}
	return n
}

func (m *model) collectNotes(filter int, events []Event) (n int) {
	var buf [64]unix.EpollEvent
	got, err := unix.EpollWait(m.side(filter), buf[:min(len(buf), len(events))], 0)
	if err != nil {
		return 0 // EINTR; it is all still there
	}
	for _, ev := range buf[:got] {
		key := noteKey{int(ev.Fd), filter}
		note := m.notes[key]
		if note == nil || note.id != uint32(ev.Pad) {
			continue
		}
		if f, err := fileOf(key.fd); err != nil || f != note.file {
			delete(m.notes, key) // the descriptor has been closed
			continue
		}
		events[n] = Event{ident: key.fd, filter: filter, flags: note.flags &^ Add, udata: note.word}
		if ev.Events&(unix.EPOLLHUP|unix.EPOLLERR|unix.EPOLLRDHUP) != 0 {
			events[n].flags |= EOF
		}
		n++
	}
	return n
}

func (m *model) collectUsers(events []Event) (n int) {
	for ident, u := range m.users {
		if !u.triggered || n == len(events) {
			continue
		}
		events[n] = Event{ident: ident, filter: User, udata: u.word}
		n++
		u.triggered = !u.clear
	}
	m.ring()
	return n
}
