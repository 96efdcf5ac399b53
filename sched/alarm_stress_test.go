package sched

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// modelAlarm is an Alarm beside what is known of it. lock spans each call, and what the call has told.
type modelAlarm struct {
	Alarm
	lock    sync.Mutex
	s       *Scheduler
	pending uint64           // the setting that has to come; 0: none
	due     map[uint64]int64 // the settings that may come, and not before when
	bad     string
}

func (a *modelAlarm) set(d time.Duration) {
	when := a.s.after(int64(d))
	seq, was := a.Set(d, 0)
	a.prevented(was)
	a.pending, a.due[seq] = seq, when
}

func (a *modelAlarm) stop() {
	a.prevented(a.Stop())
	a.pending = 0
}

// prevented is called when Set or Stop has told whether the setting before was pending still.
func (a *modelAlarm) prevented(was bool) {
	if was && a.pending == 0 {
		a.bad = "pending after it has come or was stopped"
	}
	if was {
		delete(a.due, a.pending)
	}
}

// fire is the Alarm's function; each third setting sets it again.
func (a *modelAlarm) fire(seq uint64, now int64) {
	a.lock.Lock()
	defer a.lock.Unlock()
	when, ok := a.due[seq]
	switch {
	case !ok:
		a.bad = "came twice, or although it was prevented"
	case now < when:
		a.bad = "early"
	}
	delete(a.due, seq)
	if a.pending == seq {
		if a.pending = 0; seq%3 == 0 {
			a.set(100 * time.Microsecond)
		}
	}
}

// TestStressAlarms: tasks and goroutines set, put off and stop the same Alarms, so that many entries are stale, with
// the number of Ps changing. No setting comes early, twice or after it was prevented, and none is missed.
func TestStressAlarms(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		procs := int(s.procs.Load())
		all := make([]modelAlarm, 100)
		for i := range all {
			all[i].s, all[i].due = s, map[uint64]int64{}
			all[i].Init(s, all[i].fire)
		}
		work := func(r *rand.Rand, rest func()) {
			for k := range 600 {
				a := &all[r.IntN(len(all))]
				a.lock.Lock()
				switch r.IntN(6) {
				case 0, 1:
					a.stop()
				case 2:
					a.set(time.Hour)
				default:
					a.set(time.Duration(r.IntN(1000)) * time.Microsecond)
				}
				a.lock.Unlock()
				if k%5 == 0 {
					rest()
				}
				if k%50 == 0 {
					s.SetProcs(1 + r.IntN(4))
				}
			}
		}
		var workers sync.WaitGroup
		for i := range 4 {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			workers.Go(func() { work(r, func() { time.Sleep(10 * time.Microsecond) }) })
			workers.Add(1)
			s.Go(func() {
				defer workers.Done()
				work(rand.New(rand.NewPCG(uint64(i), 2)), func() { Sleep(10 * time.Microsecond) })
			})
		}
		workers.Wait()
		s.SetProcs(procs)
		each := func(f func(i int, a *modelAlarm)) {
			for i := range all {
				a := &all[i]
				a.lock.Lock()
				f(i, a)
				a.lock.Unlock()
			}
		}
		each(func(_ int, a *modelAlarm) { a.stop() })
		until(t, "nothing runs", func() bool { return s.npidle.Load() == s.procs.Load() }, s)
		each(func(i int, a *modelAlarm) { // from outside of s's workers, which know of dead entries at most
			if i%2 == 0 {
				a.set(time.Duration(i*20) * time.Microsecond)
			}
		})
		for i := range all {
			a := &all[i]
			until(t, "the last setting comes", func() bool {
				a.lock.Lock()
				defer a.lock.Unlock()
				if a.bad != "" {
					t.Fatal(a.bad)
				}
				return a.pending == 0
			}, s)
		}
		for _, p := range *s.allp.Load() {
			p.timers.lock.Lock()
			p.timers.checkHeap(t)
			p.timers.lock.Unlock()
		}
	})
}
