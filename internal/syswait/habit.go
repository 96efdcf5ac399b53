package syswait

// Brief is how long a wait keeps its native P, ns.
const Brief int64 = 1_000_000

// maxSkip is how many sleeps in a row give the P away at once, where keeping it has turned out wrong each time. The next one keeps it, to find out whether it still is.
const maxSkip = 63

// Habit is what a sleeper has learned of its sleeps: whether they are so short that its native P is worth keeping. The zero Habit keeps it. Sleeps that share one come one after
// the other. The runtime has no counterpart: there a P is not kept over a sleep that the scheduler knows of.
type Habit struct {
	skip    uint8 // that many sleeps don't keep the P
	backoff uint8 // half of skip after the next one that is too long
}

// Keeps reports whether the next sleep is to begin by keeping the P.
func (h *Habit) Keeps() bool {
	if h.skip > 0 {
		h.skip--
		return false
	}
	return true
}

// Kept notes how a sleep with the P has ended: by what was waited for, or not: after Brief, because others wanted the P, or because its time was up. The last would
// not speak against keeping it; but with one native P a task that sleeps for 100 µs again and again would then keep plain goroutines waiting for milliseconds.
func (h *Habit) Kept(woken bool) {
	if woken {
		h.backoff /= 2
		return
	}
	h.backoff = min(2*h.backoff+1, maxSkip)
	h.skip = h.backoff
}
