package callerpc

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// where stands for an exported call that wants to know who makes it.
//
//go:noinline
func where() uintptr { return Get() }

// deep is the same with a frame that is not small, and something to do before it asks.
//
//go:noinline
func deep(n int) (uintptr, byte) {
	var buf [4096]byte
	for i := range n {
		buf[i] = byte(i)
	}
	return Get(), buf[n/2]
}

func line(t *testing.T, pc uintptr) int {
	t.Helper()
	f, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	require.Equal(t, "callerpc_test.go", filepath.Base(f.File), f.Function)
	return f.Line
}

func here() int {
	_, _, l, _ := runtime.Caller(1)
	return l
}

// inlined is inlined, and is named nevertheless, as in a traceback.
func inlined() uintptr { return where() }

func TestGetIsInTheCaller(t *testing.T) {
	if !Known {
		require.Zero(t, where())
		return
	}
	require.Equal(t, here(), line(t, where()))
	a, b := where(), here() // two on a line are one line
	require.Equal(t, b, line(t, a))
	pc, _ := deep(100)
	require.Equal(t, here()-1, line(t, pc))
	f, _ := runtime.CallersFrames([]uintptr{inlined()}).Next()
	require.Equal(t, "callerpc.inlined", filepath.Base(f.Function))
	func() {
		defer func() { require.Equal(t, here(), line(t, where())) }()
		growStack(1000)
	}()
	done := make(chan uintptr)
	go func() { done <- where() }()
	require.Equal(t, here()-1, line(t, <-done), "just above a goroutine's base")
}

//go:noinline
func growStack(n int) byte {
	var buf [1024]byte
	if n > 0 {
		buf[n] = growStack(n - 1)
	}
	return buf[n]
}

func TestGetAllocatesNothing(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(100, func() { where() }))
}

func BenchmarkGet(b *testing.B) {
	for b.Loop() {
		where()
	}
}
