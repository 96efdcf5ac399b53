package sched

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
)

func dumpText(t *testing.T, s *Scheduler) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, s.Dump(&b))
	return b.String()
}

func dumpInfo(t *testing.T, s *Scheduler) *DumpInfo {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, s.DumpJSON(&b))
	d := &DumpInfo{}
	dec := json.NewDecoder(&b)
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(d))
	return d
}

func (d *DumpInfo) task(id uint64) *DumpTask {
	for i := range d.Tasks {
		if d.Tasks[i].ID == id {
			return &d.Tasks[i]
		}
	}
	return nil
}

// label gives the calling task what a dump tells of its making.
func label(name string) (id uint64) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	gp := self().g
	var pc [1]uintptr
	runtime.Callers(2, pc[:])
	gp.name, gp.pc, gp.parent = name, pc[0], 77
	return gp.id
}

//go:noinline
func waitsHere(g *door) { g.wait() }

// block returns a task's part of a dump.
func block(t *testing.T, dump string, id uint64) string {
	t.Helper()
	for b := range strings.SplitSeq(dump, "\n\n") {
		if strings.HasPrefix(b, fmt.Sprintf("task %d ", id)) {
			return b
		}
	}
	require.FailNow(t, "not in the dump", "task %d in\n%s", id, dump)
	return ""
}

const frameRE = `\n\t\S+/sched/\w+\.go:\d+( \+0x[0-9a-f]+)?`

func TestDumpOfParkedTask(t *testing.T) {
	forProcs(t, func(t *testing.T, s *Scheduler) {
		var g door
		var id atomic.Uint64
		s.Go(func() {
			id.Store(label("reader"))
			waitsHere(&g)
		})
		until(t, "parked", func() bool { return waiting(s) == 1 }, s)
		dump := dumpText(t, s)
		require.Regexp(t, `^SCHED \d+ms: gomaxprocs=\d+ idleprocs=\d+ threads=\d+ spinningthreads=\d+ needspinning=[01] `+
			`idlethreads=\d+ runqueue=0 \[( 0)+ \] schedticks=\[( \d+)+ \] scheduler=\d+ tasks=1\n(  P\d+ \w+: schedtick=\d+ runqsize=0\n)+\n`, dump)
		require.Regexp(t, `^task \d+ "reader" \[waiting\]:\n\twaits for 0x[0-9a-f]+\n`+
			`github\.com/userrt/userrt/sched\.\(\*door\)\.wait\(0x[0-9a-f]+\)`+frameRE+`\n`+
			`github\.com/userrt/userrt/sched\.waitsHere\((\.\.\.|0x[0-9a-f]+\??)\)`+frameRE+`\n`+
			`github\.com/userrt/userrt/sched\.TestDumpOfParkedTask\.func1\.1\(\)`+frameRE+`\n`+
			`created by github\.com/userrt/userrt/sched\.TestDumpOfParkedTask\.func1\.1 in task 77`+frameRE+`$`,
			block(t, dump, id.Load()))
		g.signal()
	})
}

// A task that could run, one that runs, one in Block, one that a native call holds up, one that has not started.
func TestDumpOfEachState(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	var stop atomic.Bool
	native := make(chan int)
	defer close(native)
	defer stop.Store(true)
	ids := make(chan uint64, 5)
	s.Go(func() { ids <- label("blocks"); Block(func() { <-native }) })
	inBlock := <-ids
	until(t, "in Block", func() bool { return dumpInfo(t, s).task(inBlock).State == "syscall" }, s)
	until(t, "in a native receive", func() bool { return dumpInfo(t, s).task(inBlock).Native == "chan receive" }, s)
	s.Go(func() {
		ids <- label("loops")
		for !stop.Load() { // a bare loop, but for this test's end
		}
	})
	loops := <-ids
	s.Go(neverStarts)
	dump := dumpText(t, s)
	require.Regexp(t, `^task \d+ "blocks" \[syscall, natively: chan receive\]:\n(?s:.*)sched\.Block\(`, block(t, dump, inBlock))
	require.Regexp(t, `^task \d+ "loops" \[running\]:\n(?s:.*)sched\.TestDumpOfEachState\.`, block(t, dump, loops))
	require.Regexp(t, `task \d+ \[(runnable|waiting)\]:\n`, dump, "it waits for a P, or a second one has stood in and run it")
}

