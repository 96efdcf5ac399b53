//go:build (amd64 || arm64 || 386 || riscv64) && !userrt_goroutine && !userrt_nogetg

// The canary's checks of how a coroutine ends, and of what it has from its maker.

package coro

import (
	"context"
	"runtime"
	"runtime/pprof"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/getg"
)

// checkEnd ends a stack in whose own cell another lies, by way of yield.
func checkEnd(t *testing.T, end func()) {
	before := runtime.NumGoroutine()
	var way []string
	at := func(who string) { way = append(way, who) }
	var one, two *hole
	one = dig(func() {
		two.next()
		defer at("a ends")
		end()
	})
	two = dig(func() {
		if one.yield(void{}) {
			at("b: yield of a cell that is over returned true")
		}
		at("b released")
		two.next()
		at("b ends")
	})
	one.next() // b lies in cell one, a in two
	if two.yield(void{}) {
		at("g0 by b's next")
	}
	if !two.yield(void{}) { // b, which lies in its own cell, for g0
		at("g0 released")
	}
	require.Equal(t, []string{"a ends", "b released", "g0 by b's next", "b ends", "g0 released"}, way)
	backTo(t, before)
}

// apart calls f on another goroutine and reports whether it returned.
func apart(f func()) (returned bool) {
	done := make(chan void)
	go func() {
		defer close(done)
		f()
		returned = true
	}()
	<-done
	return returned
}

func checkGoexitNext(t *testing.T) {
	before := runtime.NumGoroutine()
	h := dig(runtime.Goexit)
	require.False(t, apart(func() { h.next() }), "next returned")
	require.True(t, apart(func() { h.next() }), "the cell is over")
	backTo(t, before)
}

func checkGoexitDefer(t *testing.T) {
	before := runtime.NumGoroutine()
	rounds := 0
	var h *hole
	h = dig(func() {
		defer func() {
			for range 10 {
				h.yield(void{})
				grow(200, 0)
				runtime.GC()
			}
		}()
		runtime.Goexit()
	})
	require.False(t, apart(func() {
		for range 11 {
			h.next()
			rounds++
		}
	}), "the Goexit came to nothing")
	require.Equal(t, 10, rounds)
	backTo(t, before)
}

func checkPanicNext(t *testing.T) {
	before := runtime.NumGoroutine()
	h := dig(func() { panic("from inside") })
	var got any
	apart(func() {
		defer func() { got = recover() }()
		h.next()
	})
	require.Equal(t, "from inside", got)
	backTo(t, before)
}

func checkLabels(t *testing.T) {
	with := func(value string, f func()) {
		pprof.Do(context.Background(), pprof.Labels("k", value), func(context.Context) { f() })
	}
	var h *hole
	var made, other, inside, outside unsafe.Pointer
	with("maker", func() {
		made = getg.Labels()
		h = dig(func() {
			for {
				inside = getg.Labels()
				h.yield(void{})
			}
		})
	})
	require.NotNil(t, made)
	with("switcher", func() {
		other = getg.Labels()
		for range 2 {
			h.next()
			require.Equal(t, made, inside)
			outside = getg.Labels()
			require.Equal(t, other, outside)
		}
	})
	h.next()
	require.Equal(t, made, inside)
	require.Nil(t, getg.Labels())
}

func checkBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var year int
		dig(func() {
			year = time.Now().Year()
			time.Sleep(time.Hour) // or the bubble's clock would not move
		}).next()
		require.Equal(t, 2000, year, "the bubble's clock")
	})
	var year int
	dig(func() { year = time.Now().Year() }).next()
	require.NotEqual(t, 2000, year)
}
