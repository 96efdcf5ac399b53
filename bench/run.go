// Measuring: calibration, then rounds in which the two sides take turns.
//
// What must hold while a round runs:
//
//   - GOMAXPROCS is procs for both sides, and the scheduler has as many Procs.
//   - No timer is pending in the process (main.go says why), and nothing is printed.
//   - Each side starts on a heap that has just been collected, so that neither pays for the
//     other's garbage.
//   - One side's first round comes before the other's as often as after it, so that a machine
//     that slows down or speeds up favours neither.
//
// Go's counterpart: testing/benchmark.go, launch and predictN.

package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/userrt/userrt/sched"
)

const (
	roundTarget   = 10 * time.Millisecond // how long a round should last
	maxGrowth     = 100                   // from one trial to the next, in operations
	maxRoundSize  = 1 << 30               // operations; keeps N an int on 32-bit machines
	maxBeginnings = 6                     // of a pair's rounds, while they show that calibration was wrong
)

// side is one half of a pair while it is measured.
type side struct {
	name  string
	body  func(n int) (*Round, error)
	n     int           // operations a round
	fit   int           // n that fills a round, from calibration
	costs []float64     // in the pair's unit an operation, one for each measured round
	took  time.Duration // by the last of these rounds
}

// report writes results as the format says: of all chosen pairs for each value of -procs, or those of a file. Then it compares
// them, if that is asked for; the files are read first, so that no run is lost to a wrong name.
func report(opts options, chosen []Pair, stdout, stderr io.Writer) (err error) {
	var from, old *Report
	if opts.from != "" {
		if from, err = readReportFile(opts.from); err != nil {
			return err
		}
		if from, err = from.matching(opts.run); err != nil {
			return err
		}
	}
	if opts.compare != "" {
		if old, err = readReportFile(opts.compare); err != nil {
			return err
		}
	}
	out, closeOut, err := openTargets(opts.targets, stdout)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeOut()) }()
	rec := &recorder{output: out}
	if from != nil {
		err = from.write(rec)
	} else {
		err = measureAll(opts, chosen, rec, stderr)
	}
	if err == nil && old != nil {
		err = compare(stdout, opts.compare, old, &rec.rep)
	}
	return err
}

// measureAll measures and writes. A pair that one side does not support on this system is left out, with a line on stderr.
func measureAll(opts options, chosen []Pair, out output, stderr io.Writer) (err error) {
	defer func() { err = errors.Join(err, closePairs(chosen)) }()
	prog := newProgress(stderr, measurements(chosen, opts.procs)+opts.extras.len(), opts.count)
	env := readEnv()
	env.Round = opts.time.String()
	if err := out.begin(env, opts.count); err != nil {
		return err
	}
	ops := floorsOf(chosen, opts.procs, opts.run.String() == "")
	costs, err := writeFloors(ops, out, false, prog.noFloor)
	if err != nil {
		return err
	}
	for i, procs := range opts.procs {
		for _, p := range chosen {
			if p.once() && i > 0 {
				continue
			}
			p := p.asked(opts.count, opts.time)
			res, err := measure(p, procs, opts.count, func(round int) { prog.round(p.Name, procs, round) })
			if errors.Is(err, errors.ErrUnsupported) {
				prog.skipped(p.Name, procs, err)
				continue
			}
			if err == nil {
				err = p.fairness(&res, fairRounds*opts.time)
			}
			if err != nil {
				prog.clear()
				return err
			}
			res.above(p, costs)
			prog.measured(res)
			if err := out.result(res); err != nil {
				return err
			}
		}
	}
	if err := opts.extras.measure(opts, out, prog); err != nil {
		return err
	}
	if _, err := writeFloors(ops, out, true, func(string, error) {}); err != nil {
		return err
	}
	return out.end()
}

// measurements counts how often pairs are measured.
func measurements(chosen []Pair, procs []int) (n int) {
	for _, p := range chosen {
		if p.once() {
			n++
		} else {
			n += len(procs)
		}
	}
	return n
}

// closePairs calls every Close there is and returns what went wrong.
func closePairs(ps []Pair) error {
	var errs []error
	for _, p := range ps {
		if p.Close != nil {
			errs = append(errs, p.Close())
		}
	}
	return errors.Join(errs...)
}

// measure runs count rounds of each side of p, with procs processors, and sums them up. It calls
// before with the number of each round, from 0, while nothing is being timed.
func measure(p Pair, procs, count int, before func(round int)) (res Result, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s at procs %d: %w", p.Name, procs, err)
		}
	}()
	sides, done, err := p.start(procs)
	if err != nil {
		return res, err
	}
	defer func() { err = errors.Join(err, done()) }()
	if err := takeTurns(p, &sides, count, before, nil); err != nil {
		return res, err
	}
	return summarize(p, procs, sides[0].costs, sides[1].costs), nil
}

// start makes the two sides of p for procs processors; done undoes what it has done.
func (p Pair) start(procs int) (sides [2]side, done func() error, err error) {
	before := runtime.GOMAXPROCS(procs)
	restore := func() { runtime.GOMAXPROCS(before) }
	if p.Open != nil {
		if err := p.Open(); err != nil {
			restore()
			return sides, nil, err
		}
	}
	s, err := sched.New(sched.Config{Procs: procs})
	if err != nil {
		restore()
		return sides, nil, err
	}
	sides = [2]side{
		{name: "native", body: func(n int) (*Round, error) { return runNative(p.Native, n) }},
		{name: "userrt", body: func(n int) (*Round, error) { return runUserrt(s, p.Userrt, n) }},
	}
	return sides, func() error { defer restore(); return s.Close() }, nil
}

