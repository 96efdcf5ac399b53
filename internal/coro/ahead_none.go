//go:build !(go1.26 && !go1.28 && (amd64 || arm64) && !userrt_goroutine && !userrt_nogetg && !race)

// Where nothing is fetched ahead; see ahead.go.

package coro

import "unsafe"

// FetchesAhead tells whether FetchAhead does anything.
const FetchesAhead = false

// FetchAhead does nothing.
func FetchAhead(unsafe.Pointer, *Stack, *Stack, *Stack) {}
