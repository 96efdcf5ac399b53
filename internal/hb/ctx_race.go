//go:build race && linux && amd64 && go1.26 && !go1.28 && !userrt_nogetg && !userrt_nohb

package hb

import (
	"runtime"
	"unsafe"

	"github.com/userrt/userrt/internal/getg"
)

// On reports whether this build tells the race detector of tasks.
const On = true

func call(fn, a, b, c, d uintptr)
func startFn() uintptr
func endFn() uintptr
func mallocFn() uintptr
func load(p *uintptr) uintptr
func store(p *uintptr, v uintptr)
func cas(p *uintptr, old, new uintptr) bool
func callerFP() uintptr

// state is what this package knows of a goroutine: of a stack of ours while it lives, of a plain goroutine
// while it is in a call of ours.
type state struct {
	user   uintptr // the context of the task, or of the plain goroutine itself; 0: the code runs for nobody
	kernel uintptr // the one in which our own code runs
	depth  int     // how many calls of ours it is in; 0: the user's code runs
	top    uintptr // how far from the upper end of its stack the user's frames end
	plain  bool
	saved  []saved // of the calls of ours that have called back
}

// saved is what Back goes back to.
type saved struct {
	depth     int
	user, top uintptr
	before    unsafe.Pointer // where BackFor releases; nil: nowhere
}

// The table that finds a goroutine's state by its g: open addressing, at most maxProbes steps. Only the goroutine
// itself enters, looks for and takes out its key.
const (
	tableBits = 16
	maxProbes = 256
	tombstone = 1
)

var (
	keys   [1 << tableBits]uintptr
	states [1 << tableBits]*state // of the goroutine with the key at the same index, which alone touches it

	racectxAt uintptr // offset of racectx in a g; 0: not known, and then nothing here does anything
	root      uintptr // a context before which nothing has happened but the start of the program
	starting  uintptr // 1: somebody uses root
)

//go:norace
func home(key uintptr) uintptr { return key * 0x9e3779b97f4a7c15 >> (64 - tableBits) }

//go:norace
func lookup(key uintptr) *state {
	i := home(key)
	for range maxProbes {
		switch load(&keys[i]) {
		case key:
			return states[i]
		case 0:
			return nil
		}
		i = (i + 1) % (1 << tableBits)
	}
	return nil
}

//go:norace
func insert(key uintptr, st *state) {
	i := home(key)
	for range maxProbes {
		if old := load(&keys[i]); old <= tombstone && cas(&keys[i], old, key) {
			states[i] = st
			return
		}
		i = (i + 1) % (1 << tableBits)
	}
	panic("hb: too many goroutines")
}

//go:norace
func remove(key uintptr) {
	i := home(key)
	for range maxProbes {
		if load(&keys[i]) == key {
			states[i] = nil
			store(&keys[i], tombstone)
			return
		}
		i = (i + 1) % (1 << tableBits)
	}
}

// field is a word of a g.
//
//go:norace
//go:nocheckptr
func field(g, at uintptr) *uintptr {
	return (*uintptr)(unsafe.Add(*(*unsafe.Pointer)(unsafe.Pointer(&g)), at))
}

// current is the word that says in which context the goroutine g runs.
//
//go:norace
func current(g uintptr) *uintptr { return field(g, racectxAt) }

var probed = make(chan [2]uintptr)

// probe finds racectx in the g of a goroutine made for it: behind startpc, the address of that function.
func probe() {
	f := probe
	pc := **(**uintptr)(unsafe.Pointer(&f))
	g := getg.Get()
	found := [2]uintptr{}
	for at := uintptr(128); at < 400; at += 8 { // further up it is also where a new goroutine begins
		if *field(g, at) == pc {
			found = [2]uintptr{at + 8, *field(g, at+8)}
		}
	}
	probed <- found
}

func init() {
	go probe()
	a := <-probed
	go probe()
	b := <-probed
	if a[0] != b[0] || a[0] == 0 || a[1] == 0 || b[1] == 0 {
		return
	}
	racectxAt = a[0]
	root = start(*current(getg.Get()), 0)
}

//go:norace
func start(parent, pc uintptr) (ctx uintptr) {
	p := new(uintptr)
	call(startFn(), parent, uintptr(unsafe.Pointer(p)), pc, 0)
	return *p
}

// newCtx returns a context that knows of nothing. pc is what reports call its creation.
//
//go:norace
func newCtx(pc uintptr) uintptr {
	for !cas(&starting, 0, 1) {
		runtime.Gosched()
	}
	ctx := start(root, pc)
	store(&starting, 0)
	return ctx
}

//go:norace
func end(ctx uintptr) { call(endFn(), ctx, 0, 0, 0) }

// The three ways to state an edge, by the runtime's exported functions, which look whether they may touch addr.

//go:norace
func acquire(ctx uintptr, addr unsafe.Pointer) { as(ctx, runtime.RaceAcquire, addr) }

//go:norace
func release(ctx uintptr, addr unsafe.Pointer) { as(ctx, runtime.RaceReleaseMerge, addr) }

//go:norace
func releaseStore(ctx uintptr, addr unsafe.Pointer) { as(ctx, runtime.RaceRelease, addr) }

// as calls do in the context ctx.
//
//go:norace
func as(ctx uintptr, do func(unsafe.Pointer), addr unsafe.Pointer) {
	at := current(getg.Get())
	was := *at
	*at = ctx
	do(addr)
	*at = was
}
