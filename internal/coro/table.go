package coro

import (
	"sync/atomic"

	"github.com/userrt/userrt/internal/getg"
	"github.com/userrt/userrt/internal/rawlock"
)

// The table that finds a stack from its goroutine's key: open addressing, linear probing, at most
// half full, read without a lock.
//
// Why that is enough: a key is entered and taken out by its own goroutine only, and only that
// goroutine looks for it. A reader therefore never races with a change of its own entry; changes of
// other entries it merely steps over. Growing publishes a new table that holds all entries; a
// reader that still walks the old one finds its own entry there too.
//
// # Plain goroutines
//
// Whoever is entered by Adopt can't be told when it ends. Its entry is found by the next goroutine that the
// runtime gives the same g, which sees by the goid that it is not its own and adopts another in its place;
// and when as many have been adopted as there were entries after the last sweep, the next sweep leaves out
// those whose goroutines have ended: two looks at an entry for each adoption, and never more entries
// than twice the goroutines alive and the workers' stacks. A sweep publishes a new table and
// leaves the old one as it is, since some goroutine may just be on its way from a key to its stack: so a
// slot of a published table is taken out by the goroutine whose key it holds, and by nobody else.
// Where nobody can tell that a goroutine has ended (package getg's portable twin), entries stay.
//
// There is nothing like it in the runtime, where getg() is the g itself.

const (
	minTable  = 64
	tombstone = 1 // a key that was taken out; no goroutine has it
)

type entry struct {
	key atomic.Uintptr        // 0: never used, so a probe may stop here
	st  atomic.Pointer[Stack] // written before key, read only by the goroutine whose key it is
}

type table struct {
	entries []entry
	shift   uint8 // 64 - log2(len(entries))
}

var (
	stacks atomic.Pointer[table] // never nil after init

	// tableMu guards every write to the table and the counts.
	tableMu rawlock.Mutex
	live    int // entries with a stack
	used    int // entries with a stack or a tombstone
	adopted int // calls of Adopt since the last sweep
	kept    int // entries after it
)

func init() { stacks.Store(newTable(minTable)) }

func newTable(n int) *table {
	t := &table{entries: make([]entry, n), shift: 64}
	for m := 1; m < n; m *= 2 {
		t.shift--
	}
	return t
}

// fibonacci is 2^64 over the golden ratio: the high bits of a product with it mix all bits of the key (Knuth, vol. 3, 6.4).
const fibonacci = 0x9e3779b97f4a7c15

func (t *table) home(key uintptr) uintptr {
	return uintptr(uint64(key) * fibonacci >> t.shift)
}

// front holds stacks, not plain goroutines, at places that need no table to find: a look here takes half the time,
// since no load has to wait for another. A place belongs to the first that comes, until that ends; who
// finds it taken is in the table only. Only its owner writes a place, but for the claim of a free one.
var front [1 << frontBits]struct {
	key atomic.Uintptr
	st  atomic.Pointer[Stack]
}

const frontBits = 10

func frontOf(key uintptr) uintptr {
	return uintptr(uint64(key) * fibonacci >> (64 - frontBits))
}

func lookup() *Stack {
	key := getg.Get()
	if f := &front[frontOf(key)]; f.key.Load() == key {
		return f.st.Load()
	}
	return lookupTable(key)
}

func lookupTable(key uintptr) *Stack {
	t := stacks.Load()
	mask := uintptr(len(t.entries) - 1)
	for i := t.home(key); ; i++ {
		e := &t.entries[i&mask]
		switch e.key.Load() {
		case key:
			return e.st.Load()
		case 0:
			return nil
		}
	}
}

// register enters the calling goroutine as st.
func register(st *Stack) {
	key := getg.Get()
	tableMu.Lock()
	defer tableMu.Unlock()
	t := stacks.Load()
	st.goid, st.key = getg.Goid(), key
	if st.guest {
		adopted++
	}
	if 2*(used+1) > len(t.entries) || adopted > max(kept, minTable/4) {
		t = rebuild(t)
	}
	u, l := t.put(key, st)
	used += u
	live += l
	if f := &front[frontOf(key)]; !st.guest && f.key.CompareAndSwap(0, key) {
		f.st.Store(st)
	}
}

// put enters st and reports what has become more: entries in use, and entries with a stack.
// An entry that an earlier goroutine with the same key has left behind (Adopt) is replaced.
func (t *table) put(key uintptr, st *Stack) (newUsed, newLive int) {
	mask := uintptr(len(t.entries) - 1)
	var free *entry // the first tombstone on the way
	for i := t.home(key); ; i++ {
		e := &t.entries[i&mask]
		switch e.key.Load() {
		case key:
			e.st.Store(st)
			return 0, 0
		case tombstone:
			if free == nil {
				free = e
			}
			continue
		case 0:
			if free == nil {
				free, newUsed = e, 1
			}
			free.st.Store(st)
			free.key.Store(key)
			return newUsed, 1
		}
	}
}

// unregister takes the calling goroutine, entered as st, out.
func unregister(st *Stack) {
	tableMu.Lock()
	defer tableMu.Unlock()
	t := stacks.Load()
	mask := uintptr(len(t.entries) - 1)
	key := getg.Get()
	for i := t.home(key); ; i++ {
		if e := &t.entries[i&mask]; e.key.Load() == key {
			e.st.Store(nil)
			e.key.Store(tombstone)
			break
		}
	}
	if f := &front[frontOf(key)]; f.key.Load() == key {
		f.st.Store(nil)
		f.key.Store(0)
	}
	live--
	if n := len(t.entries); n > minTable && 8*live < n {
		rebuild(t)
	}
}

// Entries returns how many goroutines are entered, and how many the table has room for.
func Entries() (n, room int) {
	tableMu.Lock()
	defer tableMu.Unlock()
	return live, len(stacks.Load().entries)
}

// Sweep takes out the entries of plain goroutines that have ended, if a good part may be such. It is for
// moments when nothing else is to be done.
func Sweep() {
	tableMu.Lock()
	if adopted > max(kept, minTable)/4 {
		rebuild(stacks.Load())
	}
	tableMu.Unlock()
}

// rebuild publishes a table without tombstones and without entries of ended goroutines that is at most a
// quarter full. Needs tableMu.
func rebuild(old *table) *table {
	live = 0
	for i := range old.entries {
		if old.entries[i].alive() {
			live++
		}
	}
	n := minTable
	for n < 4*(live+1) {
		n *= 2
	}
	t := newTable(n)
	live = 0
	for i := range old.entries {
		if e := &old.entries[i]; e.alive() { // not one more than at the first look
			t.put(e.key.Load(), e.st.Load())
			live++
		}
	}
	used, kept, adopted = live, live, 0
	stacks.Store(t)
	return t
}

// alive reports whether e holds a stack whose goroutine may still live. Needs tableMu.
func (e *entry) alive() bool {
	key := e.key.Load()
	if key <= tombstone {
		return false
	}
	st := e.st.Load()
	if !st.guest {
		return true // a stack's end takes it out
	}
	ended, known := getg.Ended(key, st.goid)
	return !known || !ended
}
