// Profiles: to which part a function belongs, that the times add up, and how they are shown.

package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/sched"
)

func TestPartOf(t *testing.T) {
	const ours = "github.com/userrt/userrt/"
	for part, functions := range map[string][]string{
		"kernel":   {"internal/runtime/syscall/linux.Syscall6", "internal/runtime/syscall.Syscall6", "runtime.futex", "runtime.usleep", "syscall.RawSyscall6", "golang.org/x/sys/unix.Syscall"},
		"switch":   {"runtime.coroswitch_m", "runtime.mcall", "runtime.gogo", "gogo", "straight", ours + "internal/coro.throughCoroswitch.func1", "iter.Pull[...].func2", "runtime.LockOSThread", ours + "internal/coro.lookup", ours + "internal/getg.Get.abi0"},
		"channels": {"runtime.chansend", "runtime.selectgo", "runtime.semacquire1", "runtime.semrelease1", "runtime.(*waitq).dequeue", "sync.(*Mutex).Unlock", "internal/sync.(*Mutex).lockSlow", ours + "hchan.(*Chan[...]).Send", ours + "internal/marks.Set", ours + "waitgroup.(*WaitGroup).Add"},
		"memory":   {"runtime.mallocgcSmallScanNoHeader", "runtime.gcDrain", "runtime.scanObject", "runtime.(*mspan).writeHeapBitsSmall", "runtime.memmove", "runtime.newobject", "runtime.copystack", "gcWriteBarrier"},
		"sched":    {ours + "sched.(*M).schedule", ours + "sched.Yield", ours + "internal/procyield.Pause.abi0", ours + "internal/futex.Wait"},
		"network":  {ours + "netpoll.(*pollFD).read", "net.(*conn).Read", "internal/poll.(*FD).Write", "runtime.netpoll", "runtime.(*pollDesc).info"},
		"runtime":  {"runtime.schedule", "runtime.newproc1", "runtime.casgstatus", "runtime.recovery", "runtime.sendDebugCall", "internal/runtime/atomic.Load"},
		"work":     {"main.yieldNative", ours + "bench.fib", "net/http.(*conn).serve", "bufio.(*Reader).Peek", "", "iterator.Next"},
	} {
		for _, f := range functions {
			require.Equal(t, part, systemParts[partOf(f)].name, f)
		}
	}
}

func TestPartOfSample(t *testing.T) {
	line := func(name string) profile.Line { return profile.Line{Function: &profile.Function{Name: name}} }
	for _, c := range []struct {
		part  string
		lines []profile.Line
	}{
		{"work", nil},
		{"work", []profile.Line{{}}},
		{"work", []profile.Line{line("main.body")}},
		{"channels", []profile.Line{line("sync/atomic.(*Int32).Add"), line("sync.(*Mutex).Lock"), line("main.body")}}, // inlined in the pair
		{"switch", []profile.Line{line("runtime.(*guintptr).cas"), line("runtime.coroswitch_m")}},
		{"sched", []profile.Line{line("github.com/userrt/userrt/internal/rawlock.(*Mutex).Lock"), line("github.com/userrt/userrt/sched.Go")}},
	} {
		s := &profile.Sample{Location: []*profile.Location{{Line: c.lines}, {Line: []profile.Line{line("runtime.schedule")}}}}
		require.Equal(t, c.part, systemParts[partOfSample(s)].name, c.lines)
	}
	require.Equal(t, "work", systemParts[partOfSample(&profile.Sample{})].name)

	stack := func(names ...string) *profile.Sample {
		s := &profile.Sample{}
		for _, name := range names {
			s.Location = append(s.Location, &profile.Location{Line: []profile.Line{line(name)}})
		}
		return s
	}
	for _, c := range []struct {
		part  string
		names []string
	}{
		{"channels", []string{"runtime.procyieldAsm", "runtime.lock2", "runtime.chansend", "main.body"}},
		{"runtime", []string{"runtime.unlock2", "runtime.schedule"}},
		{"sched", []string{"github.com/userrt/userrt/internal/rawlock.(*Mutex).lockSlow", "github.com/userrt/userrt/sched.Go"}},
		{"network", []string{"runtime.asyncPreempt", "net.(*conn).Read", "main.body"}},
		{"runtime", []string{"indexbytebody", "runtime.findnull", "runtime.isSystemGoroutine"}},
		{"memory", []string{"runtime.findfunc", "runtime.(*unwinder).next"}},
		{"work", []string{"runtime.asyncPreempt", "main.body"}},
		{"work", []string{"runtime.lock2"}},
	} {
		require.Equal(t, c.part, systemParts[partOfSample(stack(c.names...))].name, c.names)
	}
}