func neverStarts() { parkForever() }

func TestDumpOfTaskThatHasNotStarted(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	run(t, s, func() {
		Go(neverStarts)
		d := dumpInfo(t, s) // of its own scheduler, from a task
		require.Len(t, d.Tasks, 2)
		require.Equal(t, "running", d.Tasks[0].State)
		require.Equal(t, 0, *d.Tasks[0].P)
		require.Contains(t, d.Tasks[0].Stack, "sched.dumpInfo(")
		require.NotContains(t, d.Tasks[0].Stack, "runTasks")
		require.Equal(t, "runnable", d.Tasks[1].State)
		require.Zero(t, d.Tasks[1].Goroutine)
		require.Regexp(t, `^github\.com/userrt/userrt/sched\.neverStarts\(\.\.\.\)\n\t\S+/dump_test\.go:\d+$`, d.Tasks[1].Stack)
	})
}

func TestDumpFromBlockAndOfItsWait(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	var g door
	var dump string
	run(t, s, func() { Block(func() { dump = dumpText(t, s) }) })
	require.Regexp(t, `\ntask \d+ \[syscall\]:\n`, dump)
	require.Contains(t, dump, "sched.dumpText(")
	s.Go(func() { Block(g.nativeWait) })
	until(t, "the guest waits", func() bool { return strings.Contains(dumpText(t, s), "[syscall, chan receive") }, s)
	g.signal()
	quiet(t, s)
}

// nativeWait is wait with another reason.
func (g *door) nativeWait() {
	Park(WaitReasonChanReceive, func(gp *G, arg unsafe.Pointer) bool {
		d := (*door)(arg)
		d.lock.Lock()
		defer d.lock.Unlock()
		d.waiter = gp
		return !d.open
	}, unsafe.Pointer(g))
}

// The scheduler's lock is held by somebody who does not go on: as if it hung.
func TestDumpOfHangingScheduler(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	s.Go(parkForever)
	until(t, "parked", func() bool { return waiting(s) == 1 }, s)
	quiet(t, s)
	s.lock.Lock()
	dump := dumpText(t, s)
	s.lock.Unlock()
	require.Contains(t, dump, "  note: the scheduler's lock is held for long")
	require.Regexp(t, `\ntask \d+ \[waiting\]:\n`, dump)
	require.Contains(t, dump, "sched.parkForever(")
}

func TestDumpListsPlainGoroutines(t *testing.T) {
	s := newTest(t, Config{Procs: 1})
	var g door
	done := make(chan struct{})
	go func() {
		defer close(done)
		waitsHere(&g)
	}()
	re := regexp.MustCompile(`(?s)\ngoroutine \d+ \[waiting\]:\n\twaits for 0x[0-9a-f]+\n.*sched\.\(\*door\)\.wait\(.*sched\.waitsHere\(.*` +
		`\ncreated by \S+TestDumpListsPlainGoroutines in goroutine \d+\n`)
	until(t, "in the dump", func() bool { return re.MatchString(dumpText(t, s)) }, s)
	g.signal()
	<-done
	require.Zero(t, strings.Count(dumpText(t, s), "waitsHere"))
}

func TestDumpAgesParkedTasks(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	var g door
	s.Go(g.wait)
	until(t, "old enough", func() bool {
		d := dumpInfo(t, s)
		return len(d.Tasks) == 1 && d.Tasks[0].State == "waiting" && d.Tasks[0].WaitNS >= 100e6
	}, s)
	g.signal()
	quiet(t, s)
	// After an idle night the coarse clock is old; a park must not look as old.
	s.coarse.Store(s.coarse.Load() - 12*3600e9>>coarseShift)
	s.Go(g.wait)
	until(t, "parked", func() bool { return waiting(s) == 1 }, s)
	d := dumpInfo(t, s)
	require.Less(t, d.Tasks[0].WaitNS, int64(time.Hour))
	g.signal()
	quiet(t, s)

	text := func(d DumpTask) string {
		var b bytes.Buffer
		d.text(&b)
		return b.String()
	}
	require.Equal(t, "[chan receive, 3 minutes]:\n\twaits for chan 0x1 cap 0 len 0\n\n", text(DumpTask{
		State: "waiting", WaitReason: "chan receive", WaitNS: 3*60e9 + 5, WaitsFor: &DumpWait{Addr: "0x1", What: "chan 0x1 cap 0 len 0"},
	}))
	require.Equal(t, "[sync.Mutex.Lock]:\n\twaits for 0x1, held by task 9\nmain.f()\n\tf.go:1\n\n", text(DumpTask{
		State: "waiting", WaitReason: "sync.Mutex.Lock", WaitNS: 59e9, WaitsFor: &DumpWait{Addr: "0x1", Owner: 9}, Stack: "main.f()\n\tf.go:1",
	}))
}

