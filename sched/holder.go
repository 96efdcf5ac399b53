package sched

import (
	"sync"
	"sync/atomic"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/marks"
)

// Who holds a lock, for dumps and for the search for deadlocks. Nobody needs to know while all goes well, and to note it
// costs as much as an uncontended lock. So locks note it only where somebody has said that he will ask. The runtime has no
// counterpart: its dumps do not tell who holds a mutex.

// NotingHolders reports whether locks are to note who takes them: while a Scheduler with Config.DetectDeadlock is open,
// and between NoteHolders and its stop.
func NotingHolders() bool {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return noters.on.Load()
}

// NoteHolders makes locks note which task takes them from now on, so that dumps tell who holds what others wait
// for, and name the tasks that wait for each other in a circle. A Lock then costs some 10 ns more, in the whole process, until stop
// is called. Config.DetectDeadlock does the same for as long as its Scheduler is open.
func NoteHolders() (stop func()) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	noteHolders(1)
	return sync.OnceFunc(func() {
		if hb.On {
			hb.Enter()
			defer hb.Leave()
		}
		noteHolders(-1)
	})
}

var noters struct {
	mu    sync.Mutex
	n     int
	on    atomic.Bool   // n is not 0
	epoch atomic.Uint64 // counts the times that n has become 1, by epochOne; what was noted in an earlier one may not be so any more
}

func noteHolders(delta int) {
	noters.mu.Lock()
	defer noters.mu.Unlock()
	noters.n += delta
	if noters.n == delta {
		noters.epoch.Store((noters.epoch.Load() + epochOne) & epochMask)
	}
	noters.on.Store(noters.n > 0)
	marks.Free.Add(int32(-delta))
}

// Holder is the task that holds something, as a Describer tells it. The zero value is nobody.
type Holder struct{ tag atomic.Uint64 }

// A tag is the number of a Scheduler, since ids of two Schedulers are the same numbers, an epoch, and a task's id; of
// each as many bits as have room.
const (
	tagShift   = 48
	epochShift = 40
	epochOne   = 1 << epochShift
	epochMask  = (1<<tagShift - 1) &^ tagMask
	tagMask    = 1<<epochShift - 1
)

// Set notes gp; a plain goroutine is nobody.
func (h *Holder) Set(gp *G) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if s := gp.s; s != nil {
		h.tag.Store(s.tag() | noters.epoch.Load() | gp.id&tagMask)
	} else {
		h.tag.Store(0)
	}
}

// Clear notes nobody.
func (h *Holder) Clear() {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	h.tag.Store(0)
}

// ClearIf notes nobody if gp was noted.
func (h *Holder) ClearIf(gp *G) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if s := gp.s; s != nil {
		h.tag.CompareAndSwap(s.tag()|noters.epoch.Load()|gp.id&tagMask, 0)
	}
}

// Owner returns what a Describer is to return as the owner: nobody also if holders are not noted at present.
func (h *Holder) Owner() uint64 {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	tag := h.tag.Load()
	if !NotingHolders() || tag&epochMask != noters.epoch.Load() {
		return 0
	}
	return tag
}

// tag is never 0.
func (s *Scheduler) tag() uint64 { return uint64(s.num%(1<<16-1)+1) << tagShift }

// ownerIn returns the id of the task of s that a Describer has named, 0 if it is none of s.
func (s *Scheduler) ownerIn(owner uint64) uint64 {
	if of := owner >> tagShift << tagShift; of != 0 && of != s.tag() {
		return 0
	}
	return owner & tagMask
}
