//go:build race

package racetest

// differences are the cases with another verdict than Go's, each with its reason. docs/reliability.md lists them too.
var differences = byName(map[string][]string{})

// leftOut are the cases that are not run, since they can't be put onto userrt, as docs/reliability.md lists them too.
var leftOut = byName(map[string][]string{
	"its file imports internal/synctest": {
		"NoRaceSynctestGoroutinesExit", "RaceSynctestGoroutinesExit", "RaceSynctestGoroutinesRecv", "RaceSynctestGoroutinesSleep",
		"RaceSynctestGoroutinesUnblocked", "RaceSynctestTimers",
	},
	"its file imports internal/testenv":                                             {"NoRaceCgoSync"},
	"runtime.RaceDisable without RaceEnable, on a stack that other tasks get later": {"NoRaceIssue60934"},
	"Go skips it: #72925: uncaught panic ends tests":                                {"RaceRangeFuncIterator"},
	"Go skips it: #72925: unexpected data race":                                     {"NoRaceRangeFuncIterator"},
})

func byName(reasons map[string][]string) map[string]string {
	out := map[string]string{}
	for why, names := range reasons {
		for _, n := range names {
			if out[n] != "" {
				panic("two reasons for " + n)
			}
			out[n] = why
		}
	}
	return out
}
