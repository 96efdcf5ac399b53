// Ablation: what each mechanism of the scheduler is worth, by what the pairs cost without it.
//
// Two schedulers in one process, one with everything on and one with a single switch of sched.Tunables set, take turns at the userrt side of a pair, as the two sides
// of a pair do otherwise. Below 1 the mechanism costs more than it brings, for this work on this machine; most are there for other work than most
// pairs are, and a row without effect is shown as well.
//
// Direct hand-off in channels has no switch, which would cost hchan's fast paths; handoff.go has a channel with it and without, for the
// pairs that are about it.
//
// Go's counterpart: none; GODEBUG switches some mechanisms of the runtime off, but one process has only one scheduler.

package main

import (
	"errors"
	"fmt"
	"regexp"
	"runtime"

	"github.com/userrt/userrt/sched"
)

// ablationRounds are those of each of the table's many cells. From nine on an interval of 95 % leaves out the least and the greatest.
const ablationRounds = 9

// muchSlower is how many times as long as calibrated a round may be.
const muchSlower = 20

// A mechanism is something that can be switched off.
type mechanism struct {
	name  string // of the switch
	short string // heading of its column: what is switched off
	set   func(*sched.Tunables)
}

var mechanisms = []mechanism{
	{"NoRunnext", "next", func(t *sched.Tunables) { t.NoRunnext = true }},
	{"NoStealing", "steal", func(t *sched.Tunables) { t.NoStealing = true }},
	{"StealOne", "half", func(t *sched.Tunables) { t.StealOne = true }},
	{"NoSpinning", "spin", func(t *sched.Tunables) { t.NoSpinning = true }},
	{"NoDirectSwitch", "direct", func(t *sched.Tunables) { t.NoDirectSwitch = true }},
	{"NoStacklessStart", "start", func(t *sched.Tunables) { t.NoStacklessStart = true }},
	{"NoFairTicks", "61st", func(t *sched.Tunables) { t.FairTicks = -1 }},
	{"NoPreemption", "slice", func(t *sched.Tunables) { t.NoPreemption = true }},
	{"NoRelief", "relief", func(t *sched.Tunables) { t.NoRelief = true }},
	{"NoPrefetch", "fetch", func(t *sched.Tunables) { t.NoPrefetch = true }},
	{"NoChildFirst", "child", func(t *sched.Tunables) { t.NoChildFirst = true }},
	{"NoKeeping", "keep", func(t *sched.Tunables) { t.NoKeeping = true }},
	{"NoLending", "lend", func(t *sched.Tunables) { t.NoLending = true }},
	{"NoPace", "pace", func(t *sched.Tunables) { t.NoPace = true }},
}

// noHandOff is the mechanism that has channels of its own in the place of a switch.
const noHandOff = "NoHandOff"

// ablated are the pairs to which each mechanism matters to some, by name.
var ablated = map[string]bool{
	"sched/spawn": true, "sched/spawnjoin": true, "sched/forkjoin": true, "sched/yield-2": true, "sched/yield-1000": true, "sched/unbalanced": true,
	"sched/hog-calls": true, "sched/hog-silent": true,
	"hchan/pingpong": true, "hchan/buffered-4x4": true, "hchan/pipeline-100": true, "hchan/contended-8x8": true, "hchan/mixed": true,
	"waitgroup/fanout": true, "waitgroup/wait-1000": true, "locks/mutex-yield-8": true, "skynet": true, "netpoll/echo-64": true,
}

// An ablation is one pair with one mechanism off.
type ablation struct {
	without string
	pair    Pair
	on, off sched.Tunables
	with    Body // what runs with everything on
	bare    Body // and without the mechanism
}

// name is by what -run chooses: "NoPace/skynet".
func (a ablation) name() string { return a.without + "/" + a.pair.Name }

// ablations returns what is to be measured: of all pairs, those of the list, with each mechanism, as far as the names match. All of
// one pair stand together.
func ablations(all []Pair, re *regexp.Regexp) (chosen []ablation) {
	add := func(a ablation) {
		if re.MatchString(a.name()) {
			chosen = append(chosen, a)
		}
	}
	for _, p := range all {
		if !ablated[p.Name] {
			continue
		}
		p.AtMost = ablationRounds
		for _, m := range mechanisms {
			a := ablation{without: m.name, pair: p, with: p.Userrt, bare: p.Userrt}
			m.set(&a.off)
			add(a)
		}
		if bodies, ok := handOffBodies[p.Name]; ok {
			add(ablation{without: noHandOff, pair: p, with: bodies.with, bare: bodies.without})
		}
	}
	return chosen
}

// alike gives both sides rounds of the same size, since their costs are much the same: what a round has but once, as making its tasks, would otherwise pass for
// an effect where amid other work one side was calibrated badly. A side that really is that much slower gets no rounds of minutes.
func alike(sides *[2]side) {
	less, more := min(sides[0].n, sides[1].n), max(sides[0].n, sides[1].n)
	n := min(more, muchSlower*less)
	sides[0].n, sides[1].n = n, n
}

// measure runs the rounds of a, with procs processors.
func (a ablation) measure(procs, count int, before func(round int)) (res Ablation, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s at procs %d: %w", a.name(), procs, err)
		}
	}()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	if a.pair.Open != nil {
		if err := a.pair.Open(); err != nil {
			return res, err
		}
	}
	var sides [2]side
	for i, how := range []struct {
		name     string
		tunables sched.Tunables
		body     Body
	}{{"with", a.on, a.with}, {"without", a.off, a.bare}} {
		s, err := sched.New(sched.Config{Procs: procs, Tunables: how.tunables})
		if err != nil {
			return res, err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		sides[i] = side{name: how.name, body: func(n int) (*Round, error) { return runUserrt(s, how.body, n) }}
	}
	if err := takeTurns(a.pair, &sides, count, before, func() { alike(&sides) }); err != nil {
		return res, err
	}
	with, withSpread := medianAndSpread(sides[0].costs)
	off, offSpread := medianAndSpread(sides[1].costs)
	return Ablation{
		Without: a.without, Name: a.pair.Name, Procs: procs, Unit: a.pair.Unit,
		With: with, Off: off, Worth: off / with, WorthCI: ratioInterval(sides[1].costs, sides[0].costs, off/with), Spread: max(withSpread, offSpread), Runs: len(sides[0].costs),
	}, nil
}
