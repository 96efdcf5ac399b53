// requester's tries, one by one, over a pair of sockets.

package main

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// newTry returns a requester with an 8-byte question, and the two ends of a connection; the test calls try itself.
func newTry(t *testing.T) (r *requester, client uintptr, server int) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(ends[0]) })
	return &requester{sent: []byte("question"), got: make([]byte, 8)}, uintptr(ends[0]), ends[1]
}

// TestRequesterTakesAnswerInPieces: each try takes what is there, and the last byte ends it.
func TestRequesterTakesAnswerInPieces(t *testing.T) {
	r, client, server := newTry(t)
	defer unix.Close(server)
	require.False(t, r.try(client))
	asked := make([]byte, 16)
	n, err := unix.Read(server, asked)
	require.NoError(t, err)
	require.Equal(t, "question", string(asked[:n]))
	for _, piece := range []string{"", "ans", "we"} {
		_, err = unix.Write(server, []byte(piece))
		require.NoError(t, err)
		require.False(t, r.try(client))
	}
	_, err = unix.Write(server, []byte("red, and more"))
	require.NoError(t, err)
	require.True(t, r.try(client))
	require.NoError(t, r.err)
	require.Equal(t, "answered", string(r.got))
}

// TestRequesterAnswerCutShort: the server hangs up amid the answer.
func TestRequesterAnswerCutShort(t *testing.T) {
	r, client, server := newTry(t)
	require.False(t, r.try(client))
	_, err := unix.Read(server, make([]byte, 8))
	require.NoError(t, err)
	_, err = unix.Write(server, []byte("ans"))
	require.NoError(t, err)
	require.NoError(t, unix.Close(server))
	require.True(t, r.try(client))
	require.ErrorIs(t, r.err, io.ErrUnexpectedEOF)
}

// TestRequesterReset: the server hangs up with the request unread.
func TestRequesterReset(t *testing.T) {
	r, client, server := newTry(t)
	require.False(t, r.try(client))
	require.NoError(t, unix.Close(server))
	require.True(t, r.try(client))
	require.ErrorIs(t, r.err, unix.ECONNRESET)
}

// TestRequesterNoRoom: the server reads nothing, and a write finds no room.
func TestRequesterNoRoom(t *testing.T) {
	r, client, server := newTry(t)
	defer unix.Close(server)
	for !r.try(client) {
		r.written = false
	}
	require.ErrorIs(t, r.err, unix.EAGAIN)
}
