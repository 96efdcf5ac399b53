//go:build darwin || dragonfly || freebsd || linux

package kqueue

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestUser(t *testing.T) {
	kq := queue(t)
	require.Equal(t, unix.ENOENT, changeOne(kq, 1, User, 0, Trigger, 0))
	add(t, kq, 1, User, Clear, 10)
	add(t, kq, 2, User, Clear, 20)
	require.Empty(t, poll(t, kq))
	require.NoError(t, changeOne(kq, 2, User, 0, Trigger, 20))
	require.NoError(t, changeOne(kq, 2, User, 0, Trigger, 20))
	require.Equal(t, []event{{2, User, 0, 20}}, poll(t, kq), "many triggers are one event")
	require.Empty(t, poll(t, kq))
	require.NoError(t, changeOne(kq, 1, User, 0, Trigger, 11))
	require.Equal(t, []event{{1, User, 0, 11}}, poll(t, kq), "the word is the last one given")
	require.NoError(t, changeOne(kq, 1, User, 0, Trigger, 10))
	require.NoError(t, changeOne(kq, 1, User, Delete, 0, 0))
	require.Empty(t, poll(t, kq))
	require.Equal(t, unix.ENOENT, changeOne(kq, 1, User, Delete, 0, 0))
}

// Without Clear it is told again and again.
func TestUserWithoutClear(t *testing.T) {
	kq := queue(t)
	add(t, kq, 1, User, 0, 10)
	require.NoError(t, changeOne(kq, 1, User, 0, Trigger, 10))
	for range 3 {
		require.Equal(t, []event{{1, User, 0, 10}}, wait(t, kq, -1))
	}
}

// Triggers from all sides, before, while and after somebody waits: after the last there is an event, and a wait that
// nothing has been triggered for does not end.
func TestUserStress(t *testing.T) {
	kq := queue(t)
	add(t, kq, 1, User, Clear, 10)
	const rounds = 2000
	var said, heard atomic.Int32
	done := make(chan struct{})
	go func() {
		defer close(done)
		for heard.Load() < rounds {
			require.Equal(t, []event{{1, User, 0, 10}}, wait(t, kq, -1))
			heard.Store(said.Load())
		}
	}()
	for i := range int32(rounds) {
		said.Add(1)
		require.NoError(t, changeOne(kq, 1, User, 0, Trigger, 10))
		for i%7 == 0 && heard.Load() <= i {
		}
	}
	<-done
	require.Empty(t, poll(t, kq))
}
