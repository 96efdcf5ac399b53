//go:build linux

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/coro"
)

// Children are started from this binary too.
func TestMain(m *testing.M) {
	if k := os.Getenv(childEnv); k != "" {
		child(k)
	}
	os.Exit(m.Run())
}

// Each thread is one, and the kernel switches for nearly every turn of two; goroutines and tasks wait on a few, and it hardly does.
func TestKinds(t *testing.T) {
	const n = 300
	for _, k := range kinds {
		r := &result{Number: n}
		require.NoError(t, r.measure(k.name))
		require.Equal(t, n, r.Number)
		require.Positive(t, r.Nanos)
		require.Positive(t, r.bytes())
		if k.name == "threads" {
			require.GreaterOrEqual(t, r.Threads, n)
			require.Greater(t, r.Switches, 0.1)
			continue
		}
		require.Less(t, r.Threads, n/2)
		if k.name == "goroutines" || coro.Backend == "cell" {
			require.Less(t, r.Switches, 0.1)
		}
	}
}

func TestShow(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, show(&out, 50))
	for _, want := range []string{"room for", "   threads       50 |", "goroutines       50 |", "     tasks       50 |", "10000 connections"} {
		require.Contains(t, out.String(), want)
	}
}

func TestChildRefusesNonsense(t *testing.T) {
	require.Error(t, (&result{Number: 3}).measure("fibres"))
	require.Equal(t, 2, childMain("tasks", nil))
	require.Equal(t, 1, childMain("tasks", []string{"many"}))
}

// The tightest limit counts, be it of the system, of the group or of one above that, in either version of control groups.
func TestLimits(t *testing.T) {
	files := map[string]string{
		"proc/loadavg":                "0.42 0.61 0.70 2/900 12345\n",
		"proc/sys/kernel/threads-max": "5000\n",
		"proc/sys/kernel/pid_max":     "32768\n",
		"proc/sys/vm/max_map_count":   "65530\n",
		"proc/self/maps":              "a\nb\n",
		"proc/self/cgroup":            "0::/a/b\n",
		"proc/meminfo":                "MemTotal: 9999999 kB\nMemAvailable:    1024 kB\n",
		"sys/fs/cgroup/a/b/pids.max":  "max\n", "sys/fs/cgroup/a/b/pids.current": "7\n",
		"sys/fs/cgroup/a/pids.max": "1000\n", "sys/fs/cgroup/a/pids.current": "40\n",
		"sys/fs/cgroup/a/b/memory.max": "524288\n", "sys/fs/cgroup/a/b/memory.current": "262144\n",
	}
	rooms := func() map[string]int {
		dir := t.TempDir()
		for name, text := range files {
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		}
		all := map[string]int{}
		for _, l := range machine(dir).limits() {
			if !strings.HasPrefix(l.name, "ulimit") { // this process's own
				all[l.name] = l.room
			}
		}
		return all
	}
	want := map[string]int{
		"kernel.threads-max": 4100, "kernel.pid_max": 31868, "pids.max of the control group": 960,
		"vm.max_map_count": 32764, "free memory": 8, "memory of the control group": 2,
	}
	require.Equal(t, want, rooms())

	files["proc/self/cgroup"] = "8:pids:/c\n4:memory:/c\n1:cpu:/\n"
	files["sys/fs/cgroup/pids/c/pids.max"], files["sys/fs/cgroup/pids/c/pids.current"] = "50\n", "20\n"
	files["sys/fs/cgroup/memory/c/memory.limit_in_bytes"], files["sys/fs/cgroup/memory/c/memory.usage_in_bytes"] = "9223372036854771712\n", "9\n"
	want["pids.max of the control group"] = 30
	delete(want, "memory of the control group")
	require.Equal(t, want, rooms())

	files = nil // nothing to be read
	require.Empty(t, rooms())

	var out bytes.Buffer
	require.Equal(t, 15, room(&out, []limit{{name: "a", room: 100}, {name: "b", room: 30}}))
}
