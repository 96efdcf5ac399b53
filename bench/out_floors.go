// Tables of floors: what each operation costs before all else is measured, and after it, so that a machine that changed meanwhile is seen.

package main

import (
	"fmt"
	"strings"
)

// A floorView is one operation with both its costs. Change and Verdict are empty if it was measured once.
type floorView struct {
	Floor
	again   *Floor
	shift   shift
	Change  string // "+3 %"
	Verdict string // "dearer", "cheaper", or "~" for no more than noise
}

// floorViews brings both measurements of each operation together, in the order of the first.
func floorViews(floors []Floor) (views []floorView) {
	for _, f := range floors {
		if !f.Again {
			views = append(views, floorView{Floor: f})
			continue
		}
		for i := range views {
			if views[i].Name == f.Name {
				views[i].measuredAgain(f)
			}
		}
	}
	return views
}

func (v *floorView) measuredAgain(f Floor) {
	v.again = &f
	v.shift = shiftOf(v.Cost, f.Cost, v.Rounds, f.Rounds, medianInterval(v.Rounds), medianInterval(f.Rounds))
	v.Change = signed(v.shift.change())
	switch v.shift.verdict(false) {
	case "better":
		v.Verdict = "cheaper"
	case "worse":
		v.Verdict = "dearer"
	default:
		v.Verdict = "~"
	}
}

// floorsAgain reports whether any operation was measured twice.
func floorsAgain(views []floorView) bool {
	for _, v := range views {
		if v.again != nil {
			return true
		}
	}
	return false
}

// wideSpread is a spread with which two measurements of the same machine are likely to differ by a fifth.
const wideSpread = 0.25

// floorNote says in a sentence whether the machine is as it was.
func floorNote(views []floorView) string {
	if !floorsAgain(views) {
		return ""
	}
	var changed []string
	var widest Floor // the one with the largest spread
	for _, v := range views {
		for _, f := range []*Floor{&v.Floor, v.again} {
			if f != nil && f.Spread > widest.Spread {
				widest = *f
			}
		}
		if v.shift.real {
			changed = append(changed, v.Name+" "+v.Change)
		}
	}
	const what = "All were measured before everything else and once more after it. "
	switch {
	case len(changed) == 0 && widest.Spread < wideSpread:
		return what + "No difference is above the noise: the machine is the same at both ends of the run."
	case len(changed) == 0:
		return what + fmt.Sprintf("No difference is above the noise, but with spreads of up to %s (%s) only large ones would be.", percent(widest.Spread), widest.Name)
	}
	return what + fmt.Sprintf("The machine changed meanwhile: %d of %d cost more or less at the end, above the noise (%s). "+
		"Distances from floors, which are those of the start, are as much less certain.", len(changed), len(views), strings.Join(changed, ", "))
}

// floor prints a row of the table of floors, or of those measured again.
func (o *textOutput) floor(f Floor) error {
	table, last := "floors", ""
	if f.Again {
		table, last = "floors again, when all else had been measured", fmt.Sprintf("  %12s  %8s", "before", "change")
	}
	if err := o.heading(fmt.Sprintf("%s\n%-*s  %12s  %6s", table, nameWidth, "operation", "cost", "spread") + last); err != nil {
		return err
	}
	o.floors = append(o.floors, f)
	line := fmt.Sprintf("%-*s  %12s  %6s", nameWidth, f.Name, cost(f.Cost, f.Unit), percent(f.Spread))
	if !f.Again {
		_, err := fmt.Fprintf(o.w, "%s  %s\n", line, f.Doc)
		return err
	}
	for _, v := range floorViews(o.floors) {
		if v.Name == f.Name {
			line += fmt.Sprintf("  %12s  %8s %s", cost(v.Cost, v.Unit), v.Change, v.Verdict)
		}
	}
	_, err := fmt.Fprintln(o.w, line)
	return err
}

func (md *markdown) floors(floors []Floor) {
	if len(floors) == 0 {
		return
	}
	views := floorViews(floors)
	md.WriteString("## Floors\n\nWhat single operations of this machine cost. Nothing that is built on them can be cheaper.\n\n")
	head, align := []string{"operation", "cost", "spread"}, "lrr"
	if note := floorNote(views); note != "" {
		md.WriteString(note + "\n\n")
		head, align = append(head, "at the end", "change"), align+"rr"
	}
	var rows [][]string
	for _, v := range views {
		row := []string{v.Name, shortCost(v.Cost, v.Unit), percent(v.Spread)}
		if len(head) > 3 {
			row = append(row, v.AgainCost(), v.ChangeText())
		}
		rows = append(rows, append(row, v.Doc))
	}
	md.table(append(head, "what it is"), align+"l", rows)
}

// AgainCost is what the operation cost at the end, "" if that is not known.
func (v floorView) AgainCost() string {
	if v.again == nil {
		return ""
	}
	return shortCost(v.again.Cost, v.Unit)
}

// ChangeText is the change with a mark if it may be noise.
func (v floorView) ChangeText() string {
	if v.Verdict == "~" {
		return v.Change + " ~"
	}
	return v.Change
}

// ShortCost is a cell of the page.
func (v floorView) ShortCost() string { return shortCost(v.Cost, v.Unit) }

// SpreadText is a cell of the page.
func (v floorView) SpreadText() string { return percent(v.Spread) }
