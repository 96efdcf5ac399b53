package sched

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/userrt/userrt/internal/hb"
)

// Dumps: every task, as text in the form of a goroutine dump and as JSON. The same in Go:
// runtime/traceback.go, tracebackothers and goroutineheader; runtime/proc.go, schedtrace with detail.

// Dump writes what s does at the moment: a line like that of USERRT_SCHEDTRACE, a line for each P with its
// queues, then every task that has not ended, by id:
//
//	task 12 "reader" [chan receive, 3 minutes]:
//		waits for chan 0xc0000b2000 cap 0 len 0
//	github.com/userrt/userrt/hchan.(*Chan[...]).Recv(0xc0000b2000)
//		/src/hchan/recv.go:35 +0x2b0
//	main.read()
//		/src/main.go:17 +0x1e
//	created by main.main in task 1
//		/src/main.go:12 +0x2c
//
// A line "deadlock: task 5 waits for task 6, which waits for task 5" comes first if there are such tasks; see
// DumpInfo.Circles. In brackets: the state (runnable, running, syscall for one in Block), or why it waits; for how long, from a
// minute on; what a running task waits for natively, if it does. Below: its stack, if it has started; else the
// function that it will run. The plain goroutines of the process that wait in calls of userrt come last.
//
// Dump may be called from anywhere, also from within Block, while s runs, hangs, or closes. It stops the
// process once, to have the stacks: some microseconds for each goroutine. All is then written by one Write,
// whose error Dump returns. What changes meanwhile is told as it was at some moment of the call.
func (s *Scheduler) Dump(w io.Writer) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	d := collect(s)[0]
	var b bytes.Buffer
	d.text(&b)
	goroutinesText(&b, d.Goroutines)
	return writeOut(w, b.Bytes())
}

// DumpJSON writes what Dump does, and the ids in each queue, as one JSON object, a DumpInfo. The keys parent
// make the tree of who created whom, waits_for the graph of who waits for what and whom.
func (s *Scheduler) DumpJSON(w io.Writer) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	text, err := json.MarshalIndent(collect(s)[0], "", "  ")
	if err != nil {
		return err
	}
	return writeOut(w, append(text, '\n'))
}

// DumpAll is Dump for all Schedulers of the process that are not closed, in the order in which they were
// made.
func DumpAll(w io.Writer) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	var b bytes.Buffer
	ds := collect(allSchedulers()...)
	for _, d := range ds {
		d.text(&b)
	}
	if len(ds) > 0 {
		goroutinesText(&b, ds[0].Goroutines)
	}
	return writeOut(w, b.Bytes())
}

// text writes all but the plain goroutines.
func (d *DumpInfo) text(b *bytes.Buffer) {
	d.traceLine(b)
	for i := range d.Ps {
		d.Ps[i].text(b)
	}
	for _, ids := range d.Circles {
		fmt.Fprintf(b, "  deadlock: %s\n", circleText(ids))
	}
	for _, note := range d.Notes {
		fmt.Fprintf(b, "  note: %s\n", note)
	}
	b.WriteByte('\n')
	for i := range d.Tasks {
		t := &d.Tasks[i]
		fmt.Fprintf(b, "task %d ", t.ID)
		if t.Name != "" {
			fmt.Fprintf(b, "%q ", t.Name)
		}
		t.text(b)
	}
}

func goroutinesText(b *bytes.Buffer, ts []DumpTask) {
	for i := range ts {
		fmt.Fprintf(b, "goroutine %d ", ts[i].Goroutine)
		ts[i].text(b)
	}
}

func (p *DumpP) text(b *bytes.Buffer) {
	fmt.Fprintf(b, "  P%d %s: schedtick=%d runqsize=%d", p.ID, p.State, p.SchedTick, len(p.Runq))
	if p.Runnext != 0 {
		fmt.Fprintf(b, " runnext=task %d", p.Runnext)
	}
	if p.Preempt {
		b.WriteString(" preempt")
	}
	b.WriteByte('\n')
}

// text writes a task from the bracket on.
func (t *DumpTask) text(b *bytes.Buffer) {
	state := t.State
	switch {
	case t.State == "waiting" && t.WaitReason != "":
		state = t.WaitReason
	case t.WaitReason != "": // in Block
		state += ", " + t.WaitReason
	}
	if minutes := t.WaitNS / 60e9; minutes > 0 {
		state += fmt.Sprintf(", %d minutes", minutes)
	}
	if t.Native != "" && t.WaitReason == "" {
		state += ", natively: " + t.Native
	}
	fmt.Fprintf(b, "[%s]:\n", state)
	if w := t.WaitsFor; w != nil {
		what := w.What
		if what == "" {
			what = w.Addr
		}
		fmt.Fprintf(b, "\twaits for %s", what)
		if w.Owner != 0 {
			fmt.Fprintf(b, ", held by task %d", w.Owner)
		}
		b.WriteByte('\n')
	}
	if t.Stack != "" {
		b.WriteString(t.Stack)
		b.WriteByte('\n')
	}
	if c := t.CreatedBy; c != nil {
		fmt.Fprintf(b, "created by %s", c.Func)
		if t.Parent != 0 {
			fmt.Fprintf(b, " in task %d", t.Parent)
		}
		fmt.Fprintf(b, "\n\t%s:%d +%#x\n", c.File, c.Line, c.Offset)
	}
	b.WriteByte('\n')
}
