//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package kqueue

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// What netpoll takes for granted of kevent. On Linux that is a test of the model, elsewhere one of the system.

// queue makes a kqueue that the test's end closes.
func queue(t *testing.T) int {
	t.Helper()
	kq, err := Open()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, Close(kq)) })
	return kq
}

// sockets returns a connected pair of non-blocking stream sockets.
func sockets(t *testing.T) (a, b int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	require.NoError(t, err)
	for _, fd := range pair {
		require.NoError(t, unix.SetNonblock(fd, true))
	}
	return pair[0], pair[1]
}

// add watches fd's filter.
func add(t *testing.T, kq, fd, filter, flags int, word uintptr) {
	t.Helper()
	require.NoError(t, changeOne(kq, fd, filter, Add|flags, 0, word))
}

func changeOne(kq, ident, filter, flags int, fflags uint32, word uintptr) error {
	var ev [1]Event
	ev[0].Set(ident, filter, flags, fflags, word)
	_, err := Kevent(kq, ev[:], nil, 0)
	return err
}

// event is what the tests look at.
type event struct {
	ident, filter, flags int
	word                 uintptr
}

// poll returns what there is.
func poll(t *testing.T, kq int) []event { return wait(t, kq, 0) }

func wait(t *testing.T, kq int, timeoutNS int64) (got []event) {
	t.Helper()
	var events [16]Event
	n, err := Kevent(kq, nil, events[:], timeoutNS)
	for err == unix.EINTR {
		n, err = Kevent(kq, nil, events[:], timeoutNS)
	}
	require.NoError(t, err)
	for i := range events[:n] {
		e := &events[i]
		got = append(got, event{e.Ident(), e.Filter(), e.Flags() & (EOF | Error), e.Udata()})
	}
	return got
}

func closeAll(t *testing.T, fds ...int) {
	t.Helper()
	for _, fd := range fds {
		require.NoError(t, unix.Close(fd))
	}
}

func writeTo(t *testing.T, fd int, text string) {
	t.Helper()
	n, err := unix.Write(fd, []byte(text))
	require.NoError(t, err)
	require.Equal(t, len(text), n)
}

func TestEvent(t *testing.T) {
	var ev Event
	ev.Set(7, Write, Add|Clear, 3, 1<<30+9)
	require.Equal(t, 7, ev.Ident())
	require.Equal(t, Write, ev.Filter())
	require.Equal(t, Add|Clear, ev.Flags())
	require.EqualValues(t, 1<<30+9, ev.Udata())
	require.Zero(t, ev.Data())
	ev.Set(8, Read, Delete, 0, 0)
	require.Equal(t, Read, ev.Filter())
	require.Zero(t, ev.Udata())
}

func TestClearTellsOnce(t *testing.T) {
	kq := queue(t)
	a, b := sockets(t)
	add(t, kq, a, Read, Clear, 11)
	require.Empty(t, poll(t, kq))
	writeTo(t, b, "x")
	require.Equal(t, []event{{a, Read, 0, 11}}, wait(t, kq, -1))
	require.Empty(t, poll(t, kq), "the byte is still there")
	writeTo(t, b, "y")
	require.Equal(t, []event{{a, Read, 0, 11}}, poll(t, kq))
	_, err := unix.Read(a, make([]byte, 8))
	require.NoError(t, err)
	require.Empty(t, poll(t, kq))
	writeTo(t, b, "z")
	_, err = unix.Read(a, make([]byte, 8))
	require.NoError(t, err)
	require.Empty(t, poll(t, kq), "nothing is left to tell of")
	closeAll(t, a, b)
}

func TestWithoutClearTellsAsLongAsItIs(t *testing.T) {
	kq := queue(t)
	a, b := sockets(t)
	add(t, kq, a, Read, 0, 1)
	writeTo(t, b, "x")
	for range 3 {
		require.Len(t, poll(t, kq), 1)
	}
	_, err := unix.Read(a, make([]byte, 8))
	require.NoError(t, err)
	require.Empty(t, poll(t, kq))
	closeAll(t, a, b)
}

// Each filter is told of alone.
func TestFiltersAreTwo(t *testing.T) {
	kq := queue(t)
	a, b := sockets(t)
	add(t, kq, a, Write, Clear, 2)
	require.Equal(t, []event{{a, Write, 0, 2}}, poll(t, kq))
	add(t, kq, a, Read, Clear, 1)
	require.Empty(t, poll(t, kq))
	writeTo(t, b, "x")
	require.Equal(t, []event{{a, Read, 0, 1}}, poll(t, kq))
	closeAll(t, a, b)
}