// takeTurns calibrates both sides of p and lets them take turns, count rounds each. calibrated, if not nil, is called in between. When a
// round shows that the calibration was wrong, which amid other work it may be, that is made good and the rounds begin again.
func takeTurns(p Pair, sides *[2]side, count int, before func(round int), calibrated func()) (err error) {
	count = p.rounds(count)
	bound := bindRounds(p, runtime.GOMAXPROCS(0))
	defer func() { err = errors.Join(err, bound.free()) }()
	if err := bound.turn(0); err != nil {
		return err
	}
	before(0)
	for i := range sides {
		if p.Rounds > 0 {
			sides[i].fit = p.Step
		} else if err := sides[i].calibrate(p.Step, p.target()); err != nil {
			return err
		}
	}
	for left := maxBeginnings; ; left-- {
		for i := range sides {
			sides[i].n, sides[i].costs = sides[i].fit, nil
		}
		if calibrated != nil {
			calibrated()
		}
		short, err := oneAfterTheOther(p, sides, count, bound, before, left > 1)
		if short == nil || err != nil {
			return err
		}
		short.fit = nextSize(short.n, p.Step, short.took, p.target())
		if err := bound.turn(0); err != nil {
			return err
		}
		before(0)
	}
}

// oneAfterTheOther does the rounds of takeTurns. If strict it ends with the first one that is too short, and says whose that was.
func oneAfterTheOther(p Pair, sides *[2]side, count int, bound binding, before func(round int), strict bool) (short *side, err error) {
	for round := range count {
		if round > 0 {
			before(round)
			if err := bound.turn(round); err != nil {
				return nil, err
			}
		}
		for i := range sides {
			sd := &sides[(round+i)%2]
			if err := sd.measure(); err != nil {
				return nil, err
			}
			if strict && sd.tooShort(p) {
				return sd, nil
			}
		}
	}
	return nil, nil
}

// tooShort reports whether the last round was so much shorter than it should be that the calibration must have been wrong. Not where
// calibration has not chosen its size (Pair.Rounds, alike), or it can't get larger (maxRoundSize).
func (sd *side) tooShort(p Pair) bool {
	return p.Rounds == 0 && sd.n == sd.fit && sd.took < p.target()/4 && nextSize(sd.n, p.Step, sd.took, p.target()) > sd.n
}

// calibrate finds how many operations fill a round. Its last trial lasts nearly as long as a round
// and so warms up caches, free lists and threads as well.
func (sd *side) calibrate(step int, target time.Duration) error {
	sd.n = step
	for {
		r, err := sd.once()
		if err != nil {
			return err
		}
		n := nextSize(sd.n, step, r.Took, target)
		enough := r.Took >= target/2 || n == sd.n
		sd.n, sd.fit = n, n
		if enough {
			return nil
		}
	}
}

// nextSize returns how many operations, in multiples of step, would last as long as target, if n of them
// took so long. It is never below step, nor grows more than maxGrowth times.
func nextSize(n, step int, took, target time.Duration) int {
	want := float64(n) * float64(target) / float64(max(took, 1))
	want = min(want, float64(n)*maxGrowth, maxRoundSize)
	steps := int(want / float64(step))
	return max(steps, 1) * step
}

// measure does one round that counts.
func (sd *side) measure() error {
	r, err := sd.once()
	if err != nil {
		return err
	}
	sd.took = r.Took
	sd.costs = append(sd.costs, r.perOp())
	return nil
}

// once does sd.n operations on a collected heap and returns what they cost.
func (sd *side) once() (*Round, error) {
	runtime.GC()
	r, err := sd.body(sd.n)
	if err == nil && r.perOp() <= 0 {
		err = fmt.Errorf("%d operations took %v", r.N, r.Took)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sd.name, err)
	}
	return r, nil
}

// runNative runs a round on a goroutine of its own, as Run does with a task.
func runNative(body Body, n int) (*Round, error) {
	r := &Round{N: n}
	done := make(chan error, 1)
	go func() { done <- r.run(body) }()
	return r, <-done
}

// runUserrt runs a round in a task of s.
func runUserrt(s *sched.Scheduler, body Body, n int) (*Round, error) {
	r := &Round{N: n}
	var bodyErr error
	err := s.Run(func() { bodyErr = r.run(body) })
	return r, errors.Join(err, bodyErr)
}

// run runs the body, and times it unless it has measured itself. The start of the goroutine or task is left out: docs/method.md, Rounds.
func (r *Round) run(body Body) error {
	start := time.Now()
	err := body(r)
	took := time.Since(start)
	if r.Took == 0 {
		r.Took = took
	}
	return err
}

// perOp returns the cost of one operation: ns, but for a body that measures something else.
func (r *Round) perOp() float64 {
	if r.Cost > 0 {
		return r.Cost / float64(r.N)
	}
	return float64(r.Took.Nanoseconds()) / float64(r.N)
}
