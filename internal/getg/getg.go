// Package getg tells which goroutine is calling: a number that no other living goroutine has.
//
// The runtime keeps the running goroutine's g in a register or in thread-local storage; two
// instructions read it (runtime/stubs.go, getg, is the compiler's own way to it). As a key that
// assumes no layout of the runtime; the little that Goid, Ended and Wired read through it is checked when the
// program starts.
// The runtime never frees a g. It hands the g of an ended goroutine to a new one, so a key may be
// seen again once its first owner has ended; Goid tells the two apart.
package getg