// A writer that ran into a full buffer is told when there is room.
func TestWriteAfterFull(t *testing.T) {
	kq := queue(t)
	a, b := sockets(t)
	add(t, kq, a, Write, Clear, 2)
	require.Len(t, poll(t, kq), 1)
	buf := make([]byte, 1<<16)
	for {
		if _, err := unix.Write(a, buf); err != nil {
			require.Equal(t, unix.EAGAIN, err)
			break
		}
	}
	require.Empty(t, poll(t, kq))
	for {
		if _, err := unix.Read(b, buf); err != nil {
			require.Equal(t, unix.EAGAIN, err)
			break
		}
	}
	got := poll(t, kq)
	require.NotEmpty(t, got)
	require.Equal(t, event{a, Write, 0, 2}, got[0])
	closeAll(t, a, b)
}

func TestEOF(t *testing.T) {
	kq := queue(t)
	a, b := sockets(t)
	add(t, kq, a, Read, Clear, 1)
	writeTo(t, b, "x")
	require.NoError(t, unix.Shutdown(b, unix.SHUT_WR))
	require.Equal(t, []event{{a, Read, EOF, 1}}, poll(t, kq), "with the data")
	add(t, kq, a, Write, Clear, 2)
	require.Equal(t, []event{{a, Write, 0, 2}}, poll(t, kq), "the other direction goes on")
	require.NoError(t, unix.Close(b))
	require.Contains(t, poll(t, kq), event{a, Write, EOF, 2})
	require.NoError(t, unix.Close(a))
}

func TestSeveralEventsACall(t *testing.T) {
	kq := queue(t)
	var fds []int
	want := map[event]bool{}
	for i := range 5 {
		a, b := sockets(t)
		add(t, kq, a, Read, Clear, uintptr(i))
		add(t, kq, a, Write, Clear, uintptr(i))
		writeTo(t, b, "x")
		want[event{a, Read, 0, uintptr(i)}] = true
		want[event{a, Write, 0, uintptr(i)}] = true
		fds = append(fds, a, b)
	}
	got := poll(t, kq)
	require.Len(t, got, 10)
	for _, e := range got {
		require.True(t, want[e], e)
		delete(want, e)
	}
	closeAll(t, fds...)
}

// What there is no room for comes with the next call, and each once.
func TestNoMoreEventsThanRoom(t *testing.T) {
	kq := queue(t)
	var fds []int
	for i := range 5 {
		a, b := sockets(t)
		add(t, kq, a, Read, Clear, uintptr(i))
		add(t, kq, a, Write, Clear, uintptr(i))
		writeTo(t, b, "x")
		fds = append(fds, a, b)
	}
	seen := map[event]bool{}
	for range 5 {
		var events [2]Event
		n, err := Kevent(kq, nil, events[:], 0)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		for i := range events {
			seen[event{events[i].Ident(), events[i].Filter(), 0, events[i].Udata()}] = true
		}
	}
	require.Len(t, seen, 10)
	require.Empty(t, poll(t, kq))
	closeAll(t, fds...)
}

func TestErrors(t *testing.T) {
	kq := queue(t)
	a, b := sockets(t)
	const none = 1 << 20 // no such descriptor
	require.Equal(t, unix.EBADF, changeOne(kq, none, Read, Add, 0, 0))
	require.Equal(t, unix.ENOENT, changeOne(kq, a, Read, Delete, 0, 0))
	require.Equal(t, unix.EINVAL, changeOne(kq, a, 12345, Add, 0, 0))
	_, err := Kevent(none, nil, make([]Event, 1), 0)
	require.Equal(t, unix.EBADF, err)

	// With room it becomes an event, and the others are applied.
	var changes [3]Event
	changes[0].Set(none, Read, Add, 0, 1)
	changes[1].Set(a, Read, Add|Clear, 0, 2)
	changes[2].Set(b, Read, Delete, 0, 3)
	var events [4]Event
	n, err := Kevent(kq, changes[:], events[:], 0)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	for i, want := range []unix.Errno{unix.EBADF, unix.ENOENT} {
		require.NotZero(t, events[i].Flags()&Error)
		require.EqualValues(t, want, events[i].Data())
		require.Equal(t, changes[2*i].Ident(), events[i].Ident())
	}
	writeTo(t, b, "x")
	require.Equal(t, []event{{a, Read, 0, 2}}, poll(t, kq))

	// Without, it ends the call; what came before it holds.
	changes[0].Set(b, Read, Add|Clear, 0, 4)
	changes[1].Set(none, Read, Add, 0, 5)
	changes[2].Set(b, Write, Add|Clear, 0, 6)
	_, err = Kevent(kq, changes[:], nil, 0)
	require.Equal(t, unix.EBADF, err)
	writeTo(t, a, "x")
	require.Equal(t, []event{{b, Read, 0, 4}}, poll(t, kq))
	closeAll(t, a, b)
}

