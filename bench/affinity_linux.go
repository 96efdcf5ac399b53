// On which processors a thread may run: sched_setaffinity(2).

package main

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// cpusOf returns the processors on which a thread may run, 0 for the calling one.
func cpusOf(tid int) (cpus []int, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(tid, &set); err != nil {
		return nil, err
	}
	for cpu := range 8 * int(unsafe.Sizeof(set)) {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// bindThread binds a thread, 0 for the calling one, to processors.
func bindThread(tid int, cpus []int) error {
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	return unix.SchedSetaffinity(tid, &set)
}
