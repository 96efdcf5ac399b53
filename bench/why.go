// Why each pair and each series is measured: what its number tells the reader, by their names. What is done stands in Pair.Doc, beside the bodies; all
// reasons are here, so that what the whole list shows, and what it misses, can be read in one go.
//
// Go's counterpart: none; the names of its benchmarks have to do.

package main

import "strings"

// withReasons gives the pairs their reasons.
func withReasons(ps []Pair) []Pair {
	for i := range ps {
		ps[i].Why = pairReasons[ps[i].Name]
	}
	return ps
}

// line is what the list says of the pair.
func (p Pair) line() string {
	if p.Why == "" {
		return p.Doc
	}
	return p.Doc + ". Why: " + p.Why
}

// reason returns why the pair or the point of that name is measured.
func reason(name string) string {
	if why, ok := pairReasons[name]; ok {
		return why
	}
	series, _, _ := strings.Cut(name, "/")
	return seriesReasons[series]
}

var pairReasons = map[string]string{
	"sched/spawn":         "go's replacement is called most of all, and whether tasks may be small hangs on its price",
	"sched/spawnjoin":     "one task at a time is the worst case of spawning, with a switch there and back and nothing to batch",
	"sched/run":           "the way into a scheduler, from main, a test or a server's handler: what a program that is no task itself pays for each",
	"sched/forkjoin":      "how fine a recursive algorithm may be cut; most forks are never stolen and should cost a call",
	"sched/forkjoin-both": "what Join's two closures cost, as Both takes arguments in their place",
	"sched/for":           "that splitting on demand costs a plain loop nothing and uses all processors",
	"sched/yield-1":       "the way through the scheduler when nobody else wants to run, the least that any yield costs",
	"sched/yield-2":       "on one processor the bare switch between two tasks, to which all waiting comes down",
	"sched/yield-1000":    "a switch when stacks no longer fit the near caches, as in servers with many tasks",
	"sched/unbalanced":    "work that appears in one place must be stolen before it is shared; a bad thief shows as a missing processor",
	"sched/hog-calls":     "how long a short task starves beside long ones that make calls, where a library can still step in",
	"sched/hog-silent":    "the price of not being able to interrupt a loop, which only the runtime can",
	"sched/sleep-late":    "time-outs and pacing are as exact as the poller's wait lets them be",
	"sched/timer-set":     "nearly all time-outs are set and stopped and never fire",
	"sched/timer-fire":    "a burst of timers that are due at once, each with a function to be run",
	"sched/pending-timer": "natively one pending timer slows every switch down; no other pair runs with one",
	"sched/native-timer":  "whether a time-out of some other library slows userrt down too",
	"sched/parked-bytes":  "how many idle tasks fit a machine",
	"sched/fresh-bytes":   "a backlog of tasks that have not begun is cheap if a task gets its stack late",

	"hchan/pingpong":      "two waits and two wake-ups, the latency of any request to another task",
	"hchan/buffered-1x1":  "a stream between two tasks, which mostly meets neither a full buffer nor an empty one",
	"hchan/buffered-4x4":  "the same with the channel's lock in demand, as in a pool of workers",
	"hchan/uncontended":   "the floor of any channel operation: no switch, no contention",
	"hchan/select-ready":  "the price of choosing fairly when every case could go ahead",
	"hchan/select-one":    "the usual select of a loop, of which one case is ready",
	"hchan/select-park":   "a select that waits must queue on every channel and leave all but one again",
	"hchan/try":           "polling must be free of waiting's costs, also when it fails",
	"hchan/sieve":         "the textbook program: long chains in which each value wakes the next task",
	"hchan/pipeline-100":  "whether a chain runs hand in hand or hops between processors",
	"hchan/fanin-100":     "many producers queue for one consumer, the shape of a log or a collector",
	"hchan/contended-8x8": "both queues of a channel in use, the worst place for its lock",
	"hchan/mixed":         "what it costs to cross from the runtime's goroutines to tasks and back, for programs that change over step by step",
	"hchan/range":         "the loop over a channel as programs write it, with the waits that a small buffer leaves",
	"hchan/large":         "elements that are copied and no longer passed in a register, where generics may copy more than the compiler's channel",

	"waitgroup/wait-1":    "the round trip of a task that waits for another to be done",
	"waitgroup/wait-1000": "how fast a crowd is let go, in which every waiter has to be made ready",
	"waitgroup/fanout":    "the usual shape of a parallel loop over independent items",

	"locks/mutex":            "a lock that nobody else wants must cost an instruction or two",
	"locks/mutex-2":          "the least contention there is, where to spin or to park is decided",
	"locks/mutex-8":          "throughput of a lock in demand; fairness, which has a table of its own, is its price",
	"locks/mutex-1000":       "that a crowd at one lock does not bring it down",
	"locks/mutex-yield-2":    "a lock held across a switch, so that the other one must really wait",
	"locks/mutex-yield-8":    "queueing at a lock and being handed it, whose cost a short section hides",
	"locks/mutex-yield-1000": "the same queue when it is long and its tasks are out of the caches",
	"locks/rwmutex-90":       "readers with a writer now and then, which is when an RWMutex must drain them",
	"locks/rwmutex-99":       "the almost read-only case that RWMutex is chosen for",
	"locks/cond-broadcast":   "the herd that all wakes at once and wants the same lock",
	"locks/semaphore":        "bounding what runs at the same time, the usual limit of a server",
	"locks/once":             "lazy initialisation is checked on every call and should be one load",

	"skynet": "a benchmark known from many languages: a tree of small tasks and channels, in which spawning and first waits are all there is",

	"netpoll/echo-1":         "latency of a single connection, where every message goes through the poller",
	"netpoll/echo-64":        "the usual server: a batch of ready connections for each look at the poller",
	"netpoll/echo-1000":      "more connections than one look returns, and more stacks than the caches hold",
	"netpoll/echo-pipelined": "when data are mostly there before the read, the poller should stay out of the way",
	"netpoll/echo-cpu":       "throughput hides what a server burns; this is what it takes from its neighbours",
	"netpoll/throughput-64k": "large writes spend their time in the kernel, so both sides should be equal",
	"netpoll/accept":         "connections that come and go: registering and closing, not reading",
	"netpoll/idle-memory":    "how many idle connections fit a machine",
	"netpoll/http":           "a real server on top, where the scheduler is a small part of the whole",
	"netpoll/http-cpu":       "net/http's client takes more than its server, so that on a processor of its own it is the client's pace that the clock shows; this is the server alone",
}

var seriesReasons = map[string]string{
	"cases":     "a select looks at every case, so it should grow with them and no faster",
	"slots":     "a larger buffer means fewer waits, until it leaves the caches",
	"pipeline":  "whether a value's way through a longer chain costs more a stage",
	"timers":    "the heap's depth grows with the logarithm of what is pending",
	"conns":     "what a server costs a request when most of its connections are idle at any moment",
	"spawn":     "whether a backlog of tasks costs each of them more than a few did",
	"fanout":    "the same when all of them end in one counter",
	"yield":     "how a longer run queue, and stacks beyond the caches, tell on a switch",
	"receivers": "whether a long queue of waiting tasks costs those at its head",
	"lockers":   "the same for a lock, whose queue each task joins again and again",
	"skynet":    "how a tree of tasks and channels grows, from ten to a million leaves",
	"parked":    "whether the millionth waiting task takes as much memory as the thousandth",
}