func TestDelete(t *testing.T) {
	kq := queue(t)
	a, b := sockets(t)
	add(t, kq, a, Read, Clear, 1)
	add(t, kq, a, Write, Clear, 2)
	writeTo(t, b, "x")
	require.NoError(t, changeOne(kq, a, Read, Delete, 0, 0))
	require.Equal(t, []event{{a, Write, 0, 2}}, poll(t, kq))
	require.Equal(t, unix.ENOENT, changeOne(kq, a, Read, Delete, 0, 0))
	closeAll(t, a, b)
}

// Adding again changes the note, its word too, and tells anew.
func TestAddAgain(t *testing.T) {
	kq := queue(t)
	a, b := sockets(t)
	add(t, kq, a, Write, Clear, 1)
	add(t, kq, a, Write, Clear, 2)
	require.Equal(t, []event{{a, Write, 0, 2}}, poll(t, kq))
	add(t, kq, a, Write, Clear, 3)
	require.Equal(t, []event{{a, Write, 0, 3}}, poll(t, kq))
	closeAll(t, a, b)
}

// A note ends with its descriptor, not with the file behind it, and its successor is another.
func TestCloseEndsNotes(t *testing.T) {
	kq := queue(t)
	a, b := sockets(t)
	add(t, kq, a, Read, Clear, 1)
	dup, err := unix.Dup(a)
	require.NoError(t, err)
	writeTo(t, b, "x") // told, but not taken
	require.NoError(t, unix.Close(a))
	writeTo(t, b, "y")
	require.Empty(t, poll(t, kq))

	c, d := sockets(t)
	require.Equal(t, a, c, "the number is used again")
	writeTo(t, b, "z")
	require.Empty(t, poll(t, kq))
	require.Equal(t, unix.ENOENT, changeOne(kq, c, Read, Delete, 0, 0))
	add(t, kq, c, Read, Clear, 2)
	writeTo(t, b, "z")
	require.Empty(t, poll(t, kq))
	writeTo(t, d, "x")
	require.Equal(t, []event{{c, Read, 0, 2}}, poll(t, kq))
	closeAll(t, b, c, d, dup)
}

func TestPipe(t *testing.T) {
	kq := queue(t)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	rfd, wfd := int(r.Fd()), int(w.Fd())
	add(t, kq, rfd, Read, 0, 1)
	require.Empty(t, poll(t, kq))
	writeTo(t, wfd, "x")
	require.Equal(t, []event{{rfd, Read, 0, 1}}, poll(t, kq))
	require.NoError(t, r.Close())
	require.Empty(t, poll(t, kq))
	require.Equal(t, unix.EPIPE, changeOne(kq, wfd, Write, Add|Clear, 0, 2))
	require.NoError(t, w.Close())
}

func TestTimeout(t *testing.T) {
	kq := queue(t)
	require.Empty(t, wait(t, kq, 0))
	require.Empty(t, wait(t, kq, 1))
	require.Empty(t, wait(t, kq, 2e6))
}

// A wait under way hears of what comes and of what is added.
func TestWaitUnderWay(t *testing.T) {
	kq := queue(t)
	a, b := sockets(t)
	add(t, kq, a, Read, Clear, 1)
	for range 200 {
		done := make(chan []event)
		go func() { done <- wait(t, kq, -1) }()
		writeTo(t, b, "x")
		require.Equal(t, []event{{a, Read, 0, 1}}, <-done)
		go func() { done <- wait(t, kq, -1) }()
		add(t, kq, a, Write, Clear, 2)
		require.Equal(t, []event{{a, Write, 0, 2}}, <-done)
		require.NoError(t, changeOne(kq, a, Write, Delete, 0, 0))
	}
	closeAll(t, a, b)
}
