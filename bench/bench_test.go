// The bodies as Go benchmarks, and tests that each of them is right on a small size.
//
//	go test -bench /hchan/ ./bench > new.txt && benchstat -col /impl new.txt
//
// One iteration is a Step of the pair; ns/op is of the pair's operation all the same.

package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/sched"
)

// TestMain lets the test binary be the client of the pairs for netpoll, and measure memory, as main does.
func TestMain(m *testing.M) {
	if askedToBeClient() {
		os.Exit(clientMain(os.Stdin, os.Stdout))
	}
	if askedToMeasurePoint() {
		os.Exit(pointMain(os.Stdout, os.Stderr))
	}
	if askedToMeasureMemory() {
		os.Exit(memoryMain(os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func BenchmarkPair(b *testing.B) {
	for _, p := range pairs() {
		for _, procs := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/procs=%d", p.Name, procs), func(b *testing.B) { benchmarkPair(b, p, procs) })
		}
		if p.Close != nil {
			require.NoError(b, p.Close())
		}
	}
}

// benchmarkPair runs both sides of p as measure does: GOMAXPROCS for both, one scheduler.
func benchmarkPair(b *testing.B, p Pair, procs int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	s := newScheduler(b, procs)
	if p.Open != nil {
		require.NoError(b, p.Open())
	}
	b.Run("impl=native", func(b *testing.B) {
		benchmarkSide(b, p, func(n int) (*Round, error) { return runNative(p.Native, n) })
	})
	b.Run("impl=userrt", func(b *testing.B) {
		benchmarkSide(b, p, func(n int) (*Round, error) { return runUserrt(s, p.Userrt, n) })
	})
}

func benchmarkSide(b *testing.B, p Pair, body func(n int) (*Round, error)) {
	n := b.N * p.Step
	r, err := body(n)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		b.Skip(err)
	case err != nil:
		b.Fatal(err)
	}
	b.ReportMetric(r.perOp(), p.Unit)
}

func newScheduler(t testing.TB, procs int) *sched.Scheduler {
	s, err := sched.New(sched.Config{Procs: procs})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// TestPairs runs both bodies of every pair once, on a small size; the bodies check their results.
func TestPairs(t *testing.T) {
	for _, procs := range []int{1, 2, 8} { // 8: more than processors, for liveness
		for _, p := range pairs() {
			if raceEnabled && p.Name == "skynet" {
				p = skynet(1000) // the detector ends a process that has 8,128 goroutines
			}
			t.Run(fmt.Sprintf("%s/procs=%d", p.Name, procs), func(t *testing.T) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				s := newScheduler(t, procs)
				if p.Open != nil {
					require.NoError(t, p.Open())
				}
				if p.Close != nil {
					defer func() { require.NoError(t, p.Close()) }()
				}
				n := max(100/p.Step, 1) * p.Step
				switch {
				case p.Unit == bytesPerOp || p.Unit == bytesPerConn:
					n = 1000 // each has to be made
				case strings.HasPrefix(p.Name, "sched/hog"):
					n = 5 // each takes 10 ms at least
				}
				r, err := runNative(p.Native, n)
				require.NoError(t, err, "native")
				require.Positive(t, r.perOp())
				r, err = runUserrt(s, p.Userrt, n)
				if errors.Is(err, errors.ErrUnsupported) {
					t.Skip(err)
				}
				require.NoError(t, err, "userrt")
				require.Positive(t, r.perOp())
			})
		}
	}
}

// TestPairList checks what the rest of the program takes for granted of each pair.
func TestPairList(t *testing.T) {
	want := []string{
		"sched/spawn", "sched/spawnjoin", "sched/run", "sched/forkjoin", "sched/forkjoin-both", "sched/for", "sched/yield-1", "sched/yield-2", "sched/yield-1000",
		"sched/unbalanced", "sched/hog-calls", "sched/hog-silent", "sched/sleep-late", "sched/timer-set", "sched/timer-fire", "sched/pending-timer", "sched/native-timer", "sched/parked-bytes", "sched/fresh-bytes",
		"hchan/pingpong", "hchan/buffered-1x1", "hchan/buffered-4x4", "hchan/uncontended",
		"hchan/select-ready", "hchan/select-one", "hchan/select-park", "hchan/try",
		"hchan/sieve", "hchan/pipeline-100", "hchan/fanin-100", "hchan/contended-8x8", "hchan/mixed", "hchan/range", "hchan/large",
		"waitgroup/wait-1", "waitgroup/wait-1000", "waitgroup/fanout",
		"locks/mutex", "locks/mutex-2", "locks/mutex-8", "locks/mutex-1000", "locks/mutex-yield-2", "locks/mutex-yield-8", "locks/mutex-yield-1000",
		"locks/rwmutex-90", "locks/rwmutex-99", "locks/cond-broadcast", "locks/semaphore", "locks/once",
		"skynet",
		"netpoll/echo-1", "netpoll/echo-64", "netpoll/echo-1000", "netpoll/echo-pipelined", "netpoll/echo-cpu",
		"netpoll/throughput-64k", "netpoll/accept", "netpoll/idle-memory", "netpoll/http", "netpoll/http-cpu",
	}
	var names []string
	for _, p := range pairs() {
		names = append(names, p.Name)
		require.LessOrEqual(t, len(p.Name), nameWidth)
		require.NotEmpty(t, p.Doc, p.Name)
		require.Contains(t, []string{nsPerOp, cpuPerOp, bytesPerOp, bytesPerConn, percentOf}, p.Unit, p.Name)
		require.Positive(t, p.Step, p.Name)
		require.NotNil(t, p.Native, p.Name)
		require.NotNil(t, p.Userrt, p.Name)
	}
	require.Equal(t, want, names)
}

// TestEveryPairHasAnInterval gives each pair as many costs as it has rounds by default.
func TestEveryPairHasAnInterval(t *testing.T) {
	for _, p := range pairs() {
		p = p.asked(defaultCount, roundTarget)
		var costs []float64
		for i := range p.rounds(defaultCount) {
			costs = append(costs, float64(i+1))
		}
		res := summarize(p, 1, costs, costs)
		require.NotNil(t, res.SpeedupCI, p.Name)
		require.True(t, changeOf(&res, &res).speedup.judged, p.Name)
	}
}

// TestKnownResults checks the constants that bodies compare with, each computed another way.
func TestKnownResults(t *testing.T) {
	require.Equal(t, int64(4_999_950_000), sumTo(100_000))
	forks := 0
	var fib func(n int) int
	fib = func(n int) int {
		if n < 2 {
			return n
		}
		forks++
		return fib(n-1) + fib(n-2)
	}
	require.Equal(t, fibResult, fib(fibArg))
	require.Equal(t, fibForks, forks)
	require.Equal(t, treeNodes, nodesOf(treeHeight))
	require.EqualError(t, mismatch("sum", 3, 4), "wrong result: sum 3, want 4")
}

// TestNoTimers holds the package to its invariant: no code in it makes a timer, or a deadline,
// which is one. The exception are the pairs that measure timers, which leave none pending, and the tests
// with a browser, which measure nothing.
func TestNoTimers(t *testing.T) {
	forbidden := map[string]bool{
		"time.After": true, "time.AfterFunc": true, "time.NewTicker": true, "time.NewTimer": true,
		"time.Sleep": true, "time.Tick": true, "context.WithTimeout": true, "context.WithDeadline": true,
		"net.DialTimeout": true, "exec.CommandContext": true,
	}
	fset := token.NewFileSet()
	files, err := fs.Glob(os.DirFS("."), "*.go")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		if file == "timers.go" || file == "out_html_browser_test.go" {
			continue
		}
		tree, err := parser.ParseFile(fset, file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(tree, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok {
				name := pkg.Name + "." + sel.Sel.Name
				require.False(t, forbidden[name], "%s uses %s", fset.Position(sel.Pos()), name)
			}
			deadline := strings.HasPrefix(sel.Sel.Name, "Set") && strings.HasSuffix(sel.Sel.Name, "Deadline")
			require.False(t, deadline, "%s sets a deadline", fset.Position(sel.Pos()))
			return true
		})
	}
}
