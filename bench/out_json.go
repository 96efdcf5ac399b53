// Results for programs: one JSON object a line, written as soon as it is measured.

package main

import (
	"encoding/json"
	"io"
	"maps"
	"math"
)

// jsonOutput prints the lines of a Report.
type jsonOutput struct{ enc *json.Encoder }

func newJSONOutput(w io.Writer) *jsonOutput { return &jsonOutput{json.NewEncoder(w)} }

func (o *jsonOutput) begin(env Env, _ int) error { return o.enc.Encode(envLine{env}) }

func (o *jsonOutput) result(res Result) error { return o.enc.Encode(rounded(res)) }

func (o *jsonOutput) point(p Point) error {
	p.Result = rounded(p.Result)
	return o.enc.Encode(p)
}

func (o *jsonOutput) floor(f Floor) error {
	f.Cost, f.Spread = round(f.Cost, 2), round(f.Spread, 3)
	return o.enc.Encode(f)
}

func (o *jsonOutput) ablation(a Ablation) error {
	a.With, a.Off, a.Worth, a.Spread = round(a.With, 2), round(a.Off, 2), round(a.Worth, 3), round(a.Spread, 3)
	a.WorthCI = a.WorthCI.rounded(3)
	return o.enc.Encode(a)
}

func (o *jsonOutput) profile(p Profile) error {
	p.Cost, p.Busy = round(p.Cost, 2), round(p.Busy, 3)
	p.Parts = maps.Clone(p.Parts)
	for name, ns := range p.Parts {
		p.Parts[name] = round(ns, 2)
	}
	return o.enc.Encode(p)
}

func (o *jsonOutput) end() error { return nil }

// rounded takes off the digits beyond what a measurement can mean.
func rounded(res Result) Result {
	res.Native = round(res.Native, 2)
	res.Userrt = round(res.Userrt, 2)
	res.Speedup = round(res.Speedup, 3)
	res.Spread = round(res.Spread, 3)
	res.NativeCI = res.NativeCI.rounded(2)
	res.UserrtCI = res.UserrtCI.rounded(2)
	res.SpeedupCI = res.SpeedupCI.rounded(3)
	res.FloorCost, res.AboveFloor = round(res.FloorCost, 2), round(res.AboveFloor, 2)
	res.NativeFair, res.UserrtFair = res.NativeFair.rounded(), res.UserrtFair.rounded()
	return res
}

// rounded returns a copy, or nil.
func (f *Fairness) rounded() *Fairness {
	if f == nil {
		return nil
	}
	g := *f
	g.Deviation = round(f.Deviation, 3)
	return &g
}

// rounded returns a copy with so many decimals, or nil.
func (i *Interval) rounded(decimals int) *Interval {
	if i == nil {
		return nil
	}
	return &Interval{round(i[0], decimals), round(i[1], decimals)}
}

// round keeps so many decimals of v, and three digits at the least: a speedup of 0.00005 is no 0, which nothing could be made of.
func round(v float64, decimals int) float64 {
	if v != 0 {
		decimals = max(decimals, 2-int(math.Floor(math.Log10(math.Abs(v)))))
	}
	unit := math.Pow10(decimals)
	return math.Round(v*unit) / unit
}
