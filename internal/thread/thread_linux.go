// Threads on Linux: gettid(2), sched_setaffinity(2). All take about 100 ns, but for a change of the CPU.

package thread

import "golang.org/x/sys/unix"

// Exists reports whether ID tells threads apart and affinity can be set here.
const Exists = true

// Mask is a set of CPUs.
type Mask struct{ set unix.CPUSet }

// initial is the process's own mask, read before anybody could change that of a thread.
var initial, initialErr = Of(0)

// ID returns the calling thread's id; never 0.
func ID() int { return unix.Gettid() }

// Of returns the mask of the thread with that id, 0 for the caller's. An error means that there is none, or no
// right to ask.
func Of(tid int) (m Mask, err error) {
	err = unix.SchedGetaffinity(tid, &m.set)
	return m, err
}

// Set gives the thread with that id, 0 for the caller's, the mask m.
func Set(tid int, m Mask) error { return unix.SchedSetaffinity(tid, &m.set) }

// Only returns the mask of a single CPU.
func Only(cpu int) (m Mask) {
	m.set.Set(cpu)
	return m
}

// Has reports whether m holds a CPU; false for a number that no CPU may have.
func (m Mask) Has(cpu int) bool { return cpu >= 0 && m.set.IsSet(cpu) }

// Initial returns the mask that the process had when it started.
func Initial() (Mask, error) { return initial, initialErr }
