// Package procyield is the short wait of a thread that expects something within nanoseconds.
// The same in Go: runtime/stubs.go, procyield.
package procyield
