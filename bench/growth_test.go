// Series: both sides of every one are right at small sizes, and slopes are those of known data.

package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSeries runs both sides of every series at its two smallest sizes; the bodies check their results.
func TestSeries(t *testing.T) {
	for _, s := range allSeries() {
		for _, size := range s.sizes[:2] {
			for _, procs := range []int{1, 2} {
				t.Run(fmt.Sprintf("%s/%d/procs=%d", s.name, size, procs), func(t *testing.T) { runPair(t, s.at(size), procs) })
			}
		}
	}
}

// runPair does one Step of both sides.
func runPair(t *testing.T, p Pair, procs int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	s := newScheduler(t, procs)
	if p.Open != nil {
		require.NoError(t, p.Open())
	}
	if p.Close != nil {
		defer func() { require.NoError(t, p.Close()) }()
	}
	r, err := runNative(p.Native, p.Step)
	require.NoError(t, err, "native")
	require.Positive(t, r.perOp())
	r, err = runUserrt(s, p.Userrt, p.Step)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err, "userrt")
	require.Positive(t, r.perOp())
}

// TestSelects receives from each case of each of the written-out selects.
func TestSelects(t *testing.T) {
	for cases, receive := range nativeSelects {
		c := make([]chan int, cases)
		for i := range c {
			c[i] = make(chan int, 1)
		}
		for i := range c {
			c[i] <- i + 7
			require.Equal(t, i+7, receive(c), "case %d of %d", i, cases)
		}
	}
}

// TestSeriesList looks at how far each series goes: tasks to a million, connections to 10,000, stages to 1,000, queues to 100,000, without gaps.
func TestSeriesList(t *testing.T) {
	reach := map[string]struct {
		of          string
		first, last int
		counted     bool // an operation is one of what the size counts
	}{
		"spawn":     {"tasks", 10, 1_000_000, true},
		"skynet":    {"leaves", 10, 1_000_000, true},
		"parked":    {"tasks", 1000, 1_000_000, true},
		"yield":     {"tasks", 1, 100_000, true},
		"fanout":    {"tasks", 10, 100_000, true},
		"timers":    {"timers", 10, 1_000_000, true},
		"conns":     {"connections", 1, 10_000, true},
		"pipeline":  {"stages", 1, 1000, true},
		"receivers": {"tasks in a channel's queue", 10, 100_000, true},
		"lockers":   {"tasks in a Mutex's queue", 10, 100_000, true},
		"cases":     {"cases of a select", 1, 64, true},
		"slots":     {"slots of a channel", 0, 65_536, false},
	}
	const widest = 64 // from one size to the next; of slots, others have decades or less
	for _, s := range allSeries() {
		want, ok := reach[s.name]
		require.True(t, ok, "%s: unknown, or there twice", s.name)
		delete(reach, s.name)
		require.Equal(t, want.of, s.of, s.name)
		require.Equal(t, want.first, s.sizes[0], s.name)
		require.Equal(t, want.last, s.sizes[len(s.sizes)-1], s.name)
		for i, size := range s.sizes {
			p := s.at(size)
			if i > 0 {
				before := s.sizes[i-1]
				require.Greater(t, size, before, s.name)
				require.LessOrEqual(t, size, max(before, 1)*map[bool]int{true: 10, false: widest}[want.counted], "%s: a gap", s.name)
				require.NotEqual(t, s.at(before).Doc, p.Doc, "%s: the size is in the sentence", s.name)
			}
			require.Positive(t, p.Step, s.name)
			if want.counted {
				require.Zero(t, p.Step%size, "%s: %d operations on %d", s.name, p.Step, size)
			}
			require.NotEmpty(t, p.Unit, s.name)
			require.NotEmpty(t, p.Doc, s.name)
		}
	}
	require.Empty(t, reach, "not measured")
	all := points(allSeries(), regexp.MustCompile(""))
	for _, p := range all {
		require.LessOrEqual(t, len(p.pair.Name), nameWidth)
		require.Positive(t, p.pair.AtMost)
	}
	two := points(allSeries(), regexp.MustCompile(`^skynet/100?$`))
	require.Len(t, two, 2)
	require.Equal(t, "skynet/10", two[0].pair.Name)
	require.Equal(t, 100, two[1].size)
}

func TestSlope(t *testing.T) {
	sizes := []int{1, 10, 100, 1000}
	for _, c := range []struct {
		what         string
		sizes        []int
		costs        []float64 // an operation
		all, steep   float64
		worse        bool
		saysInItself string
	}{
		{"even costs", sizes, []float64{7, 7, 7, 7}, 1, 1, false, "size^1.00, linear"},
		{"a pass over all for each", sizes, []float64{3, 30, 300, 3000}, 2, 2, true, "size^2.00, WORSE THAN LINEAR, WORSE THAN LINEAR from 1 to 10 (size^2.00)"},
		{"cheaper by the dozen", sizes, []float64{1000, 100, 10, 1}, 0, 0, false, "size^0.00, less than linear"},
		{"a jump at the end", sizes, []float64{10, 10, 10, 40}, 1.1806, 1.6021, true, "size^1.18, WORSE THAN LINEAR, WORSE THAN LINEAR from 100 to 1,000 (size^1.60)"},
		{"size 0", []int{0, 1, 100}, []float64{50, 5, 5}, 1, 1, false, "size^1.00, linear"},
		{"near sizes are no step", []int{1, 2, 4}, []float64{5, 10, 5}, 1, 0, false, "size^1.00, linear"},
	} {
		s, ok := slopeOf(c.sizes, c.costs)
		require.True(t, ok, c.what)
		require.InDelta(t, c.all, s.all, 1e-3, c.what)
		require.InDelta(t, c.steep, s.steepest, 1e-3, c.what)
		require.Equal(t, c.worse, s.worse(), c.what)
		require.Equal(t, c.saysInItself, s.String(), c.what)
	}
	for _, sizes := range [][]int{nil, {5}, {0, 5}} {
		_, ok := slopeOf(sizes, make([]float64, len(sizes)))
		require.False(t, ok)
	}
}

