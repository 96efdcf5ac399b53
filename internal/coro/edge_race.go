//go:build race && (amd64 || arm64 || riscv64) && !userrt_goroutine && !userrt_nogetg

package coro

import (
	"runtime"
	"unsafe"
)

// depart and arrive state that a switch is an edge. Who lay in the cell of coro arrives from there, and there whoever has departed has gone.

func depart(coro unsafe.Pointer) { runtime.RaceReleaseMerge(coro) }

func arrive(coro unsafe.Pointer) { runtime.RaceAcquire(coro) }

// begin and end state the same for the first act of a stack whose own cell w leads into, and for its last. What it was made with it knows before it has arrived.

//go:norace
func (w *way) begin() { arrive(w.coro) }

func (w *way) end() { depart(w.coro) }
