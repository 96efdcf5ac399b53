// Programs run natively and on userrt must have the same outcomes: results, panics, and who waits for ever.
//
// How often a free run ends in which way is a matter of luck on both sides, so two sets of observed outcomes can't be
// compared. Instead all outcomes that Go allows are computed (model_test.go), and then
//
//   - each is sought on both sides, by making the tasks' steps in the order that leads to it: both sets are the computed one;
//   - free runs, in which tasks overlap as they like, must end in one of them.
//
// Neither can fail by bad luck: a select that may choose otherwise is tried again until missing its choice would
// have a probability of e^-40.

package hchan

import (
	"flag"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

var (
	programs    = flag.Int("programs", 50, "how many random programs the differential tests run")
	programSeed = flag.Uint64("programseed", 1, "the seed of the first random program")
)

const (
	maxStates = 20_000 // of a program; larger ones are passed over
	minChance = 0.01   // outcomes that need more luck are not sought
)

// oursRun is how a program is run on our side.
type oursRun struct {
	s     *sched.Scheduler
	kinds []func(func()) // how tasks are started, in turn
}

// free runs p freely.
func (o *oursRun) free(t *testing.T, p *program, pause func(task int)) (outcome string) {
	side := newOurs(p)
	r := newProcess(p, side)
	for i := range p.tasks {
		o.kinds[i%len(o.kinds)](func() {
			r.gs[i].Store(sched.Self())
			r.task(i, func() { pause(i) })
		})
	}
	testsched.Until(t, func() bool { return r.atRest(side, nil) }, "at rest\n%v", p)
	outcome = r.take()
	r.drain(r.onNil(), sched.Yield)
	return outcome
}

// step runs p by steps.
func (o *oursRun) step(t *testing.T, p *program, steps []int) (outcome string) {
	side := newOurs(p)
	r := newProcess(p, side)
	gates := make([]*Chan[struct{}], len(p.tasks))
	for i := range p.tasks {
		gates[i] = Make[struct{}](0)
		o.kinds[i%len(o.kinds)](func() {
			r.gs[i].Store(sched.Self())
			r.task(i, func() { gates[i].Recv() })
		})
	}
	rest := func() {
		testsched.Until(t, func() bool { return r.atRest(side, gates) }, "at rest\n%v", p)
	}
	rest()
	r.follow(steps, func(i int) {
		gates[i].Send(struct{}{})
		rest()
	})
	outcome = r.take()
	r.quit.Store(true)
	for _, g := range gates {
		g.Close()
	}
	r.drain(r.onNil(), sched.Yield)
	return outcome
}

// forPrograms calls f with random programs that have several outcomes and are small enough, each with these.
func forPrograms(t *testing.T, n int, ordered bool, f func(t *testing.T, seed uint64, p *program, all map[string]witness)) {
	done := 0
	for seed := *programSeed; done < n; seed++ {
		p := generate(seeded(seed), raceEnabled, ordered)
		all, ok := p.outcomes(maxStates)
		if !ok || len(all) < 3 {
			continue
		}
		done++
		f(t, seed, p, all)
		if t.Failed() {
			t.Fatalf("seed %d (-programseed %d -programs 1)\n%v", seed, seed, p)
		}
	}
}

// onEachKind calls f with tasks on one P, tasks on two, and a mixture with goroutines and tasks of another Scheduler;
// in turn, since each takes its time.
func onEachKind(t *testing.T, seed uint64, p *program, f func(o *oursRun)) {
	s := testsched.New(t, 1+int(seed%2))
	o := &oursRun{s, []func(func()){s.Go}}
	all := []*sched.Scheduler{s}
	if seed%3 == 0 && !p.blocksOnNil() { // for a goroutine that is for ever
		other := testsched.New(t, 1)
		all = append(all, other)
		o.kinds = append(o.kinds, testsched.OnGoroutine, other.Go)
	}
	f(o)
	testsched.Close(t, all...)
}

// TestEveryOutcomeIsReached: what Go allows happens natively and on userrt, when the tasks take their steps in the
// order that leads to it; and nothing else does.
func TestEveryOutcomeIsReached(t *testing.T) {
	sought, passed := 0, 0
	seek := func(p *program, all map[string]witness, kind string, run func(steps []int) string) {
		for want, w := range all {
			if w.chance < minChance {
				passed++
				continue
			}
			sought++
			tries := int(math.Ceil(40 / -math.Log1p(-min(w.chance, 0.999999999))))
			reached := false
			for range max(tries, 1) {
				got := run(w.steps)
				if _, ok := all[got]; !ok {
					t.Errorf("%s: outcome that Go does not allow:\n%s\nsteps %v", kind, got, w.steps)
					return
				}
				if reached = got == want; reached {
					break
				}
			}
			if !reached {
				t.Errorf("%s: outcome never reached:\n%s\nsteps %v, chance %v, %d tries", kind, want, w.steps, w.chance, tries)
				return
			}
		}
	}
	forPrograms(t, *programs, true, func(t *testing.T, seed uint64, p *program, all map[string]witness) {
		if !p.ordered() {
			seek(p, all, "native", func(steps []int) string { return stepNative(t, p, steps) })
		}
		onEachKind(t, seed, p, func(o *oursRun) {
			if len(o.kinds) > 1 {
				seek(p, all, "mixed", func(steps []int) string { return o.step(t, p, steps) })
				return
			}
			testsched.Within(t, func() {
				require.NoError(t, o.s.Run(func() {
					seek(p, all, "tasks", func(steps []int) string { return o.step(t, p, steps) })
				}))
			})
		})
	})
	t.Logf("%d outcomes sought, %d passed over", sought, passed)
	require.Less(t, passed*20, sought+20)
}

// pauser returns a function that lets some time pass, sometimes: for varied overlaps.
func pauser(seed uint64, tasks int) func(task int) {
	rs := make([]*rand.Rand, tasks)
	for i := range rs {
		rs[i] = rand.New(rand.NewPCG(seed, uint64(i)))
	}
	var sink atomic.Uint64
	return func(task int) {
		r := rs[task]
		switch r.IntN(4) {
		case 0:
			for range r.IntN(4) {
				sched.Yield()
			}
		case 1:
			for i := range r.Uint64N(300) {
				sink.Store(i)
			}
		}
	}
}

// TestFreeRunsStayInTheModel: tasks run as they like; what comes out, on either side, Go allows.
func TestFreeRunsStayInTheModel(t *testing.T) {
	const runs = 60
	var seen, seenNative, possible int
	forPrograms(t, *programs, true, func(t *testing.T, seed uint64, p *program, all map[string]witness) {
		got := map[string]bool{}
		try := func(kind, outcome string) {
			got[outcome] = true
			if _, ok := all[outcome]; !ok {
				t.Errorf("%s: outcome that Go does not allow:\n%s", kind, outcome)
			}
		}
		onEachKind(t, seed, p, func(o *oursRun) {
			for i := range uint64(runs) {
				try("ours", o.free(t, p, pauser(i, len(p.tasks))))
			}
		})
		if p.ordered() {
			return
		}
		seen += len(got)
		possible += len(all)
		clear(got)
		for i := range uint64(runs) {
			try("native", freeNative(t, p, pauser(i, len(p.tasks))))
		}
		seenNative += len(got)
	})
	t.Logf("%d outcomes possible, seen %d on userrt, %d natively", possible, seen, seenNative)
}

// FuzzPrograms makes a program of any bytes and runs it freely and by steps on both sides. To fuzz, add -fuzzminimizetime 1x:
// coverage varies from run to run, so minimizing would go on and on.
func FuzzPrograms(f *testing.F) {
	f.Add([]byte("seeds with many outcomes are in testdata/fuzz/FuzzPrograms"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := generate(fromBytes(b), raceEnabled, false)
		all, ok := p.outcomes(maxStates)
		if !ok {
			t.Skip("too many states")
		}
		var steps []int
		for _, c := range b {
			steps = append(steps, int(c)%len(p.tasks))
		}
		s := testsched.New(t, 2)
		o := &oursRun{s, []func(func()){s.Go}}
		for i := range uint64(6) {
			for kind, got := range map[string]string{
				"ours": o.free(t, p, pauser(i, len(p.tasks))), "native": freeNative(t, p, pauser(i, len(p.tasks))),
				"ours, by steps": o.step(t, p, steps), "native, by steps": stepNative(t, p, steps),
			} {
				if _, ok := all[got]; !ok {
					t.Errorf("%s: outcome that Go does not allow:\n%s\n%v", kind, got, p)
				}
			}
		}
		testsched.Close(t, s)
	})
}

// TestModelKnowsGo: outcomes of programs small enough to say by hand.
func TestModelKnowsGo(t *testing.T) {
	send := func(ch, v int) op { return op{kind: opSend, ch: ch, v: v} }
	recv := op{kind: opRecv}
	for _, x := range []struct {
		p    program
		want []string
	}{
		{program{[]int{0}, [][]op{{send(0, 1)}, {recv}}}, []string{"true | 1,true"}},
		{program{[]int{0}, [][]op{{send(0, 1)}, {send(0, 2)}, {recv}}}, []string{"true |  waits | 1,true", " waits | true | 2,true"}},
		{program{[]int{1}, [][]op{{send(0, 1)}, {{kind: opTryRecv}}}}, []string{"true | 1,true,true", "true | 0,false,false"}},
		{program{[]int{0}, [][]op{{{kind: opClose}}, {send(0, 1)}}}, []string{"true | panic: send on closed channel"}},
		{program{[]int{0}, [][]op{{{kind: opClose}}, {{kind: opClose}}}}, []string{"true | panic: close of closed channel", "panic: close of closed channel | true"}},
		{program{[]int{0, 0}, [][]op{{{kind: opSelect, ch: noChan, cases: []op{send(0, 1), {kind: opRecv, ch: 1}}}}, {recv}}}, []string{"case 0 true | 1,true"}},
		{program{[]int{0}, [][]op{{{kind: opClose, ch: noChan}}, {{kind: opRecv, ch: noChan}}}}, []string{"panic: close of nil channel |  waits"}},
	} {
		all, ok := x.p.outcomes(maxStates)
		require.True(t, ok)
		var got []string
		for o := range all {
			got = append(got, o)
		}
		require.ElementsMatch(t, x.want, got, "%v", &x.p)
	}
}
