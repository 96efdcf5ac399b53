//go:build race

package sema

import (
	"runtime"
	"unsafe"
)

// What the race detector is told, as package sync tells it of its own. It is for where internal/hb has not made it deaf.

func acquired(s *Sema) { runtime.RaceAcquire(unsafe.Pointer(s)) }

func releases(s *Sema) { runtime.RaceReleaseMerge(unsafe.Pointer(s)) }
