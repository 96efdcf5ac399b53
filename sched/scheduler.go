package sched

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/userrt/userrt/internal/atom"
	"github.com/userrt/userrt/internal/coro"
	"github.com/userrt/userrt/internal/fence"
	"github.com/userrt/userrt/internal/getg"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/rawlock"
	"github.com/userrt/userrt/internal/rng"
)

// Config says how a Scheduler is to be; the zero value is a good one.
type Config struct {
	// Procs is the number of logical processors, that is of tasks that run at the same time; 0 means
	// runtime.GOMAXPROCS(0).
	Procs int

	// PanicHandler is called with a panic that no task has recovered, on that task's stack, after its
	// deferred calls; the task then ends. nil: such a panic ends the process with status 2, as one
	// in a goroutine does.
	PanicHandler func(*PanicError)

	// MaxThreads bounds the worker threads, those in Block included; 0 means 8,000. Where it is
	// reached, tasks wait for a thread. New refuses what runtime/debug.SetMaxThreads, which bounds the
	// process, could not hold.
	MaxThreads int

	// IdleThread is how long a thread may be idle before it ends; 0 means for ever. Stacks that wait
	// for a task end with the last one. Default's is 10 s.
	IdleThread time.Duration

	// Affinity lists CPUs, as Linux numbers them: the thread that runs tasks of the i-th of the Procs may run on
	// CPU Affinity[i%len(Affinity)] only. nil: on all. New refuses CPUs on which the process could not run
	// when it started, and on other systems any. It is not for tasks wired by LockOSThread; a task in Block keeps
	// the CPU that it had. With the goroutine backend, where tasks have no threads, it has no effect.
	Affinity []int

	// DetectDeadlock makes Run return a *DeadlockError when no task can ever run again. While a task runs it costs
	// nothing but the note of who has taken a lock (NoteHolders); see DeadlockError for what counts and what doesn't.
	DetectDeadlock bool

	// Seed of every random choice; 0 means a random seed.
	Seed uint64

	// Hooks are told what happens.
	Hooks Hooks

	// Tunables are for measuring what each mechanism is worth.
	Tunables Tunables
}

// maxProcs bounds Config.Procs.
const maxProcs = 1 << 12

// Scheduler runs tasks on a few OS threads. Its workers start with the first task. The same in Go:
// runtime/runtime2.go, schedt.
//
// It is made by New; the zero value is of no use. A Scheduler wants Close: dropped without it, it leaks its idle threads
// and pooled stacks.
type Scheduler struct {
	cfg   Config
	tun   Tunables // cfg's, with numbers for zeros
	hooks *Hooks   // cfg's; nil if there is none
	seed  uint64
	num   uint32 // counts the Schedulers of the process

	// Read by all, written seldom.
	allp    atomic.Pointer[[]*P] // every P there has been; it only grows
	procs   atomic.Int32         // how many of them count
	closing atomic.Bool          // tasks are to end; written under lock
	coarse  atom.Uint32          // the coarse clock; see clock.go

	_          [64]byte
	npidle     atomic.Int32 // idle Ps; written under lock
	nmspinning atomic.Int32 // searching Ms
	_          [64]byte
	globqsize  atomic.Int32      // globq.n, to be read without the lock
	globFrom   atomic.Pointer[P] // whose ring has overflowed last, if nothing has come from elsewhere since; written under lock
	idgen      atomic.Uint64
	_          [64]byte

	// lock guards all below. No other lock of this package is taken while it is held.
	lock         rawlock.Mutex
	globq        globQueue
	pidle        *P
	midle        *M
	nmidle       int         // Ms on midle
	nprun        int         // Ps that are not idle
	nAwake       uint32      // how often a P was taken from the idle list; wraps
	wantProcs    int         // as the user has set it; procs may be more, see relief.go
	needspinning bool        // somebody has found no idle P for work: who would give up a P shall search first
	nm           int         // Ms that exist
	maxM         int         // how many may; never changes
	lends        bool        // its workers may lend their Ps; never changes. See lend.go
	wantM        atomic.Bool // a P with work found no M: who goes idle next, or sleeps for events, shall take it; s.lock to change it
	nCreated     uint64      // Ms ever made
	nReused      uint64      // Ms taken from midle
	nParks       uint64      // Ms put there, but for those that had been there and only looked at something
	nWakes       uint64      // idle Ps for which an M was sought
	nShort       uint64      // Ps for which none could be had
	nEvicted     uint64      // Ms that have taken the place of a plain goroutine
	nWiredEnds   uint64      // Ms that have ended with their task
	gfree        gFree
	stkfree      stackPool
	stkTrim      stackTrim
	stkdead      stackPool // to be buried; see lockthread.go
	allgs        []*[gSlab]G
	nSpawn       uint32 // tasks spawned from outside; wraps
	nDrop        uint32 // tasks dropped before they started; wraps
	ended        bool   // workers are to end

	nThreadMoves atomic.Uint64 // how often a worker was found on another thread
	nLoose       atomic.Uint64 // threads of tasks that ended wired which have not ended; see lockthread.go
	nWired       atomic.Int32  // wired tasks
	idleSeq      atom.Uint32   // counts what the ender waits for, see shutdown.go: a futex
	workersUp    atom.Uint32   // workers that have not quite ended: a futex
	nStacks      atomic.Int32  // stacks that exist

	forks forkList
	gone  atomic.Bool // it has ended, and runs nothing any more

	sysmonState
	pollState
	endState
	deadlockState
	statState
}

