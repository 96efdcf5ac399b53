package sched

import (
	"fmt"
	"slices"
	"strings"
)

// Circles in the graph of who waits for whom: deadlocks of some tasks while others go on, which only a dump can see.
// The runtime has no counterpart.
//
// A dump reads one task after the other while they run, so edges of different moments may make a circle that never was.
// But each task is looked at three times: at first, when all others have been looked at for the first time, and when it is known what it waits
// for and who holds that. One that is in the same wait all three times has waited from the first to the third. If all of a circle
// have, it is real: the first of them to go on after its third look would have needed what the next one held at that moment, and that one
// could not have released it without going on before.

// inOneWait reports whether the task that v and again show, v first, has waited from the one look to the other.
func (v *view) inOneWait(again *view) bool {
	return v.steady && again.steady && v.state == gWaiting && again.state == gWaiting && v.seq == again.seq && v.stk == again.stk
}

// circles returns the tasks that wait for each other in circles, of those that are stuck. A task waits for one other at
// most, so whoever follows the edges from each task once, and stops where he has been before, finds all.
func circles(tasks []DumpTask, stuck map[uint64]bool) (found [][]uint64) {
	next := map[uint64]uint64{}
	for i := range tasks {
		if t := &tasks[i]; stuck[t.ID] && t.WaitsFor != nil && stuck[t.WaitsFor.Owner] {
			next[t.ID] = t.WaitsFor.Owner
		}
	}
	seen := map[uint64]bool{}
	for i := range tasks {
		var path []uint64
		id := tasks[i].ID
		for !seen[id] && next[id] != 0 {
			seen[id] = true
			path = append(path, id)
			id = next[id]
		}
		if at := slices.Index(path, id); at >= 0 {
			found = append(found, path[at:])
		}
	}
	return found
}

// circleText says who waits for whom.
func circleText(ids []uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "task %d waits for ", ids[0])
	for _, id := range ids[1:] {
		fmt.Fprintf(&b, "task %d, which waits for ", id)
	}
	fmt.Fprintf(&b, "task %d", ids[0])
	return b.String()
}
