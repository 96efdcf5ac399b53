// -from: results that were measured before take the place of a measurement.

package main

import (
	"flag"
	"fmt"
	"iter"
	"os"
	"regexp"
	"slices"
)

// checkFiles refuses flags that say how to measure when nothing is measured, and a comparison amid results that a program is
// to read.
func checkFiles(opts options, fs *flag.FlagSet) (err error) {
	if opts.from != "" {
		fs.Visit(func(f *flag.Flag) {
			if slices.Contains([]string{"count", "procs", "time", "list", "growth", "ablate", "profile"}, f.Name) {
				err = fmt.Errorf("-%s: with -from nothing is measured", f.Name)
			}
		})
	}
	if opts.compare != "" && opts.format != "text" && opts.file == "" {
		err = fmt.Errorf("-compare prints text: give -format %s a file, with -o", opts.format)
	}
	return err
}

// readReportFile reads what -format json has written to a file.
func readReportFile(path string) (*Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rep, err := readReport(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rep.Results)+len(rep.Floors)+len(rep.Points)+len(rep.Ablations)+len(rep.Profiles) == 0 {
		return nil, fmt.Errorf("%s: no results", path)
	}
	for res := range rep.all() {
		if err := res.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		res.complete()
	}
	for _, p := range rep.Profiles {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return rep, nil
}

// all gives the results of pairs, then those of points.
func (rep *Report) all() iter.Seq[*Result] {
	return func(yield func(*Result) bool) {
		for i := range rep.Results {
			if !yield(&rep.Results[i]) {
				return
			}
		}
		for i := range rep.Points {
			if !yield(&rep.Points[i].Result) {
				return
			}
		}
	}
}

// check says what of a result from a file cannot have been measured.
func (res *Result) check() error {
	costs := slices.Concat([]float64{res.Native, res.Userrt, res.Speedup}, res.NativeRounds, res.UserrtRounds)
	switch {
	case res.Name == "" || res.Procs < 1:
		return fmt.Errorf("a result of %q at procs %d", res.Name, res.Procs)
	case slices.Min(costs) <= 0:
		return fmt.Errorf("%s at procs %d: a cost that is not positive", res.Name, res.Procs)
	case len(res.NativeRounds) != len(res.UserrtRounds):
		return fmt.Errorf("%s at procs %d: %d rounds of native, %d of userrt", res.Name, res.Procs, len(res.NativeRounds), len(res.UserrtRounds))
	}
	return nil
}

// check says what of a profile from a file cannot have been measured.
func (p *Profile) check() error {
	if p.Name == "" || p.Procs < 1 || p.Cost <= 0 {
		return fmt.Errorf("a profile of %q at procs %d, %v ns", p.Name, p.Procs, p.Cost)
	}
	for part, ns := range p.Parts {
		if ns < 0 {
			return fmt.Errorf("a profile of %s at procs %d: %v ns in %q", p.Name, p.Procs, ns, part)
		}
	}
	return nil
}

// complete adds the intervals to a result that was written without them, if it has its rounds.
func (res *Result) complete() {
	if len(res.NativeRounds) == 0 || res.SpeedupCI != nil {
		return
	}
	res.NativeCI = medianInterval(res.NativeRounds)
	res.UserrtCI = medianInterval(res.UserrtRounds)
	res.SpeedupCI = ratioInterval(res.NativeRounds, res.UserrtRounds, res.Speedup)
}

// matching returns what has a name that matches, in its order; floors, which belong to no pair, stay. That nothing does is an
// error, as in choose.
func (rep *Report) matching(re *regexp.Regexp) (*Report, error) {
	m := &Report{Env: rep.Env, Floors: rep.Floors}
	for _, res := range rep.Results {
		if re.MatchString(res.Name) {
			m.Results = append(m.Results, res)
		}
	}
	for _, p := range rep.Points {
		if re.MatchString(p.Name) {
			m.Points = append(m.Points, p)
		}
	}
	for _, a := range rep.Ablations {
		if re.MatchString(a.Without + "/" + a.Name) {
			m.Ablations = append(m.Ablations, a)
		}
	}
	for _, p := range rep.Profiles {
		if re.MatchString(p.Name) {
			m.Profiles = append(m.Profiles, p)
		}
	}
	if re.String() != "" && len(m.Results)+len(m.Points)+len(m.Ablations)+len(m.Profiles) == 0 {
		return nil, fmt.Errorf("-run %q matches no result of the file", re)
	}
	return m, nil
}
