// Package fence is an asymmetric memory fence: of two threads that each store one word and then load
// the other's, the one that does so often pays nothing, the one that does so seldom pays for both.
//
// Such a pair (Dekker's) is at the heart of "free the lock, then look whether somebody sleeps" and of
// "say that I take from the queue, then look whether a thief is there". Both sides need a full fence
// between the store and the load, or each may miss what the other stored; on amd64 that is a
// locked instruction, 6 ns, which on the fast path of a channel is a quarter of the whole. Here instead
//
//	the frequent side:  store x with release order; load y
//	the rare side:      store y; Heavy(); load x
//
// Heavy makes every thread of the process that runs just now pass a full fence, by an interrupt to
// its processor: 0.2 to 2 µs. What the frequent side stored before that is then seen by the rare
// side; what it loads after that is what the rare side has stored.
//
// Where Heavy returns false, because the service is missing or has not been granted yet, the rare
// side must not rely on its load: it sleeps with a time-out, or the frequent side has not begun to do
// without its own fence.
//
// Sources: Dice, Huang, Yang, "Asymmetric Dekker Synchronization" (2001); membarrier(2); folly,
// AsymmetricThreadFence. The runtime has no use for it: it can stop its threads by other means.
package fence

import (
	"sync"
	"sync/atomic"
)

var (
	ready atomic.Bool
	start sync.Once
)

// Start asks the system for the service, which takes some 10 ms to grant it; Start does not wait for
// that.
func Start() { start.Do(request) }

// Ready reports whether the service has been granted. Once true it stays so, and every Heavy that
// begins afterwards returns true.
func Ready() bool { return ready.Load() }
