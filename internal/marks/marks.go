// Package marks has the words that fast paths of several packages look at. They are variables, and made to be mixed into
// a test that is there anyway, because an uncontended lock is one instruction and its test, and the compiler inlines
// it only if what comes on top is next to nothing (its budget is 80; sync.Mutex.Lock counts 68).
//
// The runtime has such words all over; it is one package.
package marks

import (
	"sync/atomic"

	"github.com/userrt/userrt/internal/atom"
)

// Preempting counts the processors whose task is asked to give way; see sched.Preempting.
var Preempting atomic.Int32

// Free is what a free lock's word is to who would take it the fast way: 0, which it is. While a task is asked to give way,
// or holders are to be noted (sched.NotingHolders), it is negative, which no word is, so that all go the slow way.
var Free atom.Int32
