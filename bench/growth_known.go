// What is known of the series that grow worse than linearly: said wherever one is flagged, so that no flag stands without a word. docs/performance.md has what this
// was found by.

package main

import "fmt"

// flagMeaning says when a series is flagged, for those who read the tables.
var flagMeaning = fmt.Sprintf("WORSE THAN LINEAR stands where an operation costs more the more there are: where the exponent of all sizes is above %.2f, or, with two sizes named, where that of "+
	"the step from one to the next, at least %d times as large, is above %.2f. Less than linear, below %.2f, is where it costs less.", linear, farApart, linearStep, sublinear)

// knownCauses are those that were looked into, by the series' names.
var knownCauses = map[string]string{
	"cases": "natively a select sorts its cases first, to lock all their channels in one order, which takes size times its logarithm",
	"yield": "one task alone has nobody to yield to, so the step from 1 to 10 is the one from no switch to a switch; from 1,000 on the stacks are larger than a processor's second cache",
	"fanout": "from 1,000 tasks on they overflow a P's queue of 256 into the one that all share, and from 10,000 on those that wait to start, or their stacks, are larger than a " +
		"processor's second cache",
	"receivers": "on one processor it is close to linear; on two the woken tasks run on both, and with many of them the channel, the queue and each task's stack " +
		"are mostly in the other's cache",
	"lockers": "on one processor it is linear; on two a few tasks soon gather on one of them, many stay spread over both, and the lock, its queue and each task's stack are mostly in " +
		"the other's cache",
	"spawn": "a batch larger than the caches is written when its tasks are made and fetched again when they run",
}

// causeOf says why a series is flagged, or that it isn't known; "" for one that is not.
func causeOf(series string, native, userrt slope) string {
	if !native.worse() && !userrt.worse() {
		return ""
	}
	if cause, ok := knownCauses[series]; ok {
		return cause
	}
	return "not known"
}
