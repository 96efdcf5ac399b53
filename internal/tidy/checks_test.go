// All checks, over the repository and over small trees with a known fault.

package tidy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

const root = "../.."

func loadRoot(t *testing.T) *tree {
	t.Helper()
	tr, err := load(os.DirFS(root))
	require.NoError(t, err)
	require.True(t, tr.known["go.mod"], "%s is the root of the module", root)
	require.NotEmpty(t, tr.goFiles(false))
	return tr
}

// goSource returns the source folder of the Go that builds this repository.
func goSource() string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		panic(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "src")
}

var checks = map[string]func(*tree) []string{
	"layers":   badImports,
	"clock":    badClock,
	"length":   tooLong,
	"opening":  noOpening,
	"exported": undocumented,
	"mentions": badMentions(goSource()),
	"links":    badLinks,
	"words":    badWords,
}

func TestTree(t *testing.T) {
	tr := loadRoot(t)
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			found := check(tr)
			require.Empty(t, found, strings.Join(found, "\n"))
		})
	}
}

// faults lists small trees, each with what one check has to say about it; the empty list: nothing.
var faults = []struct {
	check string
	files map[string]string
	want  []string
}{
	{"layers", map[string]string{
		"sched/a.go":           "package sched\nimport _ \"" + module + "/hchan\"",
		"hchan/a.go":           "package hchan\nimport _ \"" + module + "/waitgroup\"",
		"hchan/b_test.go":      "package hchan\nimport _ \"" + module + "/waitgroup\"",
		"locks/a.go":           "package locks\nimport _ \"" + module + "/internal/testsched\"",
		"internal/scene/a.go":  "package scene\nimport _ \"" + module + "/sched\"",
		"internal/futex/a.go":  "package futex\nimport _ \"" + module + "/sched\"",
		"internal/futex/b.go":  "package futex\nimport _ \"golang.org/x/sys/unix\"",
		"sched/b.go":           "package sched\nimport _ \"" + module + "/internal/testsched\"",
		"sched/c.go":           "package sched\nimport _ \"golang.org/x/exp/stats\"",
		"sched/d_test.go":      "package sched\nimport _ \"github.com/stretchr/testify/require\"",
		"netpoll/a.go":         "package netpoll\nimport _ \"" + module + "/bench\"",
		"netpoll/b_windows.go": "package netpoll\nimport _ \"github.com/stretchr/testify/require\"",
		"bench/a.go":           "package main\nimport _ \"" + module + "/internal/rng\"",
		"bench/b.go":           "package main\nimport _ \"" + module + "/locks\"",
		"bench/c.go":           "package main\nimport _ \"" + module + "/internal/floor\"",
		"examples/a.go":        "package main\nimport _ \"" + module + "/internal/floor\"",
		"other/a.go":           "package other\nimport _ \"" + module + "/sched\"",
	}, []string{
		"bench/a.go:2: bench may not import " + module + "/internal/rng",
		"examples/a.go:2: examples may not import " + module + "/internal/floor",
		"hchan/a.go:2: hchan may not import " + module + "/waitgroup",
		"internal/futex/a.go:2: internal/futex may not import " + module + "/sched",
		"netpoll/a.go:2: netpoll may not import " + module + "/bench",
		"netpoll/b_windows.go:2: netpoll may not import github.com/stretchr/testify/require",
		"other/a.go:2: other may not import " + module + "/sched",
		"sched/a.go:2: sched may not import " + module + "/hchan",
		"sched/b.go:2: sched may not import " + module + "/internal/testsched",
		"sched/c.go:2: sched may not import golang.org/x/exp/stats",
	}},
	{"clock", map[string]string{
		"sched/a.go":          "package sched\nimport \"time\"\nvar _ = time.Now()\nvar _ = time.Until\nvar _ = time.Second",
		"sched/b.go":          "package sched\nimport _ \"math/rand/v2\"",
		"sched/c_test.go":     "package sched\nimport \"time\"\nvar _ = time.Now()",
		"internal/clock/a.go": "package clock\nimport \"time\"\nvar _ = time.Now()",
		"bench/a.go":          "package main\nimport \"time\"\nvar _ = time.Now()",
	}, []string{
		"sched/a.go:3: time.Now: take internal/clock",
		"sched/a.go:4: time.Until: take internal/clock",
		"sched/b.go:2: math/rand/v2: take internal/rng",
	}},
	{"length", map[string]string{
		"sched/a.go": "package sched\n" + strings.Repeat("\n", maxLines),
		"sched/b.go": "package sched\n" + strings.Repeat("\n", maxLines-1),
	}, []string{"sched/a.go: 501 lines, more than 500"}},
	{"opening", map[string]string{
		"sched/a.go":      "//go:build linux\n\npackage sched\n\nimport \"time\"\n\ntype T time.Time // late",
		"sched/a2.go":     "package sched\n\nimport \"time\"\n\n// T has a comment.\ntype T time.Time",
		"sched/b.go":      "// Before.\n\npackage sched\n\nimport _ \"time\"",
		"sched/c.go":      "package sched\n\n// After.\n\nimport _ \"time\"",
		"sched/d.go":      "package sched\n\nimport ( // inside\n)\n\nvar x int",
		"sched/e.go":      "package sched\n\n// The only type.\ntype T int // of this file",
		"sched/f_test.go": "package sched",
	}, []string{
		"sched/a.go:3: file does not open with a comment",
		"sched/d.go:1: file does not open with a comment",
	}},
	{"exported", map[string]string{
		"sched/a.go": "package sched\ntype T int\nfunc (t *T) M() {}\ntype u[K any] int\nfunc (u[K]) M() {}\n" +
			"// C and D.\nconst (\nC = 1\nD = 2\n)\nvar (\nE int // here\nF int\n)\nfunc Fn() {}\nfunc fn() {}",
		"bench/a.go": "package main\ntype T int",
	}, []string{
		"sched/a.go:2: T has no comment",
		"sched/a.go:3: M has no comment",
		"sched/a.go:13: F has no comment",
		"sched/a.go:15: Fn has no comment",
	}},
	{"mentions", map[string]string{
		"sched/a.go": "package sched\n// See (runtime/proc.go, findRunnable, stealWork) and runtime/chan.go, hchan.recvq, where it waits.\n" +
			"// As runtime/proc.go, comment \"Worker thread parking/unparking\"; some/other.go, thing, is elsewhere.\n" +
			"// Wrapped: runtime/proc.go,\n// runqput and runqget. And runtime/netpoll_epoll.go, netpoll, polls it.\n// Both runtime/chan.go, and runtime/proc.go, runtime/time.go.",
		"sched/b.go": "package sched\n// runtime/prok.go, findRunnable",
		"sched/c.go": "package sched\n// runtime/proc.go, runqput, runqgot, runqget",
		"docs/a.md":  "| sched/b.go, here | `runtime/chan.go, sendNothing` |",
		"sched/d.go": "package sched\n// As in sched/e.go, second.\nvar first int",
		"sched/e.go": "package sched\nvar second int",
	}, []string{
		"docs/a.md: runtime/chan.go has no sendNothing",
		"docs/a.md: sched/b.go has no here",
		"sched/b.go: runtime/prok.go does not exist",
		"sched/c.go: runtime/proc.go has no runqgot",
	}},
	{"links", map[string]string{
		"README.md":    "[a](docs/a.md#part) [b](docs/none.md)\n[c](https://go.dev/x) [d](#here) ![e](docs/ \"title\")\n[f]: gone.md",
		"docs/a.md":    "[up](../README.md)\n```\n[not](a-link.md)\n```\n[a](a.md)",
		"docs/b/c.md":  "[wrong](docs/a.md)",
		"docs/img.svg": "",
	}, []string{
		"README.md:1: no docs/none.md",
		"README.md:3: no gone.md",
		"docs/b/c.md:1: no docs/a.md",
	}},
	{"words", map[string]string{
		"a.md":    "an obses" + "sion, a " + "Sess" + "ion\nhome" + "/wo" + "rk/x",
		"b/c.go":  "package b\n// see iss" + "ue 12; an issue is none",
		".ci/run": "GOPROXY=proxy.go" + "lang.org",
	}, []string{
		".ci/run:1: \"proxy.go" + "lang.org\"",
		"a.md:1: \"Sess" + "ion\"",
		"a.md:2: \"/wo" + "rk/\"",
		"b/c.go:2: \"iss" + "ue 12\"",
	}},
}

func TestChecksFindFaults(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range faults {
		seen[c.check] = true
		t.Run(c.check, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for p, text := range c.files {
				fsys[p] = &fstest.MapFile{Data: []byte(text)}
			}
			tr, err := load(fsys)
			require.NoError(t, err)
			require.Equal(t, c.want, checks[c.check](tr))
		})
	}
	for name := range checks {
		require.True(t, seen[name], "%s has a tree with a fault", name)
	}
}
