// The floors of the pairs, by their names.

package main

// withFloors gives the pairs their floors.
func withFloors(ps []Pair) []Pair {
	for i := range ps {
		if ps[i].Floor == nil {
			ps[i].Floor = pairNeeds[ps[i].Name]
		}
	}
	return ps
}

// noFloor are the pairs that have none: memory and percentages are no time, patience is no work, and a Once that is done is a load, which is too small for a measure of
// its own.
var noFloor = map[string]bool{
	"sched/parked-bytes": true, "sched/fresh-bytes": true, "netpoll/idle-memory": true, "locks/once": true,
	"sched/pending-timer": true, "sched/native-timer": true, "sched/hog-calls": true, "sched/hog-silent": true,
}

var pairNeeds = map[string]needs{
	// The WaitGroup's Done is a cas. The functions are made once.
	"sched/spawn": shared(term{1, "self"}, term{1, "cas"}),
	// Add and Done; Go and Wait must know who calls. Into the child and back.
	"sched/spawnjoin": always(term{2, "swap"}, term{2, "cas"}, term{2, "self"}),
	"sched/run":       always(term{2, "swap"}, term{2, "cas"}, term{2, "self"}),
	// A fork that nobody takes is a call. Join is given two functions that another stack might run.
	"sched/forkjoin":      shared(term{2, "closure"}, term{1, "self"}),
	"sched/forkjoin-both": shared(term{1, "self"}),
	"sched/for":           shared(term{1, "word"}),
	// With nobody to yield to a Yield finds out who calls. Two tasks on two processors have nobody either.
	"sched/yield-1":    always(term{1, "self"}),
	"sched/yield-2":    onOne(term{1, "swap"}, shared(term{1, "self"})),
	"sched/yield-1000": shared(term{1, "swap"}, term{1, "self"}),
	// Add, the sum and Done; the function of each node.
	"sched/unbalanced": shared(term{nodeSpins, "spin"}, term{1, "closure"}, term{3, "cas"}, term{1, "self"}),
	"sched/sleep-late": always(term{1, "late"}),
	// Reset reads the clock and, as Stop does, changes what another processor may look at.
	"sched/timer-set": always(term{1, "clock"}, term{2, "cas"}),
	// The timer; the clock at AfterFunc; taking it for fired, the sum, Done.
	"sched/timer-fire": shared(term{1, "closure"}, term{1, "clock"}, term{3, "cas"}, term{1, "self"}),

	// Four operations on channels and two waits.
	"hchan/pingpong":     always(term{2, "swap"}, term{4, "lock"}, term{4, "self"}),
	"hchan/buffered-1x1": stream(bufferSlots),
	"hchan/buffered-4x4": stream(bufferSlots),
	// No call of these waits.
	"hchan/uncontended":  always(term{2, "lock"}),
	"hchan/select-ready": always(term{2, "lock"}),
	"hchan/select-one":   always(term{2, "lock"}),
	// Of two values one finds the select waiting, in four queues, of which it must be taken out again; the other is that of a sender who waits.
	"hchan/select-park": shared(term{1, "swap"}, term{5, "lock"}, term{2, "self"}),
	// Whether something is there can be seen without the lock.
	"hchan/try": always(term{2, "lock"}),
	// Each value crosses a channel as often as there are filters which let it pass, and one time more.
	"hchan/sieve":         shared(transfers(sieveTransfers())...),
	"hchan/pipeline-100":  shared(transfers(stages + 1)...),
	"hchan/fanin-100":     shared(transfers(1)...),
	"hchan/contended-8x8": shared(transfers(1)...),
	// The same as pingpong's: the goroutine runs the task on its own thread.
	"hchan/mixed": always(term{2, "swap"}, term{4, "lock"}, term{4, "self"}),
	"hchan/range": stream(16),
	// Into the buffer and out of it.
	"hchan/large": stream(16, term{2, "copy"}),

	// Both sides wait once a round; the one that lets them go calls Wait, Add, Add and Done.
	"waitgroup/wait-1":    always(term{2, "swap"}, term{6, "cas"}, term{2, "self"}),
	"waitgroup/wait-1000": shared(term{1.001, "swap"}, term{2.004, "cas"}, term{1.001, "self"}),
	// Add, the sum, Done.
	"waitgroup/fanout": shared(term{3, "cas"}, term{1, "self"}),

	"locks/mutex":      always(term{1, "lock"}),
	"locks/mutex-2":    always(term{1, "lock"}),
	"locks/mutex-8":    always(term{1, "lock"}),
	"locks/mutex-1000": always(term{1, "lock"}),
	// Who yields with the lock lets run who will wait for it, and at Unlock it is their turn: one switch for each turn. Of two tasks
	// on two processors each may wait on its own.
	"locks/mutex-yield-2":    onOne(term{1, "swap"}, always(term{1, "lock"}, term{1, "self"})),
	"locks/mutex-yield-8":    always(term{1, "swap"}, term{1, "lock"}, term{1, "self"}),
	"locks/mutex-yield-1000": always(term{1, "swap"}, term{1, "lock"}, term{1, "self"}),
	// Readers come and go: that they are there must be seen.
	"locks/rwmutex-90": shared(term{2, "cas"}),
	"locks/rwmutex-99": shared(term{2, "cas"}),
	// The wait, its place in the queue, and the Mutex that is taken again afterwards.
	"locks/cond-broadcast": shared(term{1, "swap"}, term{2, "lock"}, term{1, "self"}),
	"locks/semaphore":      shared(term{1, "swap"}, term{2, "cas"}, term{1, "self"}),

	// There are 1.111 tasks for each leaf, and each sends one value.
	"skynet": shared(term{1.111, "swap"}, term{2.222, "lock"}, term{1.111, "closure"}, term{2.222, "self"}),

	// One message at a time: both processes read, write, and are told.
	"netpoll/echo-1":         always(term{2, "rw"}, term{2, "epoll"}),
	"netpoll/echo-64":        requests("rw", 1, 1),
	"netpoll/echo-1000":      requests("rw", 1, 1),
	"netpoll/echo-pipelined": requests("rw", 1, 1.0/16), // the client sends and reads 16 messages at once
	"netpoll/echo-cpu":       always(term{1, "rw"}),
	"netpoll/throughput-64k": requests("block", 0, 1), // the server writes, the client reads
	"netpoll/accept":         requests("conn", 0, 1),  // each has its part of it
	"netpoll/http":           requests("rw", 1, 1),
	"netpoll/http-cpu":       always(term{1, "rw"}),
}

// transfers is what so many values over unbuffered channels take.
func transfers(n float64) []term { return []term{{n, "swap"}, {2 * n, "lock"}, {2 * n, "self"}} }

// sieveTransfers returns how many values cross channels in a sieve, for each prime.
func sieveTransfers() float64 {
	transfers := 0
	var primes []int
	for v := 2; v <= sieveLast; v++ {
		transfers++ // from the generator
		passed := true
		for _, p := range primes {
			if v%p == 0 {
				passed = false
				break
			}
			transfers++
		}
		if passed {
			primes = append(primes, v)
		}
	}
	return float64(transfers) / sievePrimes
}
