// Floors: they can be measured, the terms add up, and every pair has some or says why not.

package main

import (
	"bytes"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/floor"
)

// TestFloorsAreMeasured measures all that the pairs' floors are made of.
func TestFloorsAreMeasured(t *testing.T) {
	ops := floorsOf(pairs(), []int{1, 2}, true)
	require.Len(t, ops, len(floorOps()))
	require.Empty(t, floorsOf(fakePairs(), []int{1}, true))
	skipped := 0
	floors, err := measureFloors(ops, func(string, error) { skipped++ })
	require.NoError(t, err)
	require.Equal(t, len(ops), len(floors)+skipped)
	if runtime.GOOS == "linux" {
		require.LessOrEqual(t, skipped, 2, "futex and late are left out by userrt_nofutex")
	}
	for _, f := range floors {
		require.Positive(t, f.Cost, f.Name)
		require.NotEmpty(t, f.Doc, f.Name)
		require.Equal(t, nsPerOp, f.Unit, f.Name)
		require.Len(t, f.Rounds, floorRounds, f.Name)
	}
	require.Nil(t, forWords, "what was made for a floor is freed")
}

// TestEveryPairHasAFloor or is known to have none; and each operation is there for a pair, or says something beside them.
func TestEveryPairHasAFloor(t *testing.T) {
	ops := map[string]bool{}
	for _, op := range floorOps() {
		ops[op.Name] = true
	}
	names := map[string]bool{}
	for _, p := range pairs() {
		names[p.Name] = true
		require.Equal(t, noFloor[p.Name], p.Floor == nil, p.Name)
		for _, procs := range []int{1, 2, 64} {
			for _, term := range p.needs(procs) {
				require.True(t, ops[term.op], "%s: %s", p.Name, term.op)
				require.Positive(t, term.n, "%s: %s", p.Name, term.op)
			}
		}
	}
	for name := range pairNeeds {
		require.True(t, names[name], name)
	}
	for name := range noFloor {
		require.True(t, names[name], name)
	}
	used := floorsOf(pairs(), []int{1, 2}, false)
	require.Len(t, used, len(floorOps())-2, "futex and line are in no pair's floor: who spins long enough does without the one, who stays on one thread without the other")
}

func TestTerms(t *testing.T) {
	costs := map[string]float64{"swap": 40, "cas": 5}
	ask := func(n needs, procs int) (string, float64, bool) {
		terms := n(procs)
		cost, ok := sum(terms, costs)
		return formula(terms), cost, ok
	}
	both := []term{{2, "swap"}, {4, "cas"}}
	for _, c := range []struct {
		needs needs
		procs int
		text  string
		cost  float64
	}{
		{always(both...), 1, "2 swap + 4 cas", 100},
		{always(both...), 2, "2 swap + 4 cas", 100},
		{shared(both...), 1, "2 swap + 4 cas", 100},
		{onOne(term{0.25, "swap"}, always(term{1, "cas"})), 1, "0.25 swap + 1 cas", 15},
		{onOne(term{0.25, "swap"}, always(term{1, "cas"})), 2, "1 cas", 5},
	} {
		text, cost, ok := ask(c.needs, c.procs)
		require.True(t, ok)
		require.Equal(t, c.text, text)
		require.InDelta(t, c.cost, cost, 1e-9, text)
	}
	if runtime.NumCPU() >= 2 {
		text, cost, ok := ask(shared(both...), 2)
		require.True(t, ok)
		require.Equal(t, "1 swap + 2 cas", text)
		require.InDelta(t, 50, cost, 1e-9)
	}
	_, few, _ := ask(shared(both...), runtime.NumCPU())
	_, many, _ := ask(shared(both...), 1024)
	require.InDelta(t, few, many, 1e-9, "processors that the machine doesn't have")

	_, _, ok := ask(always(term{1, "swap"}, term{1, "nap"}), 1)
	require.False(t, ok, "an operation without a cost")
	_, ok = sum(nil, costs)
	require.False(t, ok)
	require.Equal(t, "0.111 swap + 2 lock", formula(stream(16)(1)))
	require.Equal(t, "2 lock", formula(stream(16)(2)))
	one := requests("rw", 1, 1)(1)
	require.InDelta(t, max(1, 2/float64(runtime.NumCPU())), one[0].n, 1e-9)
}

// TestSieveTransfers compares with a sieve whose channels are counted: of the numbers up to 541 each crosses the first
// channel, and one more for each prime below that doesn't divide it.
func TestSieveTransfers(t *testing.T) {
	want := 0
	var primes []int
	for v := 2; v <= sieveLast; v++ {
		i := 0
		for i < len(primes) && v%primes[i] != 0 {
			i++
		}
		want += i + 1
		if i == len(primes) {
			primes = append(primes, v)
		}
	}
	require.Len(t, primes, sievePrimes)
	require.InDelta(t, float64(want)/sievePrimes, sieveTransfers(), 1e-9)
}

