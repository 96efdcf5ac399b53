// The environment in lines, as all formats that are for people show it.

package main

import (
	"cmp"
	"fmt"
	"strconv"
)

// envField is one line on the surroundings.
type envField struct{ Name, Value string }

// envFields returns what e knows, with "unknown" for what it doesn't.
func envFields(e Env) []envField {
	fields := []envField{
		{"cpu", e.CPU},
		{"cores", strconv.Itoa(e.Cores)},
		{"go", e.Go},
		{"GOMAXPROCS", strconv.Itoa(e.GOMAXPROCS) + " (each table sets its own, for both sides)"},
		{"bound", boundLine(e)},
		{"kernel", e.Kernel},
		{"governor", e.Governor},
		{"virtual", e.Virtual},
		{"load", loadLine(e)},
		{"userrt", e.Userrt},
		{"start", e.Start},
	}
	for i := range fields {
		fields[i].Value = orUnknown(fields[i].Value)
	}
	return fields
}

// knownEnv returns the same, or nothing when all of it is unknown.
func knownEnv(e Env) []envField {
	if e == (Env{}) {
		return nil
	}
	return envFields(e)
}

// procs names a value of -procs, as headings do, and says how many cores share so many Ps if there are fewer.
func (e Env) procs(n int) string {
	if e.crowded(n) {
		return fmt.Sprintf("procs %d on %s", n, plural(e.Cores, "core"))
	}
	return "procs " + strconv.Itoa(n)
}

// crowded reports whether a value of -procs is more than the machine has cores.
func (e Env) crowded(procs int) bool { return e.Cores > 0 && procs > e.Cores }

// crowdNote says how to read results for more Ps than cores, "" where there are none.
func crowdNote(rep *Report) string {
	for _, g := range byProcs(rep.Results) {
		if rep.Env.crowded(g.procs) {
			return fmt.Sprintf("Where procs is above the %s, workers are stopped in the middle of whatever they do: that all goes on is what these results show, not what more cores would bring.",
				plural(rep.Env.Cores, "core"))
		}
	}
	return ""
}

func boundLine(e Env) string {
	if e.Bound == "yes" {
		return "yes: at procs 1 both sides of a turn run on the same processor"
	}
	return e.Bound
}

// roundsOf says how many rounds there were, and how long they should have lasted.
func roundsOf(e Env, count int) string {
	return plural(count, "round") + " of " + cmp.Or(e.Round, roundTarget.String())
}
