// -compare: what has become of the results of an earlier run, and what of that is more than noise.
//
// A difference counts when two tests agree: the rounds of both runs are unlikely (p < 0.05) to come from one distribution, by
// the Mann-Whitney U test of benchmath, and the 95 % intervals of the two medians have no number in common. The first alone
// would find five false ones in a hundred rows; both find about one in a thousand where rounds are independent of each other.
// What differs between two processes on the same code, such as where the linker puts a loop, neither can see.
//
// Go's counterpart: golang.org/x/perf/cmd/benchstat, which -format benchstat prints for.

package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/perf/benchmath"
)

// errRegressed is the outcome of a comparison that has found something, and not a failure: it has an exit status of its own.
var errRegressed = errors.New("userrt's speedup has become worse")

// alpha is the p-value from which on a difference is put down to chance.
const alpha = 0.05

// A shift is what has become of one median.
type shift struct {
	old, now float64
	p        float64 // that chance alone makes the rounds differ so much; 1 when not judged
	judged   bool    // both runs have enough rounds
	real     bool    // above the noise
}

// shiftOf judges the rounds from which two medians and their intervals were made.
func shiftOf(old, now float64, oldRounds, nowRounds []float64, oldCI, nowCI *Interval) shift {
	s := shift{old: old, now: now, p: 1}
	if oldCI == nil || nowCI == nil || len(oldRounds) == 0 || len(nowRounds) == 0 {
		return s
	}
	c := benchmath.AssumeNothing.Compare(sample(oldRounds), sample(nowRounds))
	s.p, s.judged = c.P, true
	s.real = c.P < alpha && oldCI.apart(nowCI)
	return s
}

// change returns by which share the median has grown; negative if it has shrunk.
func (s shift) change() float64 { return s.now/s.old - 1 }

// verdict is a word for a column. higher says that more is better.
func (s shift) verdict(higher bool) string {
	switch {
	case !s.judged:
		return "?"
	case !s.real:
		return "~"
	case (s.now > s.old) == higher:
		return "better"
	}
	return "worse"
}

// A pairChange is what has become of one pair at one value of -procs.
type pairChange struct {
	name           string
	procs          int
	unit           string
	speedup        shift
	native, userrt shift
}

// regressed reports whether userrt has lost ground to the native runtime, above the noise. That it costs more is no
// regression if the native side costs more as well: then it was the machine.
func (c pairChange) regressed() bool { return c.speedup.verdict(true) == "worse" }

// changeOf compares two results of one pair.
func changeOf(old, now *Result) pairChange {
	return pairChange{
		name: now.Name, procs: now.Procs, unit: now.Unit,
		speedup: shiftOf(old.Speedup, now.Speedup, old.quotients(), now.quotients(), old.SpeedupCI, now.SpeedupCI),
		native:  shiftOf(old.Native, now.Native, old.NativeRounds, now.NativeRounds, old.NativeCI, now.NativeCI),
		userrt:  shiftOf(old.Userrt, now.Userrt, old.UserrtRounds, now.UserrtRounds, old.UserrtCI, now.UserrtCI),
	}
}

// quotients returns the speedup in each round.
func (res *Result) quotients() []float64 { return quotients(res.NativeRounds, res.UserrtRounds) }

// A comparison is what two reports have in common, and what not.
type comparison struct {
	changes          []pairChange
	onlyOld, onlyNow []string // "name at procs n"
}

// recorder keeps what it passes on of what can be compared.
type recorder struct {
	output
	rep Report
}

func (r *recorder) begin(env Env, count int) error {
	r.rep.Env = env
	return r.output.begin(env, count)
}

func (r *recorder) result(res Result) error {
	r.rep.Results = append(r.rep.Results, res)
	return r.output.result(res)
}

func (r *recorder) point(p Point) error {
	r.rep.Points = append(r.rep.Points, p)
	return r.output.point(p)
}

// compareReports pairs up the results of two runs, in the order of the newer one.
func compareReports(old, now *Report) (c comparison) {
	before := map[string]*Result{}
	for res := range old.all() {
		before[res.key()] = res
	}
	for res := range now.all() {
		was := before[res.key()]
		switch {
		case was == nil || was.Unit != res.Unit:
			c.onlyNow = append(c.onlyNow, res.key())
		default:
			c.changes = append(c.changes, changeOf(was, res))
			delete(before, res.key())
		}
	}
	for res := range old.all() {
		if before[res.key()] == res {
			c.onlyOld = append(c.onlyOld, res.key())
		}
	}
	return c
}

// key names a result among those of a report.
func (res *Result) key() string { return fmt.Sprintf("%s at procs %d", res.Name, res.Procs) }

