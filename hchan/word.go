package hchan

import "github.com/userrt/userrt/internal/atom"

// word is a counter that is written under the channel's lock and may be read without it: the lock
// orders the writes, so a store with release order is enough.
type word struct{ atom.Uint32 }

func (w *word) load() uint32 { return w.Load() }
func (w *word) add(d uint32) { w.StoreRel(w.Load() + d) }
