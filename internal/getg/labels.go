package getg

import "unsafe"

// Labels returns the calling goroutine's pprof labels as the runtime holds them: an opaque pointer,
// nil for none. The same as runtime/proflabel.go, runtime_getProfLabel, which the runtime keeps
// reachable by this name.
//
//go:linkname Labels runtime/pprof.runtime_getProfLabel
func Labels() unsafe.Pointer

// SetLabels replaces the calling goroutine's pprof labels by what Labels once returned.
// The same as runtime/proflabel.go, runtime_setProfLabel.
//
//go:linkname SetLabels runtime/pprof.runtime_setProfLabel
func SetLabels(labels unsafe.Pointer)
