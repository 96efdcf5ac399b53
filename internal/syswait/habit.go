// For how long a sleep keeps its native P, and which sleeps do. The runtime has no counterpart: there a P is not kept over a sleep that
// the scheduler knows of.

package syswait

// Brief is how long a wait keeps its native P, ns.
const Brief int64 = 1_000_000

// maxSkip is how many sleeps in a row give the P away at once, where keeping it has turned out wrong each time. The next one keeps it, to
// find out whether it still is.
const maxSkip = 63

// Habit is what a sleeper has learned of its sleeps: whether they are so short that its native P is worth keeping. The zero Habit keeps it.
// Sleeps that share one come one after the other.
type Habit struct {
	skip    uint8 // so many sleeps to come don't keep the P
	backoff uint8 // what skip was set to by the last sleep that was too long, halved by each short one since
}

// Keeps reports whether the next sleep is to begin by keeping the P.
func (h *Habit) Keeps() bool {
	if h.skip > 0 {
		h.skip--
		return false
	}
	return true
}

// Kept notes how a sleep that kept the P has ended: woken by what was waited for; or not, which is after Brief, or when others wanted the P, or
// when its own time was up. The last doesn't speak against keeping it; but if it did not count, a task that sleeps for 100 µs again and again would
// keep plain goroutines waiting for milliseconds where there is one native P.
func (h *Habit) Kept(woken bool) {
	if woken {
		h.backoff /= 2
		return
	}
	h.backoff = min(2*h.backoff+1, maxSkip)
	h.skip = h.backoff
}
