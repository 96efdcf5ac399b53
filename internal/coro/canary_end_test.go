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

// checkEnd ends a stack in whose own cell another lies.
func checkEnd(t *testing.T, end func()) {
	before := runtime.NumGoroutine()
	var way []string
	at := func(who string) { way = append(way, who) }
	var one, two *hole
	one = dig(func() {
		two.enter()
		defer at("a ends")
		end()
	})
	two = dig(func() {
		one.enter()
		at("b released")
		two.enter()
		at("b ends")
	})
	one.enter() // b lies in cell one, a in two
	two.enter()
	at("g0 by b")
	two.enter() // b, which lies in its own cell, for g0
	at("g0 released")
	require.Equal(t, []string{"a ends", "b released", "g0 by b", "b ends", "g0 released"}, way)
	backTo(t, before)
}

func checkGoexitDefer(t *testing.T) {
	before := runtime.NumGoroutine()
	rounds := 0
	var h *hole
	h = dig(func() {
		defer func() {
			for range 10 {
				h.enter()
				grow(200, 0)
				runtime.GC()
				rounds++
			}
		}()
		runtime.Goexit()
	})
	for range 11 {
		h.enter()
	}
	require.Equal(t, 10, rounds, "of the deferred call")
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
				h.enter()
			}
		})
	})
	require.NotNil(t, made)
	with("switcher", func() {
		other = getg.Labels()
		for range 2 {
			h.enter()
			require.Equal(t, made, inside)
			outside = getg.Labels()
			require.Equal(t, other, outside)
		}
	})
	h.enter()
	require.Equal(t, made, inside)
	require.Nil(t, getg.Labels())
}

func checkBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var year int
		dig(func() {
			year = time.Now().Year()
			time.Sleep(time.Hour) // or the bubble's clock would not move
		}).enter()
		require.Equal(t, 2000, year, "the bubble's clock")
	})
	var year int
	dig(func() { year = time.Now().Year() }).enter()
	require.NotEqual(t, 2000, year)
}
