// Progress on stderr: on a terminal one line, rewritten in place; elsewhere a line for each pair.
//
// Nothing here runs by itself. The measuring goroutine calls it between rounds, so that no ticker
// is pending and nothing is printed while a round is timed.

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

type progress struct {
	w      io.Writer
	tty    bool
	total  int // pairs times values of -procs
	count  int // rounds of each
	done   int // of total
	length int // of the line that now stands on the terminal
}

func newProgress(w io.Writer, total, count int) *progress {
	return &progress{w: w, tty: isTerminal(w), total: total, count: count}
}

// isTerminal reports whether lines on w can be rewritten. That /dev/null passes does no harm.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// round says which round comes next.
func (p *progress) round(name string, procs, round int) {
	if p.tty {
		p.rewrite(fmt.Sprintf("[%d/%d] %s, procs %d, round %d of %d", p.done+1, p.total, name, procs, round+1, p.count))
	}
}

// profiling says which pair is profiled next.
func (p *progress) profiling(name string, procs int) {
	if p.tty {
		p.rewrite(fmt.Sprintf("[%d/%d] %s, procs %d, under the profiler", p.done+1, p.total, name, procs))
	}
}

// profiled ends a profile.
func (p *progress) profiled(name string, procs int) {
	p.finish(fmt.Sprintf("%s, procs %d: profiled", name, procs), !p.tty)
}

// ablated ends an ablation.
func (p *progress) ablated(name string, a Ablation) {
	p.finish(fmt.Sprintf("%s, procs %d: %.2f", name, a.Procs, a.Worth), !p.tty)
}

// measured ends a pair. On a terminal its row is about to appear in the table or the file.
func (p *progress) measured(res Result) {
	p.finish(fmt.Sprintf("%s, procs %d: %.2f", res.Name, res.Procs, res.Speedup), !p.tty)
}

// skipped ends a pair that could not be measured here.
func (p *progress) skipped(name string, procs int, err error) {
	p.finish(fmt.Sprintf("%s, procs %d: skipped: %v", name, procs, err), true)
}

// noFloor says that an operation could not be measured here.
func (p *progress) noFloor(name string, err error) {
	p.clear()
	fmt.Fprintf(p.w, "floor %s: skipped: %v\n", name, err)
}

// finish counts a pair as done, and prints the line unless the table says it all.
func (p *progress) finish(line string, show bool) {
	p.clear()
	p.done++
	if show {
		fmt.Fprintf(p.w, "[%d/%d] %s\n", p.done, p.total, line)
	}
}

// clear takes the line away, so that something else can be printed where it stood.
func (p *progress) clear() {
	if p.length > 0 {
		p.rewrite("")
		fmt.Fprint(p.w, "\r")
	}
}

// rewrite puts line where the former one stands. Blanks cover what the former one had more, and no
// control sequence is needed that a terminal might lack.
func (p *progress) rewrite(line string) {
	fmt.Fprint(p.w, "\r", line, strings.Repeat(" ", max(p.length-len(line), 0)))
	p.length = len(line)
}
