package locks

import (
	"sync/atomic"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/nocopy"
)

// Once does something once. The zero value is ready for use; it must not be copied after its first use, which go vet
// sees. The same in Go: sync/once.go.
type Once struct {
	_    nocopy.NoCopy
	word hb.Word // for the race detector: where the edge is stated

	done atomic.Uint32
	m    Mutex // held while the function runs
}

// Do calls f if this is the first call of Do on o. All others, whatever their f, return once that one has returned, and what it
// did happens before they do. If f panics or exits, or its task is unwound, it counts as having returned. An f that calls o.Do waits for
// itself, for ever.
func (o *Once) Do(f func()) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	// done is set when f has returned and not when it begins, for all others may take it that f has.
	if o.done.Load() == 0 {
		o.doSlow(f)
	}
	if hb.On {
		hb.Acquire(o.word.Addr())
	}
}

func (o *Once) doSlow(f func()) {
	if !o.m.takeFree() {
		o.m.lockSlow()
	}
	defer o.m.unlock()
	if o.done.Load() != 0 {
		return
	}
	defer o.over()
	outside(f)
}

func (o *Once) over() {
	if hb.On {
		hb.Release(o.word.Addr())
	}
	o.done.Store(1)
}
