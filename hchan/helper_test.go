// A look into the wait queues, and what a panic of ours must be like. All else that tests share is in
// internal/testsched.

package hchan

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
)

// waiting returns how many wait to receive and to send. A G that is counted has parked: it is queued
// under the lock, which is released only after it has left its stack.
func (c *Chan[T]) waiting() (receivers, senders int) {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.recvq.len(), c.sendq.len()
}

// untilWaiting waits until so many are parked in c.
func untilWaiting[T any](t *testing.T, c *Chan[T], receivers, senders int) {
	t.Helper()
	testsched.Until(t, func() bool {
		r, s := c.waiting()
		return r == receivers && s == senders
	}, "%d waiting receivers and %d senders", receivers, senders)
}

// requirePanicAs requires that ours panics with a runtime.Error of the same text as native does.
func requirePanicAs(t *testing.T, native, ours func(), args ...any) {
	t.Helper()
	want, ok := testsched.PanicOf(native).(runtime.Error)
	require.True(t, ok, args...)
	requireRuntimeError(t, want.Error(), testsched.PanicOf(ours))
}

func requireRuntimeError(t *testing.T, text string, got any) {
	t.Helper()
	err, ok := got.(runtime.Error)
	require.True(t, ok, "%T %v is no runtime.Error", got, got)
	require.Equal(t, text, err.Error())
}
