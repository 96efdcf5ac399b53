// What -growth, -ablate and -profile add to a run, behind the pairs.

package main

import (
	"errors"
	"slices"
)

// extras is what is to be measured beside the pairs: points and ablations for the last value of -procs only, the most processors, usually, and so those on which
// queues and thieves matter; profiles for each.
type extras struct {
	points    []point
	ablations []ablation
	profiles  []profiling
}

// profiling is one pair to be profiled.
type profiling struct {
	pair  Pair
	procs int
}

// profileFlag is the value of -profile, which is "summary" or a bool.
type profileFlag string

// Set implements flag.Value.
func (f *profileFlag) Set(s string) error {
	*f = profileFlag(s)
	switch s {
	case "summary", "true":
		return nil
	case "false":
		*f = ""
		return nil
	}
	return errors.New("want nothing or summary")
}

// String implements flag.Value.
func (f *profileFlag) String() string { return string(*f) }

// IsBoolFlag lets the command line have -profile alone.
func (f *profileFlag) IsBoolFlag() bool { return true }

// choose returns what is to be profiled: everything for each value of procs, or for a summary some pairs for the last.
func (f profileFlag) choose(chosen []Pair, procs []int) (list []profiling) {
	if f == "summary" {
		procs = procs[len(procs)-1:]
	}
	for _, n := range procs {
		for _, p := range chosen {
			if f != "" && p.profiled() && (f != "summary" || slices.Contains(shownPairs, p.Name)) {
				list = append(list, profiling{p, n})
			}
		}
	}
	return list
}

func (x extras) len() int { return len(x.points) + len(x.ablations) + len(x.profiles) }

// measure measures all of it. What this system does not support is left out, with a line on stderr.
func (x extras) measure(opts options, out output, prog *progress) error {
	procs := opts.procs[len(opts.procs)-1]
	for _, p := range x.points {
		prog.round(p.pair.Name, procs, 0)
		res, err := p.measure(procs, opts.count, opts.time)
		if errors.Is(err, errors.ErrUnsupported) {
			prog.skipped(p.pair.Name, procs, err)
			continue
		}
		if err == nil {
			prog.measured(res.Result)
			err = out.point(res)
		}
		if err != nil {
			prog.clear()
			return err
		}
	}
	if err := x.ablate(opts, procs, out, prog); err != nil {
		return err
	}
	return x.profile(opts, out, prog)
}

func (x extras) profile(opts options, out output, prog *progress) error {
	for _, pr := range x.profiles {
		prog.profiling(pr.pair.Name, pr.procs)
		both, err := pr.pair.asked(opts.count, opts.time).profile(pr.procs, profileRounds*opts.time)
		if errors.Is(err, errors.ErrUnsupported) {
			prog.skipped(pr.pair.Name, pr.procs, err)
			continue
		}
		if err == nil {
			prog.profiled(pr.pair.Name, pr.procs)
			err = each(both, out.profile)
		}
		if err != nil {
			prog.clear()
			return err
		}
	}
	return nil
}

func (x extras) ablate(opts options, procs int, out output, prog *progress) (err error) {
	defer func() {
		for _, a := range x.ablations {
			if a.pair.Close != nil {
				err = errors.Join(err, a.pair.Close())
			}
		}
	}()
	for _, a := range x.ablations {
		a.pair = a.pair.asked(opts.count, opts.time)
		res, err := a.measure(procs, opts.count, func(round int) { prog.round(a.name(), procs, round) })
		if errors.Is(err, errors.ErrUnsupported) {
			prog.skipped(a.name(), procs, err)
			continue
		}
		if err == nil {
			prog.ablated(a.name(), res)
			err = out.ablation(res)
		}
		if err != nil {
			prog.clear()
			return err
		}
	}
	return nil
}
