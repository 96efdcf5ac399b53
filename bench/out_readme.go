// The part of the results that README.md shows: the text tables of some pairs, losses too.
//
// A README.md among the files of -o keeps what it says and gets this between two lines that mark the place.

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// shownPairs are the pairs that README.md shows, and those that -profile=summary looks at: of each family what is used most, the largest wins and all
// large losses.
var shownPairs = []string{
	"sched/spawn", "sched/forkjoin-both", "sched/yield-2", "sched/yield-1000", "sched/hog-silent", "sched/sleep-late", "sched/parked-bytes", "sched/fresh-bytes",
	"hchan/pingpong", "hchan/buffered-4x4", "hchan/select-one", "hchan/fanin-100", "hchan/mixed", "hchan/large",
	"waitgroup/wait-1000", "waitgroup/fanout", "locks/mutex-8", "locks/mutex-yield-8", "skynet",
	"netpoll/echo-1", "netpoll/echo-64", "netpoll/echo-cpu", "netpoll/accept", "netpoll/idle-memory", "netpoll/http", "netpoll/http-cpu",
}

// The lines of README.md between which the tables stand.
const (
	readmeBegin = "<!-- what stands from here on is written by docs/results.sh -->\n"
	readmeEnd   = "<!-- up to here -->\n"
)

// writeReadme writes the tables, as a block of code.
func writeReadme(w io.Writer, rep *Report) error {
	shown := &Report{Env: rep.Env}
	for _, res := range rep.Results {
		if slices.Contains(shownPairs, res.Name) {
			res.NativeFair, res.UserrtFair = nil, nil
			shown.Results = append(shown.Results, res)
		}
	}
	if len(shown.Results) == 0 {
		return errors.New("none of the pairs that README.md shows was measured")
	}
	var b bytes.Buffer
	if err := shown.write(&textOutput{w: &b}); err != nil {
		return err
	}
	var block strings.Builder
	block.WriteString("```text\n")
	for line := range strings.Lines(b.String()) {
		block.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	block.WriteString("```\n")
	_, err := io.WriteString(w, block.String())
	return err
}

// isReadme reports whether a file gets its results between marks.
func (t target) isReadme() bool { return t.format == "readme" && filepath.Base(t.path) == readmeName }

const readmeName = "README.md"

// cutReadme returns what stands before the place of the tables, with its mark, what is there, and what stands after it.
func cutReadme(text string) (before, block, after string, ok bool) {
	before, rest, found := strings.Cut(text, readmeBegin)
	block, after, ok = strings.Cut(rest, readmeEnd)
	return before + readmeBegin, block, readmeEnd + after, found && ok
}

// around puts what is written to w, all at once, into the text that the README.md at path has by then: measuring takes long enough to edit it meanwhile.
type around struct {
	w    io.Writer
	path string
}

// readReadme returns the text of a README.md before and after the place of the tables.
func readReadme(path string) (before, after string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	before, _, after, ok := cutReadme(string(text))
	if !ok {
		return "", "", fmt.Errorf("%s: no place for results between %q and %q", path, strings.TrimSpace(readmeBegin), strings.TrimSpace(readmeEnd))
	}
	return before, after, nil
}

// Write implements io.Writer.
func (a around) Write(b []byte) (int, error) {
	before, after, err := readReadme(a.path)
	if err != nil {
		return 0, err
	}
	if _, err := io.WriteString(a.w, before+string(b)+after); err != nil {
		return 0, err
	}
	return len(b), nil
}
