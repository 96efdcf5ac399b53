// Formats that know everything before they print anything.

package main

import "io"

// collector gathers the Report of a run and writes it at the end.
type collector struct {
	rep   Report
	w     io.Writer
	write func(w io.Writer, rep *Report) error
}

func collecting(write func(io.Writer, *Report) error) func(io.Writer) output {
	return func(w io.Writer) output { return &collector{w: w, write: write} }
}

func (c *collector) begin(env Env, _ int) error {
	c.rep = Report{Env: env}
	return nil
}

func (c *collector) result(res Result) error {
	c.rep.Results = append(c.rep.Results, res)
	return nil
}

func (c *collector) floor(f Floor) error {
	c.rep.Floors = append(c.rep.Floors, f)
	return nil
}

func (c *collector) point(p Point) error {
	c.rep.Points = append(c.rep.Points, p)
	return nil
}

func (c *collector) ablation(a Ablation) error {
	c.rep.Ablations = append(c.rep.Ablations, a)
	return nil
}

func (c *collector) profile(p Profile) error {
	c.rep.Profiles = append(c.rep.Profiles, p)
	return nil
}

func (c *collector) end() error { return c.write(c.w, &c.rep) }