// New makes a Scheduler. It returns a *ConfigError for a field that cannot be used.
func New(cfg Config) (*Scheduler, error) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	s, err := newScheduler(cfg)
	if hb.On {
		if err == nil {
			hb.Release(s.made())
		}
		hb.Tell() // of err, and tests look inside
	}
	return s, err
}

func newScheduler(cfg Config) (*Scheduler, error) {
	if cfg.Procs < 0 || cfg.Procs > maxProcs {
		return nil, &ConfigError{"Procs", fmt.Sprintf("%d is not in 0 to %d", cfg.Procs, maxProcs)}
	}
	if err := checkThreads(cfg.MaxThreads); err != nil {
		return nil, err
	}
	if cfg.IdleThread < 0 {
		return nil, &ConfigError{"IdleThread", fmt.Sprintf("%v is negative", cfg.IdleThread)}
	}
	if err := cfg.Tunables.check(); err != nil {
		return nil, err
	}
	if err := checkAffinity(cfg.Affinity); err != nil {
		return nil, err
	}
	cfg.Affinity = slices.Clone(cfg.Affinity)
	s := &Scheduler{cfg: cfg, tun: cfg.Tunables.filled(), seed: cfg.Seed, maxM: threadLimit(cfg.MaxThreads)}
	if cfg.Hooks.any() {
		s.hooks = &s.cfg.Hooks
	}
	s.lends = coro.Backend == "cell" && getg.KnowsWired() && !hb.On && s.hooks == nil && len(cfg.Affinity) == 0 && !s.tun.NoDirectSwitch && !s.tun.NoLending
	if s.seed == 0 {
		s.seed = rng.Seed()
	}
	n := cfg.Procs
	if n == 0 {
		n = min(runtime.GOMAXPROCS(0), maxProcs)
	}
	s.wantProcs = n
	s.setProcsLocked(n) // nobody else knows s
	s.enter()
	fence.Start()
	s.detects()
	return s, nil
}

// Default returns the Scheduler that the package's functions use on plain goroutines. It is made on
// first use by New(Config{IdleThread: 10 * time.Second}).
func Default() *Scheduler {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return defaultScheduler()
}

var defaultScheduler = sync.OnceValue(func() *Scheduler {
	s, err := New(Config{IdleThread: 10 * time.Second})
	if err != nil {
		panic(err) // this Config is always usable
	}
	return s
})
