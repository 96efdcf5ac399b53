// Package hchan is Go's channel, rebuilt: a ring buffer, two wait queues, a lock, and direct
// hand-off from a sender to a waiting receiver and back. Semantics, wake-up order and panics are
// Go's; tasks and plain goroutines may use the same channel.
//
// A channel in four pictures (qcount elements of dataqsiz slots; sendx and recvx are the slots that
// the next send and receive use):
//
//	not full, nobody waits      send copies into buf[sendx]
//	a receiver waits            send copies into the receiver's sudog, past the buffer, and readies it
//	full                        send leaves its value in a sudog at the end of sendq and parks
//	full, a receiver comes      it takes buf[recvx], puts the first waiting sender's value into the
//	                            same slot (the queue's end), and readies that sender
//
// Select waits for several channels at once: it locks all of them in the order of their addresses, puts a sudog into
// the queue of each, and parks; whoever wakes it first wins, and it leaves the other queues. Before that it looks at
// all channels without a lock, and when one of them is ready needs the lock of that one alone.
//
// Reading order: chan.go, waitq.go, send.go, recv.go, close.go; then case.go, select.go, selectall.go, bridge.go; context.go,
// timer.go and ticking.go, direction.go and snapshot.go stand on those. The same in Go: runtime/chan.go, runtime/select.go, time/sleep.go.
package hchan
