// The table of ablations: a row for each pair, a column for each mechanism.

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// heads are the headings of the columns, in their order: the mechanisms that this version knows, and what else there is in a file of
// another.
func heads(ablations []Ablation) (names, shorts []string) {
	for _, m := range mechanisms {
		names, shorts = append(names, m.name), append(shorts, m.short)
	}
	names, shorts = append(names, noHandOff), append(shorts, "hand")
	for _, a := range ablations {
		if !slices.Contains(names, a.Without) {
			names, shorts = append(names, a.Without), append(shorts, a.Without)
		}
	}
	return names, shorts
}

// withAll returns the median of what a pair cost with everything on, beside the mechanisms that have a switch: the other has a body of its own.
func withAll(row []Ablation) float64 {
	var costs []float64
	for _, a := range row {
		if a.Without != noHandOff || len(row) == 1 {
			costs = append(costs, a.With)
		}
	}
	median, _ := medianAndSpread(costs)
	return median
}

// ablationTable prints what has been collected, if anything: for each pair its cost, and what it is multiplied by without each mechanism.
func (o *textOutput) ablationTable() error {
	if len(o.ablations) == 0 {
		return nil
	}
	names, shorts := heads(o.ablations)
	var b strings.Builder
	fmt.Fprintf(&b, "\nwhat each mechanism is worth, %s: cost without it/cost with it, above 1 it helps; ~ no effect is shown (the 95 %% interval holds 1)\n", o.env.procs(o.ablations[0].Procs))
	fmt.Fprintf(&b, "%-*s %8s", nameWidth, "pair", "with all")
	for _, short := range shorts {
		fmt.Fprintf(&b, " %6s", short)
	}
	for rest := o.ablations; len(rest) > 0; {
		row := rest
		if end := slices.IndexFunc(rest, func(a Ablation) bool { return a.Name != rest[0].Name }); end > 0 {
			row = rest[:end]
		}
		rest = rest[len(row):]
		fmt.Fprintf(&b, "\n%-*s %8s", nameWidth, row[0].Name, shortTime(withAll(row)))
		for _, name := range names {
			cell := ""
			if i := slices.IndexFunc(row, func(a Ablation) bool { return a.Without == name }); i >= 0 {
				cell = fmt.Sprintf("%.2f", row[i].Worth)
				if row[i].WorthCI.contains(1) {
					cell += "~"
				}
			}
			fmt.Fprintf(&b, " %6s", cell)
		}
	}
	b.WriteString("\n")
	for i, name := range names {
		fmt.Fprintf(&b, "%s%s: %s", map[bool]string{true: "", false: ", "}[i == 0], shorts[i], name)
	}
	b.WriteString("\n")
	_, err := io.WriteString(o.w, b.String())
	return err
}
