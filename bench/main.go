// Command bench measures userrt beside the native runtime and prints what it saw.
//
//	go run ./bench                      every pair at 1 and 2 processors, as a table
//	go run ./bench -list                the pairs, one line each: what is done, and why that is worth a number
//	go run ./bench -growth -ablate      also the same work on more and more, and what each mechanism is worth
//	go run ./bench -profile -run 'hchan/'    also where the time of both sides goes
//	go run ./bench -run 'hchan/' -procs 4 -format json -o chan.json
//	go run ./bench -run 'hchan/' -procs 4 -compare chan.json     again, and what has changed
//	go run ./bench -from chan.json -format benchstat             what was measured, in another format
//	go run ./bench -o results.json,results.md,results.html      in several formats, by the names of the files
//	go run ./bench -from docs/results.json -o README.md          some of the tables, in their place in that file (docs/results.sh)
//
// A pair (pair.go) is one claim: the same work written once with go, chan, sync and net, and once
// with sched, hchan, waitgroup and netpoll. The two sides take turns in one process (run.go), under
// the same GOMAXPROCS; medians, spread and intervals come from stats.go. What the machine is stands above
// the table (env.go). Results go to stdout or -o, progress to stderr (progress.go). docs/method.md says how it is measured,
// why so, and what the numbers do not show.
//
// Invariant: while a round runs, this process holds no pending timer or ticker. One pending
// time.Timer makes the native scheduler read the clock in each of its passes, which costs that
// side up to 35 % and would flatter the other. (The pairs of timers.go are about timers, and stop
// theirs before they end; sched/pending-timer shows the cost of one.) So progress is printed between rounds, and no wait
// in this package has a time-out.
//
// Read main.go, pair.go, run.go, stats.go, then the bodies: sched.go, hchan.go, waitgroup.go,
// locks.go with fairness.go, netpoll.go with netserve.go, and echoclient.go with netdrive.go; from.go and compare.go for results of former runs. Go's
// counterpart is testing/benchmark.go, and bench_test.go runs the same bodies under it.
//
// Exit status: 0; 1 when a measurement failed, or a file; 2 when the command line is wrong; 3 when -compare has found that
// userrt's speedup is worse, above the noise.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// defaultCount keeps a run of all pairs at two values of -procs within three minutes: 58 pairs,
	// 2 sides and 16 rounds of about 0.01 s are 37 s, calibration, the longer rounds and those of pairs that have
	// fewer of them (a minute for netpoll and the forks) not counted; 5 s are for fairness. From 6 rounds on there are intervals.
	defaultCount = 16
	defaultProcs = "1,2"
	// maxProcs bounds -procs: beyond it a typing error is likelier than a machine.
	maxProcs = 1024
	// minTime and maxTime bound -time: a shorter round is mostly its own beginning, a longer one a typing error.
	minTime = time.Millisecond
	maxTime = time.Minute
)

// options is the command line, parsed and checked.
type options struct {
	run     *regexp.Regexp
	count   int
	time    time.Duration
	procs   []int
	format  string
	file    string
	targets []target // what format and file come to
	from    string
	compare string
	list    bool
	growth  bool
	ablate  bool
	profile profileFlag
	extras
}

func main() {
	if askedToBeClient() {
		os.Exit(clientMain(os.Stdin, os.Stdout))
	}
	if askedToMeasurePoint() {
		os.Exit(pointMain(os.Stdout, os.Stderr))
	}
	if askedToMeasureMemory() {
		os.Exit(memoryMain(os.Stdout, os.Stderr))
	}
	os.Exit(run(os.Args[1:], pairs(), os.Stdout, os.Stderr))
}