// compare prints what has become of old. It returns errRegressed when a speedup is worse, above the noise.
func compare(w io.Writer, name string, old, now *Report) error {
	c := compareReports(old, now)
	if len(c.changes) == 0 {
		return fmt.Errorf("%s has no pair in common with these results", name)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `
compared with %s%s
better, worse: p < %.2f by the Mann-Whitney U test of all rounds, and 95 %% intervals that do not meet; ~: no such difference;
?: not judged, fewer than 6 rounds a side
`, name, dated(old.Env), alpha)
	for _, line := range surroundings(old.Env, now.Env) {
		fmt.Fprintln(&b, line)
	}
	procs := 0
	for _, change := range c.changes {
		if change.procs != procs {
			procs = change.procs
			fmt.Fprintf(&b, "\n%s\n%-*s  %23s  %8s %-6s  %27s  %8s\n", now.Env.procs(procs), nameWidth, "pair",
				"speedup, old and new", "change", "", "userrt's cost, old and new", "change")
		}
		change.row(&b)
	}
	c.inWords(&b)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	if slices.ContainsFunc(c.changes, pairChange.regressed) {
		return errRegressed
	}
	return nil
}

// row prints one line of the table.
func (c pairChange) row(w io.Writer) {
	fmt.Fprintf(w, "%-*s  %11.2f %11.2f  %8s %-6s  %13s %13s  %8s %s\n", nameWidth, c.name,
		c.speedup.old, c.speedup.now, signed(c.speedup.change()), c.speedup.verdict(true),
		cost(c.userrt.old, c.unit), cost(c.userrt.now, c.unit), signed(c.userrt.change()), c.userrt.verdict(false))
}

// inWords prints what could not be compared, and last what userrt has lost.
func (c comparison) inWords(w io.Writer) {
	fmt.Fprintln(w)
	if len(c.onlyOld) > 0 {
		fmt.Fprintln(w, "only in the old results:", strings.Join(c.onlyOld, ", "))
	}
	if len(c.onlyNow) > 0 {
		fmt.Fprintln(w, "only in the new results:", strings.Join(c.onlyNow, ", "))
	}
	count, judged := 0, 0
	for _, change := range c.changes {
		if change.speedup.judged {
			judged++
		}
		if !change.regressed() {
			continue
		}
		if count++; count == 1 {
			fmt.Fprintln(w, "userrt's speedup is worse, above the noise:")
		}
		fmt.Fprintf(w, "  %s at procs %d: %.2f, was %.2f (p %s); userrt costs %s, native %s\n", change.name, change.procs,
			change.speedup.now, change.speedup.old, pValue(change.speedup.p), moreOrLess(change.userrt), moreOrLess(change.native))
	}
	switch unjudged := len(c.changes) - judged; {
	case judged == 0:
		fmt.Fprintln(w, "nothing was judged: fewer than 6 rounds a side")
	case count > 0:
	case unjudged > 0:
		fmt.Fprintf(w, "userrt's speedup is nowhere worse, above the noise, but %d of %d were not judged\n", unjudged, len(c.changes))
	default:
		fmt.Fprintln(w, "userrt's speedup is nowhere worse, above the noise")
	}
}

// moreOrLess says by how much a cost has changed.
func moreOrLess(s shift) string {
	switch c := s.change(); {
	case c >= 0.005:
		return percent(c) + " more"
	case c <= -0.005:
		return percent(-c) + " less"
	}
	return "the same"
}

// pValue prints a probability.
func pValue(p float64) string {
	if p < 0.001 {
		return "< 0.001"
	}
	return fmt.Sprintf("= %.3f", p)
}

// signed prints a share with its sign.
func signed(share float64) string { return fmt.Sprintf("%+.0f %%", 100*share) }

// dated says when and of what a report is, as far as it tells.
func dated(e Env) string {
	var parts []string
	if e.Start != "" {
		parts = append(parts, "of "+e.Start)
	}
	if e.Userrt != "" {
		parts = append(parts, "userrt "+e.Userrt)
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// surroundings says what of the machine and the run is not as it was: then costs compare badly, speedups less so.
func surroundings(old, now Env) (lines []string) {
	for _, f := range []struct{ what, old, now string }{
		{"cpu", old.CPU, now.CPU},
		{"cores", plural(old.Cores, "core"), plural(now.Cores, "core")},
		{"go", old.Go, now.Go},
		{"kernel", old.Kernel, now.Kernel},
		{"governor", old.Governor, now.Governor},
		{"virtual", old.Virtual, now.Virtual},
		{"round", old.Round, now.Round},
		{"bound", old.Bound, now.Bound},
	} {
		if f.old != f.now && f.old != "" && f.now != "" {
			lines = append(lines, fmt.Sprintf("not alike: %s was %s, is %s", f.what, f.old, f.now))
		}
	}
	return lines
}
