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

// Triggers before, while and after somebody waits: after each there is an event, or one that was not taken yet.
func TestUserStress(t *testing.T) {
	kq := queue(t)
	add(t, kq, 1, User, Clear, 10)
	const rounds = 2000
	var said, heard atomic.Int32
	done, woken := make(chan struct{}), make(chan struct{}, 1)
	go func() {
		defer close(done)
		for heard.Load() < rounds {
			require.Equal(t, []event{{1, User, 0, 10}}, wait(t, kq, -1))
			heard.Store(said.Load())
			select {
			case woken <- struct{}{}:
			default:
			}
		}
	}()
	for i := range int32(rounds) {
		said.Add(1)
		require.NoError(t, changeOne(kq, 1, User, 0, Trigger, 10))
		for i%7 == 0 && heard.Load() <= i {
			select {
			case <-woken:
			case <-done:
				require.Greater(t, heard.Load(), i, "the waiter has failed")
			}
		}
	}
	<-done
	require.LessOrEqual(t, len(poll(t, kq)), 1, "the last one may have been heard of before it was triggered")
	require.Empty(t, poll(t, kq))
}