// run is the whole command on the pairs given, and returns its exit status.
func run(args []string, all []Pair, stdout, stderr io.Writer) (status int) {
	opts, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	var chosen []Pair
	if err == nil && opts.from == "" {
		chosen, err = opts.choose(all)
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	if opts.list {
		err = list(stdout, chosen, opts.extras)
	} else {
		err = report(opts, chosen, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		if errors.Is(err, errRegressed) {
			return 3
		}
		return 1
	}
	return 0
}

// parse reads the command line. Its error is for the user to read; after flag.ErrHelp the usage
// has been printed and nothing is left to say.
func parse(args []string, stderr io.Writer) (options, error) {
	var opts options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // errors are printed once, by run
	pattern := fs.String("run", "", "measure the pairs whose name matches this `regexp`")
	fs.IntVar(&opts.count, "count", defaultCount, "measured `rounds` of each side")
	procs := fs.String("procs", defaultProcs, "comma-separated `list` of processor counts, each set for both sides")
	fs.StringVar(&opts.format, "format", "", "output `format`: text (tables), json (one object a line), benchstat (for the tool of this name), "+
		"html (a page), markdown, or readme (what README.md shows); without it that of the file's name, or text")
	fs.DurationVar(&opts.time, "time", roundTarget, "`duration` of a round; pairs that need longer ones keep theirs")
	fs.StringVar(&opts.from, "from", "", "measure nothing: take the results from this `file`, which -format json has written")
	fs.StringVar(&opts.compare, "compare", "", "compare with the results in this `file`, which -format json has written; exit status 3 when userrt has lost")
	fs.StringVar(&opts.file, "o", "", "write results to this `file` instead of standard output; or to several, a.json,b.md,c.html, in one run; a README.md gets its tables between two marks")
	fs.BoolVar(&opts.growth, "growth", false, "also measure series: the same work on more and more tasks, connections and the like; -run chooses among them too")
	fs.BoolVar(&opts.ablate, "ablate", false, "also measure what userrt's mechanisms are worth, by pairs with one at a time switched off; -run chooses by MECHANISM/PAIR")
	fs.Var(&opts.profile, "profile", "also measure what the processors are at while the pairs run: system calls, switches, schedulers, memory and so on, on both sides; 2 s a pair and value of -procs; "+
		"-profile=summary for the pairs that README.md shows, at the last value of -procs")
	fs.BoolVar(&opts.list, "list", false, "print the pairs that -run selects, and measure nothing")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, "usage: go run ./bench [flags]")
			fs.SetOutput(stderr)
			fs.PrintDefaults()
		}
		return opts, err
	}
	if fs.NArg() > 0 {
		return opts, fmt.Errorf("unexpected argument %q: pairs are chosen with -run", fs.Arg(0))
	}
	var err error
	if opts.run, err = regexp.Compile(*pattern); err != nil {
		return opts, fmt.Errorf("-run: %w", err)
	}
	if opts.count < 1 {
		return opts, fmt.Errorf("-count %d: at least one round is needed", opts.count)
	}
	if opts.procs, err = parseProcs(*procs); err != nil {
		return opts, err
	}
	if opts.time < minTime || opts.time > maxTime {
		return opts, fmt.Errorf("-time %v: want %v to %v", opts.time, minTime, maxTime)
	}
	if opts.targets, err = parseTargets(opts.file, opts.format); err != nil {
		return opts, err
	}
	opts.format = opts.targets[0].format
	return opts, checkFiles(opts, fs)
}

// parseProcs reads a list such as "1,2,8".
func parseProcs(list string) ([]int, error) {
	var procs []int
	for field := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1 || n > maxProcs {
			return nil, fmt.Errorf("-procs %q: %q is not a number from 1 to %d", list, field, maxProcs)
		}
		procs = append(procs, n)
	}
	return procs, nil
}

// choose returns the pairs whose name matches, in their order, and notes in opts what else is asked for. That there is nothing is an error, so that
// a mistyped pattern is not taken for a quick run.
func (opts *options) choose(all []Pair) ([]Pair, error) {
	var chosen []Pair
	for _, p := range all {
		if opts.run.MatchString(p.Name) {
			chosen = append(chosen, p)
		}
	}
	if opts.growth {
		opts.points = points(allSeries(), opts.run)
	}
	if opts.ablate {
		opts.ablations = ablations(all, opts.run)
	}
	opts.profiles = opts.profile.choose(chosen, opts.procs)
	if len(chosen)+opts.extras.len() == 0 {
		return nil, fmt.Errorf("-run %q matches no pair; -list shows them all", opts.run)
	}
	return chosen, nil
}

// list prints one line a pair: its name, what it measures and why.
func list(w io.Writer, ps []Pair, more extras) error {
	var b strings.Builder
	for _, p := range slices.Concat(ps, pairsOf(more.points)) {
		fmt.Fprintf(&b, "%-*s  %s\n", nameWidth, p.Name, p.line())
	}
	for _, a := range more.ablations {
		fmt.Fprintln(&b, a.name())
	}
	for _, pr := range more.profiles {
		fmt.Fprintf(&b, "%-*s  under the profiler, procs %d\n", nameWidth, pr.pair.Name, pr.procs)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
