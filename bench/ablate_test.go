// Ablations: the switches are those of sched, the channels without hand-off are right, and a fake mechanism is worth what it costs.

package main

import (
	"bytes"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/sched"
)

// TestMechanisms checks that every switch of sched.Tunables is there once, and that each sets itself only.
func TestMechanisms(t *testing.T) {
	set := map[string]bool{}
	for _, m := range mechanisms {
		var tun sched.Tunables
		m.set(&tun)
		v := reflect.ValueOf(tun)
		var changed []string
		for i := range v.NumField() {
			if !v.Field(i).IsZero() {
				changed = append(changed, v.Type().Field(i).Name)
			}
		}
		require.Len(t, changed, 1, m.name)
		if m.name != "NoFairTicks" {
			require.Equal(t, m.name, changed[0])
		}
		set[changed[0]] = true
		s, err := sched.New(sched.Config{Procs: 2, Tunables: tun})
		require.NoError(t, err, m.name)
		require.NoError(t, s.Close())
	}
	tun := reflect.TypeFor[sched.Tunables]()
	for i := range tun.NumField() {
		if f := tun.Field(i); f.Type.Kind() == reflect.Bool {
			require.True(t, set[f.Name], "no column for %s", f.Name)
		}
	}
}

func TestAblationList(t *testing.T) {
	all := ablations(pairs(), regexp.MustCompile(""))
	require.Len(t, all, len(ablated)*len(mechanisms)+len(handOffBodies), "every name in the lists is a pair's")
	one := ablations(pairs(), regexp.MustCompile("^NoHandOff/hchan/ping"))
	require.Len(t, one, 1)
	require.Equal(t, sched.Tunables{}, one[0].off)

	status, stdout, _ := command(pairs(), "-list", "-ablate", "-run", "^NoPace/skynet$")
	require.Equal(t, 0, status)
	require.Equal(t, "NoPace/skynet\n", stdout)
	status, _, _ = command(pairs(), "-list", "-run", "^NoPace/skynet$")
	require.Equal(t, 2, status)
}

// TestAblationOfAFake has bodies of known costs, and sees that they take turns on two schedulers of which one has the switch set.
func TestAblationOfAFake(t *testing.T) {
	var order []byte
	var ns []int
	body := func(mark byte, cost time.Duration) Body {
		return func(r *Round) error {
			order = append(order, mark)
			ns = append(ns, r.N)
			r.Took = cost * time.Duration(r.N)
			return nil
		}
	}
	p := fakePair("a/fake", 1, 1)
	a := ablation{without: "NoStealing", pair: p, off: sched.Tunables{NoStealing: true}, with: body('w', 1000), bare: body('o', 2500)}
	before := runtime.GOMAXPROCS(0)
	res, err := a.measure(2, 4, func(int) {})
	require.NoError(t, err)
	require.Equal(t, Ablation{Without: "NoStealing", Name: "a/fake", Procs: 2, Unit: nsPerOp, With: 1000, Off: 2500, Worth: 2.5, Runs: 4}, res)
	require.Regexp(t, "^w+o+woowwoow$", string(order))
	res, err = a.measure(2, 6, func(int) {})
	require.NoError(t, err)
	require.Equal(t, &Interval{2.5, 2.5}, res.WorthCI)
	require.Equal(t, before, runtime.GOMAXPROCS(0))

	sizes := map[int]bool{}
	for _, n := range ns[len(ns)-12:] {
		sizes[n] = true
	}
	require.Len(t, sizes, 1, "all rounds are of one size, whatever they cost")

	a.bare = func(*Round) error { return mismatch("sum", 1, 2) }
	_, err = a.measure(2, 4, func(int) {})
	require.EqualError(t, err, "NoStealing/a/fake at procs 2: without: wrong result: sum 1, want 2")
}

// TestAblationTakesEffect asks for a mechanism whose absence can be seen: without stealing the second of two tasks waits for the first.
func TestAblationTakesEffect(t *testing.T) {
	apart := func(r *Round) error {
		var other atomic.Bool
		sched.Go(func() { other.Store(true) })
		seen := false
		for start := time.Now(); !seen && time.Since(start) < 2*time.Millisecond; {
			seen = other.Load()
		}
		r.Took = time.Duration(r.N)
		if seen {
			r.Took *= 10
		}
		return nil
	}
	a := ablation{without: "NoStealing", pair: fakePair("a/fake", 1, 1), off: sched.Tunables{NoStealing: true}, with: apart, bare: apart}
	res, err := a.measure(2, 3, func(int) {})
	require.NoError(t, err)
	require.InDelta(t, 1, res.Off, 1e-9, "nobody has come for the task")
}

// TestQueues moves values through queues with and without hand-off; the bodies check that none is lost or doubled.
func TestQueues(t *testing.T) {
	n := 20_000
	if raceEnabled {
		n = 2000
	}
	for _, procs := range []int{1, 2, 8} {
		s := newScheduler(t, procs)
		for _, handOff := range []bool{true, false} {
			for _, body := range []Body{
				queuePingPong(handOff),
				queueExchange(1, 0, handOff), queueExchange(8, 0, handOff), queueExchange(1, 1, handOff), queueExchange(8, 1, handOff),
				queueExchange(4, bufferSlots, handOff),
			} {
				_, err := runUserrt(s, body, n)
				require.NoError(t, err)
			}
		}
	}
}

// TestHandOff tells the two apart by what is in the slots while a receiver waits.
func TestHandOff(t *testing.T) {
	s := newScheduler(t, 1)
	for _, handOff := range []bool{true, false} {
		q := newQueue(1, handOff)
		inSlots := -1
		var got int
		require.NoError(t, s.Run(func() {
			done := newQueue(1, true)
			sched.Go(func() {
				w := newWaiter()
				got, _ = q.recv(w)
				done.send(w, 1)
			})
			w := newWaiter()
			sched.Yield() // it waits now
			q.send(w, 42)
			q.lock.lock()
			inSlots = q.count
			q.lock.unlock()
			done.recv(w)
		}))
		require.Equal(t, 42, got)
		require.Equal(t, map[bool]int{true: 0, false: 1}[handOff], inSlots)
	}
}

func TestAblationTable(t *testing.T) {
	var b bytes.Buffer
	o := &textOutput{w: &b}
	for _, a := range []Ablation{
		{Without: "NoRunnext", Name: "a/one", Procs: 2, Unit: nsPerOp, With: 100, Worth: 1.25},
		{Without: "NoHandOff", Name: "a/one", Procs: 2, Unit: nsPerOp, With: 300, Worth: 0.5},
		{Without: "StealOne", Name: "a/two", Procs: 2, Unit: nsPerOp, With: 7, Worth: 1.1, WorthCI: &Interval{0.9, 1.3}},
	} {
		require.NoError(t, o.ablation(a))
	}
	require.Empty(t, b.String())
	require.NoError(t, o.end())
	lines := strings.Split(b.String(), "\n")
	require.Regexp(t, `^what each mechanism is worth, procs 2`, lines[1])
	require.Regexp(t, `^pair +with all +next +steal +half .* hand$`, lines[2])
	require.Regexp(t, `^a/one +100 ns +1.25 {70,}0.50$`, lines[3])
	require.Regexp(t, `^a/two +7.00 ns {14,}1.10~ +$`, lines[4])
	for _, line := range lines[2:5] {
		require.LessOrEqual(t, len(line), 136)
	}
}
