package sched

// Pools that shrink: stacks that no task needs any more are ended. The runtime leaves that to the
// collector: runtime/mgcmark.go, markrootFreeGStacks.
//
// What stays, for each Scheduler:
//
//   - of idle stacks up to poolMax for each P (gfree.go) and stkKeep for all, a few seconds after they were
//     last needed; none when the last thread has ended (Config.IdleThread). Each is a goroutine.
//   - all Gs there have ever been at a time, 128 bytes each: run queues may hold pointers to them that nobody
//     sees, and a thief may look at an old one. The runtime keeps its own, three to four times as big, for ever too
//     (runtime/proc.go, allgs), and with each of our stacks one of those.
//
// While tasks run, sysmon asks a worker each second to end half of the stacks that have lain in the shared
// pool for all of that second. When nothing runs, the worker that went idle last ends what is too much after
// idleTrimNS (lastlook.go), and nothing ticks after that.

const (
	stkKeep     = poolMax       // of the shared pool
	trimEveryNS = 1_000_000_000 // between two decisions of sysmon
	trimChunkNS = 10_000_000    // between two chunks of one decision
	trimChunk   = 1024          // stacks ended at once, 0.3 to 1 ms
)

// idleTrimNS is how long all must have been idle before the shared pool is trimmed. Tests change it.
var idleTrimNS = int64(5_000_000_000)

// stackTrim is what sysmon has decided. Guarded by Scheduler.lock, but for chunkAt, which is sysmon's.
type stackTrim struct {
	low     int32 // fewest stacks in the shared pool since the last decision
	todo    int32 // how many are still to be ended
	at      int64 // when it was decided, ns
	chunkAt int64 // when sysmon last asked for a chunk, ns
}

// trimLook is sysmon's part; tasks run.
func (s *Scheduler) trimLook(now int64) {
	if now-s.stkTrim.chunkAt < trimChunkNS {
		return
	}
	s.stkTrim.chunkAt = now
	s.lock.Lock()
	s.trimDecide(now)
	s.lock.Unlock()
}

// trimDecide decides how much is to be ended, if it is time to, and has a worker end some of it. Needs s.lock.
func (s *Scheduler) trimDecide(now int64) {
	t := &s.stkTrim
	if now-t.at >= trimEveryNS {
		t.at = now
		t.todo = surplus(t.low+1) / 2
		t.low = s.stkfree.n
	}
	if t.todo > 0 {
		s.askTrim()
	}
}

// surplus returns how many of n stacks in the shared pool are too many.
func surplus(n int32) int32 { return max(n-stkKeep, 0) }

// askTrim asks a worker for a chunk: one that runs and has not been asked before, for it may be stuck; else
// the next one to run. Needs s.lock.
func (s *Scheduler) askTrim() {
	for _, p := range *s.allp.Load() {
		if p.state == pRunning && p.attn.Load()&attnTrim == 0 {
			p.setAttn(attnTrim)
			return
		}
	}
	if s.pidle != nil {
		s.pidle.setAttn(attnTrim)
	}
}

// trim ends at most n of the stacks that sysmon has found to be too many, on m's g0.
func (m *M) trim(n int32) {
	s := m.s
	var l stackPool
	s.lock.Lock()
	n = min(n, s.stkTrim.todo, s.stkfree.n)
	s.stkTrim.todo -= max(n, 0)
	s.moveStacks(&l, n)
	s.lock.Unlock()
	m.buryAll(&l)
}

// moveStacks takes n stacks out of the shared pool. Needs s.lock.
func (s *Scheduler) moveStacks(l *stackPool, n int32) {
	for ; n > 0; n-- {
		l.push(s.stkfree.pop())
	}
	s.stkTrim.low = min(s.stkTrim.low, s.stkfree.n)
}

// trimAt returns when the worker that has given up the last P shall trim the shared pool; 0: need not.
func (s *Scheduler) trimAt() int64 {
	s.lock.Lock()
	n := surplus(s.stkfree.n)
	s.lock.Unlock()
	if n == 0 {
		return 0
	}
	return s.nanotime() + idleTrimNS
}

// trimIdle ends a chunk of what is too much in the shared pool, if nothing has run since the last P was given
// up, when nAwake was awake, and reports whether there is more. m has no P.
func (m *M) trimIdle(awake uint32) bool {
	s := m.s
	var l stackPool
	s.lock.Lock()
	if s.nprun == 0 && s.nAwake == awake && !s.ended {
		s.moveStacks(&l, min(surplus(s.stkfree.n), trimChunk))
	}
	s.lock.Unlock()
	more := l.n == trimChunk
	m.buryAll(&l)
	return more
}
