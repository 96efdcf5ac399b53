// A Report: everything that one run can find out, in the form in which it is kept and read again.
//
// Its file form is JSON, one object a line, of which the first key says what it is:
//
//	{"env":...}       the surroundings, always the first line
//	{"floor":...}     a Floor: what an operation of the machine costs; a second one, measured at the end, has "again"
//	{"name":...}      a Result: one pair at one value of -procs
//	{"growth":...}    a Point: one size of one series
//	{"profiled":...}  a Profile: one side of a pair
//	{"without":...}   an Ablation: one pair with one mechanism switched off
//
// The tables, the page and the comparison are all made from a Report, so that what has been measured once can be shown
// in any of the formats later.
//
// Go's counterpart: the format of golang.org/x/perf/benchfmt, which -format benchstat prints.

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Report is what a run found out. Each list is in the order in which it was measured.
type Report struct {
	Env       Env
	Floors    []Floor
	Results   []Result
	Points    []Point
	Ablations []Ablation
	Profiles  []Profile
}

// Result is one pair at one value of -procs.
type Result struct {
	Name    string  `json:"name"`
	Procs   int     `json:"procs"`
	Unit    string  `json:"unit"`
	Native  float64 `json:"native"`  // median cost, in Unit
	Userrt  float64 `json:"userrt"`  // median cost, in Unit
	Speedup float64 `json:"speedup"` // Native/Userrt: above 1, userrt is the better
	Spread  float64 `json:"spread"`  // the larger relative interquartile range of the two
	Runs    int     `json:"runs"`    // rounds of each side

	// Each a confidence interval of 95 %; nil where there are too few rounds for one.
	NativeCI  *Interval `json:"native_ci,omitempty"`
	UserrtCI  *Interval `json:"userrt_ci,omitempty"`
	SpeedupCI *Interval `json:"speedup_ci,omitempty"`

	// The cost of every round, in Unit, none left out. Round i of one side ran beside round i of the other.
	NativeRounds []float64 `json:"native_rounds,omitempty"`
	UserrtRounds []float64 `json:"userrt_rounds,omitempty"`

	// What one operation can't do without ("2 swap + 1 cas"), what that costs here, and how many times as much Userrt is.
	// Empty and 0 for a pair that has no floor.
	Floor      string  `json:"above,omitempty"`
	FloorCost  float64 `json:"floor_cost,omitempty"`
	AboveFloor float64 `json:"above_floor,omitempty"`

	// How the tasks of each side shared the lock; nil for a pair that isn't about one.
	NativeFair *Fairness `json:"native_fair,omitempty"`
	UserrtFair *Fairness `json:"userrt_fair,omitempty"`
}

// Interval is a range from its first to its second number.
type Interval [2]float64

// Floor is the cost of an operation of the machine, below which nothing that is built on it can come.
type Floor struct {
	Name   string    `json:"floor"`
	Doc    string    `json:"doc"`
	Unit   string    `json:"unit"`
	Cost   float64   `json:"cost"` // median
	Spread float64   `json:"spread"`
	Rounds []float64 `json:"rounds"`
	Again  bool      `json:"again,omitempty"` // measured when all else had been
}

// Point is one size of a series: the same work on more of something.
type Point struct {
	Series string `json:"growth"`
	Of     string `json:"of"` // what Size counts: "tasks", "connections", "slots"
	Size   int    `json:"size"`
	Result        // its Name is Series/Size
}

// Ablation is one pair with one mechanism of Tunables switched off, beside the same pair with all of them on, both on userrt.
type Ablation struct {
	Without string    `json:"without"` // the mechanism
	Name    string    `json:"name"`    // the pair
	Procs   int       `json:"procs"`
	Unit    string    `json:"unit"`
	With    float64   `json:"with"`  // median cost with everything on
	Off     float64   `json:"off"`   // median cost without the mechanism
	Worth   float64   `json:"worth"` // Off/With: above 1, the mechanism helps
	WorthCI *Interval `json:"worth_ci,omitempty"`
	Spread  float64   `json:"spread"`
	Runs    int       `json:"runs"`
}

// Profile is what the processors were at while one side of a pair ran.
type Profile struct {
	Name    string             `json:"profiled"`
	Side    string             `json:"side"` // "native" or "userrt"
	Procs   int                `json:"procs"`
	Cost    float64            `json:"ns"`    // of the clock, an operation
	Busy    float64            `json:"busy"`  // processors that were at work, on average
	Parts   map[string]float64 `json:"parts"` // ns of processor time an operation, by the part of the system
	Samples int64              `json:"samples"`
}

// envLine is the first line of a file.
type envLine struct {
	Env Env `json:"env"`
}

// readReport reads what -format json has written. Lines of a kind that it doesn't know are an error, as is a file without
// its first line, but for one made only of Results, which is what older versions wrote.
func readReport(r io.Reader) (*Report, error) {
	rep := &Report{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<24)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := rep.add(lines.Bytes()); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return rep, lines.Err()
}

// add takes one line of a file into the report.
func (rep *Report) add(line []byte) error {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(line, &keys); err != nil {
		return err
	}
	has := func(key string) bool { _, ok := keys[key]; return ok }
	switch {
	case has("env"):
		var e envLine
		err := json.Unmarshal(line, &e)
		rep.Env = e.Env
		return err
	case has("floor"):
		return appendLine(&rep.Floors, line)
	case has("growth"):
		return appendLine(&rep.Points, line)
	case has("profiled"):
		return appendLine(&rep.Profiles, line)
	case has("without"):
		return appendLine(&rep.Ablations, line)
	case has("name"):
		return appendLine(&rep.Results, line)
	}
	return fmt.Errorf("no line of a benchmark's results: %.60s", line)
}

func appendLine[T any](list *[]T, line []byte) error {
	var v T
	err := json.Unmarshal(line, &v)
	*list = append(*list, v)
	return err
}

// write hands all of the report to out, whose begin it calls with the rounds of the longest result.
func (rep *Report) write(out output) error {
	count := 0
	for _, res := range rep.Results {
		count = max(count, res.Runs)
	}
	if err := out.begin(rep.Env, count); err != nil {
		return err
	}
	for _, part := range []func() error{
		func() error { return each(rep.floors(false), out.floor) },
		func() error { return each(rep.Results, out.result) },
		func() error { return each(rep.Points, out.point) },
		func() error { return each(rep.Ablations, out.ablation) },
		func() error { return each(rep.Profiles, out.profile) },
		func() error { return each(rep.floors(true), out.floor) },
		out.end,
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// floors returns those that were measured first, or again.
func (rep *Report) floors(again bool) (list []Floor) {
	for _, f := range rep.Floors {
		if f.Again == again {
			list = append(list, f)
		}
	}
	return list
}

// each calls f with one after the other until one fails.
func each[T any](list []T, f func(T) error) error {
	for _, v := range list {
		if err := f(v); err != nil {
			return err
		}
	}
	return nil
}
