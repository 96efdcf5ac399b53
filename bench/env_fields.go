// The environment in lines, as all formats that are for people show it.

package main

import (
	"cmp"
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