// burner is a pair of which one side only computes and the other only switches.
func burner() Pair {
	p := fakePair("a/burner", 1, 1)
	p.Native = func(r *Round) error {
		x := uint64(r.N)
		for range r.N * 100 {
			x ^= x<<13 ^ x>>7 ^ x<<17
		}
		return mismatch("zero", int64(b2i(x == 0)), 0)
	}
	p.Userrt = func(r *Round) error {
		var done atomic.Bool
		sched.Go(func() {
			for !done.Load() {
				sched.Yield()
			}
		})
		for range r.N {
			sched.Yield()
		}
		done.Store(true)
		return nil
	}
	return p
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestProfileOfAPair(t *testing.T) {
	both, err := burner().profile(1, profileRounds*minTime*4)
	require.NoError(t, err)
	require.Len(t, both, 2)
	for i, side := range []string{"native", "userrt"} {
		p := both[i]
		require.Equal(t, []any{"a/burner", side, 1}, []any{p.Name, p.Side, p.Procs})
		require.Positive(t, p.Samples)
		sum := 0.0
		for _, ns := range p.Parts {
			sum += ns
		}
		require.InEpsilon(t, p.Busy*p.Cost, sum, 1e-6)
	}
	if !raceEnabled { // its own functions would be what is running
		native, userrt := both[0].Parts, both[1].Parts
		require.Greater(t, native["work"], native["runtime"])
		require.Zero(t, native["sched"])
		require.Greater(t, userrt["switch"]+userrt["sched"], userrt["work"])
	}
}

func TestProfileErrors(t *testing.T) {
	_, err := failing("a/bad", errFull).profile(1, minTime)
	require.EqualError(t, err, "a/bad at procs 1, profiled: userrt: full")
	bad := fakePair("a/bad", 1, 1)
	bad.Open = func() error { return errFull }
	_, err = bad.profile(1, minTime)
	require.ErrorIs(t, err, errFull)
}

func TestProfileCommand(t *testing.T) {
	slow := burner()
	slow.Unit = bytesPerOp
	slow.Name = "a/bytes"
	ps := []Pair{burner(), slow}
	status, stdout, _ := command(ps, "-list", "-profile", "-procs", "1,2")
	require.Equal(t, 0, status)
	require.Equal(t, 2, strings.Count(stdout, "under the profiler"), "memory has no profile")

	status, stdout, stderr := command(ps, "-profile", "-count", "1", "-time", "1ms", "-procs", "1", "-run", "burner")
	require.Equal(t, 0, status, stderr)
	require.Contains(t, stderr, "[2/2] a/burner, procs 1: profiled\n")
	require.Regexp(t, `(?m)^where the time goes, procs 1: processor time an operation; .*\npair +side +cost +busy +kernel +switch .* work\na/burner +native .*\na/burner +userrt `, stdout)

	status, _, stderr = command(ps, "-from", "x", "-profile")
	require.Equal(t, 2, status)
	require.Equal(t, "bench: -profile: with -from nothing is measured\n", stderr)
}

func TestProfileTables(t *testing.T) {
	rep := &Report{Profiles: fullReport().Profiles}
	var b bytes.Buffer
	require.NoError(t, rep.write(&textOutput{w: &b}))
	require.Regexp(t, `(?m)^a/pair +native +30\.0 ns +1\.00 {13}4\.00 ns {43}26\.0 ns$`, b.String())
	for line := range strings.Lines(b.String()) {
		require.LessOrEqual(t, len(line), 135)
	}

	d := parsePage(t, pageOf(t, rep))
	var rows []string
	for _, tr := range d.byID(t, "profiles").all("tr", "") {
		var cells []string
		for _, cell := range tr.find(func(e dom) bool { return e.Data == "th" || e.Data == "td" }) {
			cells = append(cells, cell.text())
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	require.Equal(t, []string{
		"pair|side|cost|busy|switch|runtime|work|of later",
		"a/pair|native|30.0 ns|1.00|4.00 ns|26.0 ns||",
		"a/pair|userrt|20.0 ns|0.75|5.00 ns||7.00 ns|3.00 ns",
	}, rows)

	b.Reset()
	require.NoError(t, rep.write(outputs["benchstat"](&b)))
	require.Contains(t, b.String(), "BenchmarkProfile/a/pair/procs=2/part=switch/impl=userrt \t1\t5 cpu-ns/op\n")

	only, err := fullReport().matching(regexp.MustCompile("pair"))
	require.NoError(t, err)
	require.Len(t, only.Profiles, 2)
	_, err = rep.matching(regexp.MustCompile("other"))
	require.Error(t, err)
	for _, bad := range []string{`{"profiled":"","side":"native","procs":1,"ns":3}`, `{"profiled":"a","side":"native","procs":1,"ns":0}`, `{"profiled":"a","side":"native","procs":1,"ns":3,"parts":{"work":-1}}`} {
		r, err := readReport(strings.NewReader(bad))
		require.NoError(t, err)
		require.Error(t, r.Profiles[0].check())
	}
}

// TestPartsKnowTheRuntime looks for functions without which the parts would be others: a new version of Go may have renamed them. Their names stand in
// this program's own table of functions.
func TestPartsKnowTheRuntime(t *testing.T) {
	program, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	for _, f := range []string{"runtime.coroswitch_m", "runtime.mcall", "gogo", "runtime.lock2", "runtime.asyncPreempt", "runtime.chansend", "runtime.semacquire1", "runtime.gcDrain", "runtime.schedule", "runtime.netpoll"} {
		require.True(t, bytes.Contains(program, []byte("\x00"+f+"\x00")), f)
	}
}
