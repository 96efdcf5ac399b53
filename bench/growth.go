// Growth: the same work on more and more of something, which says what no single size can: whether a cost stays what it is.
//
// Each point is measured in a process of its own (growth_child.go). A series (growth_series.go) is one Pair for each of its sizes, all made by the same function of the size. Its operation is one of what the sizes count, or has
// nothing to do with them: with costs that are even, all the work of a size is proportional to it. growth_slope.go measures how far that is
// so.
//
// Go's counterpart: sub-benchmarks by size, as in runtime/map_benchmark_test.go.

package main

import (
	"regexp"
	"strconv"
)

// growthRounds bounds the rounds of each point: all of them have to fit three minutes.
const growthRounds = 3

// A series is the same work on more and more of something.
type series struct {
	name  string
	of    string // what the sizes count
	sizes []int
	at    func(size int) Pair
}

// A point is one size of a series.
type point struct {
	series series
	size   int
	pair   Pair // its Name is the series' name and the size
}

// points returns what is to be measured: of all, those whose name matches.
func points(all []series, re *regexp.Regexp) (chosen []point) {
	for _, s := range all {
		for _, size := range s.sizes {
			p := s.at(size)
			p.Name = s.name + "/" + strconv.Itoa(size)
			p.Why = reason(p.Name)
			if p.AtMost == 0 || p.AtMost > growthRounds {
				p.AtMost = growthRounds
			}
			if re.MatchString(p.Name) {
				chosen = append(chosen, point{s, size, p})
			}
		}
	}
	return chosen
}

// pairsOf are the pairs of points.
func pairsOf(points []point) []Pair {
	ps := make([]Pair, len(points))
	for i, p := range points {
		ps[i] = p.pair
	}
	return ps
}