const stressParked = 300

// Many tasks that wait, run and end, while they are dumped again and again, the collector runs and, in the
// end, the scheduler closes.
func TestDumpUnderStress(t *testing.T) {
	defer collecting()()
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprint(procs), func(t *testing.T) {
			s, err := New(Config{Procs: procs, Seed: 1})
			require.NoError(t, err)
			var stop atomic.Bool
			for range stressParked {
				s.Go(func() { waitsHere(new(door)) })
			}
			until(t, "all parked", func() bool { return waiting(s) == stressParked }, s)
			for range 4 {
				s.Go(func() {
					for !stop.Load() {
						var a, b door
						if !s.spawn(func() { a.wait(); b.signal() }, nil, 0, nil) {
							return // it closes
						}
						a.signal()
						b.wait()
						Join(Yield, Yield)
					}
				})
			}
			closed := make(chan error, 1)
			within(t, func() {
				for range 2 {
					checkDump(t, dumpInfo(t, s), true)
					require.NoError(t, s.Run(func() { checkDump(t, dumpInfo(t, s), true) }), "from a task")
				}
				stop.Store(true)
				go func() { closed <- s.Close() }()
				for range 10 { // while it closes, and afterwards
					checkDump(t, dumpInfo(t, s), false)
				}
				require.NoError(t, <-closed)
			}, s)
			require.Empty(t, dumpInfo(t, s).Tasks)
		})
	}
}

func TestDumpOfThousands(t *testing.T) {
	s := newTest(t, Config{Procs: 2})
	const n = 3000
	for range n {
		s.Go(func() { waitsHere(new(door)) })
	}
	until(t, "parked", func() bool { return waiting(s) == n }, s)
	dump := dumpText(t, s)
	require.Equal(t, n, strings.Count(dump, "sched.waitsHere("))
	require.Equal(t, n, strings.Count(dump, " [waiting]:\n\twaits for 0x"))
}

// checkDump checks what holds in each dump of the stress.
func checkDump(t *testing.T, d *DumpInfo, all bool) {
	n, last := 0, uint64(0)
	for _, task := range d.Tasks {
		if task.ID <= last {
			require.Greater(t, task.ID, last, "sorted, each once")
		}
		last = task.ID
		if strings.Contains(task.Stack, "sched.waitsHere(") {
			n++
			if task.State == "waiting" && !strings.Contains(task.Stack, "sched.(*door).wait(") {
				require.Contains(t, task.Stack, "sched.(*door).wait(")
			}
		}
		if strings.Contains(task.Stack, "runTasks") {
			require.NotContains(t, task.Stack, "runTasks")
		}
	}
	if all {
		require.Equal(t, stressParked, n)
		require.Empty(t, d.Notes)
	}
}

func TestDumpAll(t *testing.T) {
	a, b := newTest(t, Config{Procs: 1}), newTest(t, Config{Procs: 2})
	c, err := New(Config{Procs: 1})
	require.NoError(t, err)
	a.Go(parkForever)
	b.Go(parkForever)
	until(t, "parked", func() bool { return waiting(a)+waiting(b) == 2 }, a, b)
	text := func() string {
		var out bytes.Buffer
		require.NoError(t, DumpAll(&out))
		return out.String()
	}
	head := func(s *Scheduler) string { return fmt.Sprintf(" scheduler=%d tasks=", s.num) }
	out := text()
	require.Contains(t, out, head(a))
	require.Contains(t, out, head(c))
	require.Greater(t, strings.Index(out, head(b)), strings.Index(out, head(a)))
	require.Equal(t, 2, strings.Count(out, "sched.parkForever("))
	require.NoError(t, c.Close())
	require.NotContains(t, text(), head(c), "it is closed")
}
