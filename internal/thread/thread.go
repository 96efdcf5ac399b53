// Package thread knows the calling OS thread: its id, and on which CPUs it may run.
//
// The runtime has the same for itself only: runtime/runtime2.go, m, procid. Affinity it leaves alone, but
// at its start it counts the CPUs (runtime/os_linux.go, getCPUCount).
package thread