// TestSlopesInTheTable prints two series, of which the first is linear natively only.
func TestSlopesInTheTable(t *testing.T) {
	var b bytes.Buffer
	o := &textOutput{w: &b}
	point := func(series string, size int, native, userrt float64) {
		require.NoError(t, o.point(Point{Series: series, Of: "things", Size: size, Result: Result{Procs: 2, Unit: nsPerOp, Native: native, Userrt: userrt, Speedup: 1}}))
	}
	point("a", 10, 5, 5)
	point("a", 100, 5, 50)
	point("b", 10, 5, 5)
	require.NoError(t, o.end())
	require.Equal(t, 1, strings.Count(b.String(), "in all "), "there is no slope of a single point")
	_, after, _ := strings.Cut(b.String(), "in all      native size^1.00, linear; userrt size^2.00, WORSE THAN LINEAR")
	require.Contains(t, after, "growth of b, in things, procs 2")
}

// TestGrowthCommand goes through the whole command with the smallest points of one series.
func TestGrowthCommand(t *testing.T) {
	status, stdout, stderr := command(fakePairs(), "-growth", "-format", "json", "-count", "5", "-procs", "1,2", "-run", "^(cases/[12]|b/even)$")
	require.Equal(t, 0, status, stderr)
	rep, err := readReport(strings.NewReader(stdout))
	require.NoError(t, err)
	require.Len(t, rep.Results, 2)
	require.Len(t, rep.Points, 2)
	p := rep.Points[1]
	require.Equal(t, "cases", p.Series)
	require.Equal(t, 2, p.Size)
	require.Equal(t, "cases/2", p.Name)
	require.Equal(t, 2, p.Procs, "the last of the list only")
	require.Equal(t, growthRounds, p.Runs)
	require.Positive(t, p.Native)

	status, stdout, _ = command(fakePairs(), "-list", "-growth", "-run", "^a/win$|^skynet/10$")
	require.Equal(t, 0, status)
	require.Regexp(t, `^a/win +what a/win does\nskynet/10 +a tree of tasks.*\n$`, stdout)
	status, _, _ = command(fakePairs(), "-list", "-run", "^skynet/10$")
	require.Equal(t, 2, status, "without -growth there are no series")
}

// TestPointInAChild sees what of a child's answer arrives.
func TestPointInAChild(t *testing.T) {
	p := points(allSeries(), regexp.MustCompile("^cases/1$"))[0]
	res, err := p.measure(1, 2, minTime)
	require.NoError(t, err)
	require.Equal(t, "cases", res.Series)
	require.Equal(t, 1, res.Procs)
	require.Len(t, res.UserrtRounds, 2)
	p.pair.Name = "cases/0"
	_, err = p.measure(1, 2, minTime)
	require.EqualError(t, err, "measuring cases/0 in a child process: exit status 2")
}

// TestTooFewDescriptors leaves a size out for which there are not enough.
func TestTooFewDescriptors(t *testing.T) {
	err := conns(new(client), 1<<30).Open()
	if fileLimit() > 1<<31 {
		t.Skip("there are enough for everything here")
	}
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorContains(t, err, "1,073,741,824 connections need more than the ")
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 65_536: "65,536", 1_000_000: "1,000,000"} {
		require.Equal(t, want, thousands(n))
	}
}

// TestFlagsAreExplained looks for the cause below a flagged series, in every format, and for none below another.
func TestFlagsAreExplained(t *testing.T) {
	bad, fine := slope{all: 1.3}, slope{all: 1}
	names := map[string]bool{}
	for _, s := range allSeries() {
		names[s.name] = true
	}
	for name, cause := range knownCauses {
		require.True(t, names[name], name)
		require.Equal(t, cause, causeOf(name, fine, bad))
		require.Equal(t, cause, causeOf(name, bad, fine))
	}
	require.Empty(t, causeOf("lockers", fine, fine))
	require.Equal(t, "not known", causeOf("of later", fine, bad))
	rep := madeUpReport(t) // of its series three are flagged: yield twice, and lockers
	cause := knownCauses["lockers"]
	var text bytes.Buffer
	require.NoError(t, rep.write(&textOutput{w: &text}))
	require.Equal(t, 1, strings.Count(text.String(), "\ncause       "+cause+"\n"))
	md := markdownOf(t, rep)
	require.Equal(t, 1, strings.Count(md, "\n\nCause: "+cause+".\n\n"))
	require.Equal(t, strings.Count(md, "Cause: "), strings.Count(text.String(), "\ncause  "))
	require.Contains(t, md, "where the exponent of all sizes is above 1.15, or, with two sizes named, where that of the step from one to the next, at least 5 times as large, is above 1.35.")
	growth := parsePage(t, pageOf(t, rep)).byID(t, "growth").text()
	require.Contains(t, growth, "Cause: "+cause+".")
	require.Contains(t, growth, flagMeaning)
}
