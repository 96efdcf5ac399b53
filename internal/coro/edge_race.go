//go:build race && (amd64 || arm64 || riscv64) && !userrt_goroutine && !userrt_nogetg

package coro

import (
	"runtime"
	"unsafe"
)

// The edges of a switch, which iter.Pull would state too. The leaver tells the detector at the coroutine what it has done, and whoever comes out
// of there, maybe much later, learns of all who have gone in.

func depart(coro unsafe.Pointer) { runtime.RaceReleaseMerge(coro) }

func arrive(coro unsafe.Pointer) { runtime.RaceAcquire(coro) }

// begin and end are the same for the first act of the stack for whose cell w was made, and for its last. begin reads w, which was set after the
// stack's goroutine was made, before it has learned of that: so the detector must not watch it.

//go:norace
func (w *way) begin() { arrive(w.coro) }

func (w *way) end() { depart(w.coro) }
