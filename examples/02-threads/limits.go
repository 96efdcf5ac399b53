//go:build linux

// How many threads there may be: the limits of the system, of the user, of the control group, and memory.
//
// Go has one more, at which it ends the process: 10,000 threads, unless debug.SetMaxThreads says otherwise (kinds.go does).
// Where a thread can't be made Go ends the process as well (runtime/os_linux.go, newosproc), so it pays to look first.

package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// limit is one of them, and how many threads could be added before it is reached.
type limit struct {
	name string
	most int
	note string
	room int
}

// machine is where /proc and /sys are: in the root folder, but for tests.
type machine string

const here machine = "/"

// perThread is what a thread is assumed to take when memory is looked at.
const perThread = 128 << 10

// limits returns what limits there are, those that cannot be read or don't limit left out.
func (m machine) limits() (all []limit) {
	add := func(name string, most, used, each int, note string) {
		if most >= 0 {
			all = append(all, limit{name, most, note, max(0, most-used) / each})
		}
	}
	running := m.threads()
	var user unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NPROC, &user) == nil && user.Cur < math.MaxInt {
		add("ulimit -u (RLIMIT_NPROC)", int(user.Cur), running, 1, "") // the user's own are no more than all
	}
	add("kernel.threads-max", m.number("proc/sys/kernel/threads-max"), running, 1, "")
	add("kernel.pid_max", m.number("proc/sys/kernel/pid_max"), running, 1, "")
	most, used := m.groupLimit("pids", "pids.max", "pids.current")
	add("pids.max of the control group", most, used, 1, "")
	// A stack made by C takes two mappings, itself and its guard page; those that Go makes take none.
	maps, _ := os.ReadFile(m.path("proc/self/maps"))
	add("vm.max_map_count", m.number("proc/sys/vm/max_map_count"), bytes.Count(maps, []byte("\n")), 2, " at 2 each, as C makes them")
	free := m.field("proc/meminfo", "MemAvailable")
	if free > 0 {
		add("free memory", free, 0, perThread, " at 128 KiB each")
	}
	most, used = m.groupLimit("memory", "memory.max", "memory.current")
	if most < 0 { // version 1 has other names, and a number that is never reached for none
		most, used = m.groupLimit("memory", "memory.limit_in_bytes", "memory.usage_in_bytes")
	}
	if most >= 0 && most-used < free {
		add("memory of the control group", most, used, perThread, " at 128 KiB each")
	}
	return all
}

// threads is how many there are on the machine, or on as much of it as we can see: "running/all" in loadavg.
func (m machine) threads() int {
	text, _ := os.ReadFile(m.path("proc/loadavg"))
	for field := range strings.FieldsSeq(string(text)) {
		if _, all, ok := strings.Cut(field, "/"); ok {
			n, _ := strconv.Atoi(all)
			return n
		}
	}
	return 0
}

// groupLimit returns the tightest limit of a kind in our control group and those above it, and what is used of that; -1 if there
// is none. Version 2 has one tree at /sys/fs/cgroup, version 1 one for each controller below that.
func (m machine) groupLimit(controller, most, current string) (limit, used int) {
	limit = -1
	text, _ := os.ReadFile(m.path("proc/self/cgroup"))
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3) // number:controllers:path
		if len(f) != 3 || f[1] != "" && f[1] != controller {
			continue
		}
		root := filepath.Join("sys/fs/cgroup", f[1])
		for dir := f[2]; ; dir = filepath.Dir(dir) {
			l, u := m.number(filepath.Join(root, dir, most)), m.number(filepath.Join(root, dir, current))
			if l >= 0 && u >= 0 && (limit < 0 || l-u < limit-used) {
				limit, used = l, u
			}
			if dir == "/" || dir == "." {
				break
			}
		}
	}
	return limit, used
}

func (m machine) path(file string) string { return filepath.Join(string(m), file) }

// number reads a file that holds one number; -1 if it does not: "max", or no such file.
func (m machine) number(file string) int {
	text, err := os.ReadFile(m.path(file))
	if err != nil {
		return -1
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return -1
	}
	return n
}

// field returns a field of a file such as proc/self/status or proc/meminfo: a count, or bytes where the file says kB.
func (m machine) field(file, name string) int {
	text, _ := os.ReadFile(m.path(file))
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, name+":")
		f := strings.Fields(rest)
		if !ok || len(f) == 0 {
			continue
		}
		n, _ := strconv.Atoi(f[0])
		if len(f) > 1 && f[1] == "kB" {
			n <<= 10
		}
		return n
	}
	return 0
}