// TestResultAboveFloor follows a pair with a floor through the whole command.
func TestResultAboveFloor(t *testing.T) {
	p := fakePair("a/built", 4*time.Hour, 2*time.Hour)
	p.Floor = always(term{3, "clock"})
	status, stdout, stderr := command([]Pair{p}, "-format", "json", "-count", "1", "-procs", "1", "-run", "built")
	require.Equal(t, 0, status, stderr)
	rep, err := readReport(strings.NewReader(stdout))
	require.NoError(t, err)
	require.Len(t, rep.Floors, 2, "only the one that is needed, at both ends")
	require.False(t, rep.Floors[0].Again)
	require.True(t, rep.Floors[1].Again)
	require.Equal(t, "clock", rep.Floors[0].Name)
	res := rep.Results[0]
	require.Equal(t, "3 clock", res.Floor)
	require.InDelta(t, 3*rep.Floors[0].Cost, res.FloorCost, 0.05)
	require.InEpsilon(t, float64(2*time.Hour)/res.FloorCost, res.AboveFloor, 0.001)

	var b bytes.Buffer
	res.AboveFloor = 12.34
	require.NoError(t, (&textOutput{w: &b}).result(res))
	require.Contains(t, b.String(), "  12.3×\n")
}

// TestMissingFloor leaves out what a system doesn't have, and reports what goes wrong.
func TestMissingFloor(t *testing.T) {
	missing := func(int) (time.Duration, error) { return 0, errors.ErrUnsupported }
	fine := func(n int) (time.Duration, error) { return time.Duration(n) * time.Microsecond, nil }
	var names []string
	skipped := func(name string, _ error) { names = append(names, name) }
	floors, err := measureFloors([]floor.Op{{Name: "a", Run: missing}, {Name: "b", Run: fine}}, skipped)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, names)
	require.Len(t, floors, 1)
	require.InDelta(t, 1000, floors[0].Cost, 1e-6)

	broken := func(int) (time.Duration, error) { return 0, errors.New("broken") }
	_, err = measureFloors([]floor.Op{{Name: "c", Run: broken}}, skipped)
	require.EqualError(t, err, "floor: c: broken")
}

// TestFloorsAgain follows a machine on which one operation has become dearer, one cheaper, and one not, through all formats.
func TestFloorsAgain(t *testing.T) {
	rounds := func(cost float64) (costs []float64) {
		for i := range floorRounds {
			costs = append(costs, cost+float64(i))
		}
		return costs
	}
	rep := fullReport()
	rep.Floors = nil
	for _, again := range []bool{false, true} {
		for name, cost := range map[string]float64{"swap": 100, "lock": 200, "cas": 300} {
			if again {
				cost += map[string]float64{"swap": 50, "lock": -100, "cas": 1}[name]
			}
			rep.Floors = append(rep.Floors, Floor{Name: name, Doc: "what " + name + " is", Unit: nsPerOp, Cost: cost + 4, Rounds: rounds(cost), Again: again})
		}
	}
	slices.SortStableFunc(rep.Floors, func(a, b Floor) int { return strings.Compare(b.Name, a.Name) })
	const note = "The machine changed meanwhile: 2 of 3 cost more or less at the end, above the noise (swap +48 %, lock -49 %)."
	md := markdownOf(t, rep)
	require.Contains(t, md, note)
	require.Contains(t, md, "| operation | cost | spread | at the end | change | what it is |\n|:--|--:|--:|--:|--:|:--|\n"+
		"| swap | 104 ns | 0 % | 154 ns | +48 % | what swap is |\n| lock | 204 ns | 0 % | 104 ns | -49 % | what lock is |\n| cas | 304 ns | 0 % | 305 ns | +0 % ~ | what cas is |\n")
	page := parsePage(t, pageOf(t, rep)).byID(t, "floors")
	require.Contains(t, page.text(), note)
	require.Len(t, page.all("td", ""), 3*5)
	var b bytes.Buffer
	require.NoError(t, rep.write(&textOutput{w: &b}))
	require.Regexp(t, `(?m)^swap +154\.0 ns +0 % +104\.0 ns +\+48 % dearer$`, b.String())
	require.Regexp(t, `(?m)^lock +104\.0 ns +0 % +204\.0 ns +-49 % cheaper$`, b.String())
	require.Regexp(t, `(?m)^cas +305\.0 ns +0 % +304\.0 ns +\+0 % ~$`, b.String())
	b.Reset()
	require.NoError(t, rep.write(&benchstatOutput{w: &b}))
	require.Equal(t, floorRounds, strings.Count(b.String(), "BenchmarkFloor/swap/when=end "))
	b.Reset()
	require.NoError(t, rep.write(newJSONOutput(&b)))
	read, err := readReport(&b)
	require.NoError(t, err)
	require.Equal(t, rep.floors(true), read.floors(true))
	require.Equal(t, rep.floors(false), read.floors(false))

	for i := range rep.Floors {
		if rep.Floors[i].Again {
			rep.Floors[i].Cost, rep.Floors[i].Rounds = 304, rounds(300)
		}
	}
	same := floorViews(rep.Floors[4:])
	require.Contains(t, floorNote(same), "No difference is above the noise: the machine is the same at both ends")
	same[0].again.Spread = 0.5
	require.Contains(t, floorNote(same), "No difference is above the noise, but with spreads of up to 50 % ("+same[0].Name+") only large ones would be.")
	require.Empty(t, floorNote(floorViews(fullReport().Floors)), "measured once")
}
