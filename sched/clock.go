package sched

// What spares reads of the clock: one for all tasks that park, and one for each worker's g0.
//
// The coarse clock tells when a task parks, for dumps. A clock read would cost a third of the park, so sysmon
// stamps the time into the scheduler in each of its rounds, and so does who takes an idle P. In the runtime the collector fills in waitsince, when it
// finds a goroutine waiting (runtime/mgcmark.go, markroot).

// coarseShift makes a tick of 16.8 ms, so that 32 bits, which any processor stores at once, last for two years.
const coarseShift = 24

// coarse turns monotonic nanoseconds into ticks.
func coarse(now int64) uint32 { return uint32(now >> coarseShift) }

// stamp sets the coarse clock. It is read at each park, so it is not written without need.
func (s *Scheduler) stamp(now int64) {
	if c := coarse(now); s.coarse.Load() != c {
		s.coarse.StoreRel(c)
	}
}

// sinceNS returns how long ago, in nanoseconds and by a tick at most too long, the coarse time c was.
func sinceNS(c uint32, now int64) int64 { return int64(coarse(now)-c) << coarseShift }

// now is the clock as m, on its g0, has read it since it last ran a task or slept. A worker that goes to sleep and wakes asks for the time nine
// times, at up to 50 ns each on a virtual machine. Who asks whether a timer is due, or how long to sleep, reads the clock itself. Only m's g0
// may call it: what a task has read would still be there when g0 goes on. The runtime passes a now along (runtime/proc.go, findRunnable).
func (m *M) now() int64 {
	if m.at == 0 {
		m.at = m.s.nanotime()
	}
	return m.at
}
