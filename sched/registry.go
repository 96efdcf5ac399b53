package sched

import (
	"sync"
	"weak"
)

// All Schedulers of the process, for DumpAll and those who look for deadlocks. Weakly: one that is dropped before it
// has run anything shall go. The runtime has one scheduler, and no counterpart.

var registry struct {
	mu    sync.Mutex
	made  uint32 // how many there have been
	all   []weak.Pointer[Scheduler]
	prune int // how many make it worth while to look for those that are gone
}

// enter gives s its number.
func (s *Scheduler) enter() {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	registry.made++
	s.num = registry.made
	if len(registry.all) >= registry.prune {
		registry.prune = 2*len(liveLocked()) + 8
	}
	registry.all = append(registry.all, weak.Make(s))
}

// liveLocked returns those that are neither gone nor closed, and forgets the others. Needs registry.mu.
func liveLocked() (live []*Scheduler) {
	kept := registry.all[:0]
	for _, p := range registry.all {
		if s := p.Value(); s != nil && !s.gone.Load() {
			live = append(live, s)
			kept = append(kept, p)
		}
	}
	clear(registry.all[len(kept):])
	registry.all = kept
	return live
}

// allSchedulers returns those that are neither gone nor closed, in the order in which they were made.
func allSchedulers() []*Scheduler {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	return liveLocked()
}
