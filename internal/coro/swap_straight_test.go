//go:build go1.26 && !go1.28 && (amd64 || arm64) && !race && !userrt_goroutine && !userrt_nogetg

package coro

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSwitchGoesStraight: by mcall, with the Go versions that are known. By coroswitch, a third slower, nobody would notice.
func TestSwitchGoesStraight(t *testing.T) {
	require.Equal(t, byMcall(), code)
	require.True(t, begins(mcall, "runtime.mcall"))
}

// TestOtherCodeIsNotTakenForCoroswitch: what does not look like it, or names another function or another place in a g, is not used.
func TestOtherCodeIsNotTakenForCoroswitch(t *testing.T) {
	var pc uintptr // where a stack goes on that has left by coroswitch
	defer func(was uintptr) { code = was }(code)
	code = byCoroswitch()
	onG0(t, func(g0 *Stack) {
		st := &Stack{}
		New(st, func(*Stack) { pc, _, _ = findSwitch(g0.key); Switch(st, g0) })
		Switch(g0, st)
		Bury(g0, st)
	})
	b := codeBefore(pc)
	m, f, arg, ok := decode(b, pc)
	require.True(t, ok)
	require.Equal(t, []uintptr{mcall, coroswitchM, coroarg}, []uintptr{m, f, arg})
	require.True(t, names(m, f, arg))
	require.False(t, names(m+1, f, arg))
	require.False(t, names(byMcall(), f, arg))
	require.False(t, names(m, f+wordSize, arg))
	require.False(t, names(m, f, arg+wordSize))
	require.False(t, names(m, f, 1<<20))
	for i := range b {
		changed := b
		changed[i] = ^changed[i]
		if m, f, arg, ok := decode(changed, pc); ok {
			require.NotEqual(t, []uintptr{mcall, coroswitchM, coroarg}, []uintptr{m, f, arg}, "%d", i)
		}
	}
	_, _, _, ok = decode(callCode{}, pc)
	require.False(t, ok)
}

// TestSwitchByCoroswitch: as on other processors.
func TestSwitchByCoroswitch(t *testing.T) {
	defer func(was uintptr) { code = was }(code)
	code = byCoroswitch()
	migrate(t, 2, 100, 20_000)
}
