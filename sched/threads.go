package sched

import (
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/userrt/userrt/internal/coro"
)

// How many threads there may be, and when they end. The same in Go: runtime/proc.go, checkmcount;
// the runtime keeps its idle threads for ever.

const (
	defaultMaxThreads = 8000

	// threadReserve is what a Scheduler leaves to the rest of the process.
	threadReserve = 500
)

// checkThreads refuses a Config.MaxThreads that the process may not have.
func checkThreads(n int) error {
	if n < 0 {
		return &ConfigError{"MaxThreads", fmt.Sprintf("%d is negative", n)}
	}
	if limit := processMaxThreads(); n > max(limit-threadReserve, 1) {
		return &ConfigError{"MaxThreads", fmt.Sprintf(
			"%d and a reserve of %d are more than the %d that debug.SetMaxThreads allows", n, threadReserve, limit)}
	}
	return nil
}

var maxThreadsMu sync.Mutex

// processMaxThreads reads the process's limit, which can only be read by setting it.
func processMaxThreads() int {
	maxThreadsMu.Lock()
	defer maxThreadsMu.Unlock()
	limit := debug.SetMaxThreads(1 << 30)
	debug.SetMaxThreads(limit)
	return limit
}

// threadLimit is the bound that a Config means.
func threadLimit(n int) int {
	if n == 0 {
		return max(min(defaultMaxThreads, processMaxThreads()-threadReserve), 1)
	}
	return n
}

// idleThreadNS is how long an M may stay in the cache, in ns; negative means for ever.
func (s *Scheduler) idleThreadNS() int64 {
	if s.cfg.IdleThread == 0 {
		return -1
	}
	return int64(s.cfg.IdleThread)
}

// idleOut is called by a worker that ends with tooMany, on its g0. While nothing runs it
// takes the pooled stacks with it: an idle scheduler keeps none.
func (m *M) idleOut() {
	s := m.s
	var all stackPool
	s.lock.Lock()
	s.nm--
	wanted := s.wantM.Load() // somebody has found no thread for a P since m has left the cache
	s.wantM.Store(false)
	if s.nm == 0 {
		s.sysmonWake() // it ends too
	}
	if s.nprun == 0 && (!s.ended || s.nm == 0) { // with s ended the last one does it
		s.takeStacks(&all)
	}
	s.lock.Unlock()
	if wanted {
		s.wakep()
	}
	m.buryAll(&all)
}

// takeStacks moves all pooled stacks to l. No P is in use, or none that has any. Needs s.lock.
func (s *Scheduler) takeStacks(l *stackPool) {
	for _, p := range *s.allp.Load() {
		for st := p.stkfree.pop(); st != nil; st = p.stkfree.pop() {
			l.push(st)
		}
	}
	for st := s.stkfree.pop(); st != nil; st = s.stkfree.pop() {
		l.push(st)
	}
	for st := s.stkdead.pop(); st != nil; st = s.stkdead.pop() {
		l.push(st)
	}
}

// undertaker stands for the worker on which a stack ends: Bury may put that off, and any worker may come by then.
// Its act is never written.
var undertaker M

// buryAll ends idle stacks, from m's g0.
func (m *M) buryAll(l *stackPool) {
	for st := l.pop(); st != nil; st = l.pop() {
		st.retired = true
		st.m = &undertaker // idle looks whether it has left st something to do
		coro.Bury(&m.g0.Stack, &st.Stack)
		m.s.nStacks.Add(-1)
	}
}
