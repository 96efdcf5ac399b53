package sched

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/userrt/userrt/internal/hb"
)

// Trace lines: with USERRT_SCHEDTRACE=1000 in the environment each Scheduler writes to standard error, every
// 1000 ms while it runs something, and once when it has closed,
//
//	SCHED 1004ms: gomaxprocs=2 idleprocs=0 threads=4 spinningthreads=0 needspinning=0 idlethreads=1 runqueue=5 [ 4 12 ] schedticks=[ 117 98 ] scheduler=1 tasks=23
//
// the time since the program began; Ps, and those without a worker; threads (the workers and the monitor), those that search,
// whether the next one without work is to search, those asleep in the cache; tasks in the global queue, and in
// each P's ring; how many tasks each P has chosen. So far it is the runtime's line, name by name, for what reads that. Then come
// the number of the Scheduler and the tasks that have not ended. sysmon writes it, so an idle scheduler writes nothing. The same in Go:
// runtime/proc.go, schedtrace, for GODEBUG=schedtrace=1000.

// traceEveryNS is what the environment asks for; 0: nothing.
var traceEveryNS = parseTraceEvery(os.Getenv("USERRT_SCHEDTRACE"))

func parseTraceEvery(text string) int64 {
	ms, err := strconv.ParseInt(text, 10, 32)
	if err != nil || ms < 0 {
		return 0
	}
	return ms * 1e6
}

// SchedTrace writes one line as USERRT_SCHEDTRACE does.
func (s *Scheduler) SchedTrace(w io.Writer) error {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	return writeOut(w, s.traceText())
}

func (s *Scheduler) traceText() []byte {
	g := gather{s: s, info: newDumpInfo(s)}
	g.queues(0)
	var b bytes.Buffer
	g.info.traceLine(&b)
	return b.Bytes()
}

// trace writes the line to standard error, for nobody.
func (s *Scheduler) trace() {
	text := s.traceText()
	if hb.On {
		fresh(text)
		hb.OutAfter(s.made())
		defer hb.BackFor()
	}
	_, _ = os.Stderr.Write(text)
}

// traceDue writes the line if it is time; sysmon calls it.
func (s *Scheduler) traceDue(now int64) {
	if traceEveryNS != 0 && now-s.tracedAt >= traceEveryNS {
		s.tracedAt = now
		s.trace()
	}
}

// traceEnd writes the last line.
func (s *Scheduler) traceEnd() {
	if traceEveryNS != 0 {
		s.trace()
	}
}

// traceDelay bounds sysmon's sleep, so that it is up in time.
func traceDelay(delay int64) int64 {
	if traceEveryNS != 0 {
		return min(delay, traceEveryNS)
	}
	return delay
}

func (d *DumpInfo) traceLine(b *bytes.Buffer) {
	needspinning, threads := 0, d.Threads
	if d.NeedSpin {
		needspinning = 1
	}
	if d.Monitor {
		threads++
	}
	fmt.Fprintf(b, "SCHED %dms: gomaxprocs=%d idleprocs=%d threads=%d spinningthreads=%d needspinning=%d idlethreads=%d runqueue=%d [",
		d.UptimeNS/1e6, d.Procs, d.IdleProcs, threads, d.Searching, needspinning, d.IdleM, d.GlobalQueueLen)
	for i := range d.Ps {
		fmt.Fprintf(b, " %d", len(d.Ps[i].Runq))
	}
	b.WriteString(" ] schedticks=[")
	for i := range d.Ps {
		fmt.Fprintf(b, " %d", d.Ps[i].SchedTick)
	}
	fmt.Fprintf(b, " ] scheduler=%d tasks=%d\n", d.Scheduler, d.Live)
}
