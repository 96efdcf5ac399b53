// Floors: what the machine takes for the operations of package internal/floor, and for the work inside some pairs, measured in the same run as the
// pairs. needs.go says which of them an operation of a pair can't do without.
//
// Go's counterpart: none; a benchmark there stands alone.

package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/userrt/userrt/internal/floor"
)

const (
	floorRounds = 9
	floorTarget = 5 * time.Millisecond // how long a round of one operation should last
)

// floorOps returns all operations whose cost can be a floor.
func floorOps() []floor.Op {
	return append(floor.Ops(),
		floor.Op{Name: "spin", Doc: "one step of the arithmetic that each task of sched/unbalanced does 400 times", Run: spinWork},
		floor.Op{Name: "word", Doc: "one word in the loop of sched/for, on one processor", Run: wordWork},
	)
}

func spinWork(n int) (time.Duration, error) {
	start := time.Now()
	var sum uint64
	for h := range (n + nodeSpins - 1) / nodeSpins {
		sum += nodeWork(h)
	}
	took := time.Since(start)
	if n >= nodeSpins && sum == 0 {
		return 0, errors.New("the work was left out")
	}
	return max(took, 1), nil
}

// wordWork takes the words of the pair, or a part of them.
func wordWork(n int) (took time.Duration, err error) {
	if forWords == nil {
		if err := openForWords(); err != nil {
			return 0, err
		}
		defer closeForWords()
	}
	start := time.Now()
	var sum uint64
	for left := n; left > 0; left -= forSize {
		sum += sumMixed(forWords[:min(left, forSize)])
	}
	took = time.Since(start)
	if n == forSize && sum != forWant {
		return 0, mismatch("sum", int64(sum), int64(forWant))
	}
	return max(took, 1), nil
}

// floorsOf returns the operations that the floors of ps are made of, in their order; if all is set, those too that none needs, unless
// there is nothing to compare them with.
func floorsOf(ps []Pair, procs []int, all bool) []floor.Op {
	used := map[string]bool{}
	for _, p := range ps {
		for _, n := range procs {
			for _, t := range p.needs(n) {
				used[t.op] = true
			}
		}
	}
	return slices.DeleteFunc(floorOps(), func(op floor.Op) bool { return !used[op.Name] && (!all || len(used) == 0) })
}

// measureFloors measures ops, a round of each after the other, so that one bad moment of the machine hits few rounds of any. skipped is told of those that
// this system doesn't have.
func measureFloors(ops []floor.Op, skipped func(name string, err error)) ([]Floor, error) {
	sides := make([]side, len(ops))
	for i, op := range ops {
		sides[i] = side{name: op.Name, body: func(n int) (*Round, error) {
			took, err := op.Run(n)
			return &Round{N: n, Took: took}, err
		}}
		err := sides[i].calibrate(1, floorTarget)
		if errors.Is(err, errors.ErrUnsupported) {
			skipped(op.Name, err)
			sides[i].n = 0
		} else if err != nil {
			return nil, fmt.Errorf("floor: %w", err)
		}
	}
	runtime.GC()
	for range floorRounds {
		for i := range sides {
			if sides[i].n == 0 {
				continue
			}
			r, err := sides[i].body(sides[i].n)
			if err != nil {
				return nil, fmt.Errorf("floor: %s: %w", ops[i].Name, err)
			}
			sides[i].costs = append(sides[i].costs, r.perOp())
		}
	}
	var floors []Floor
	for i, op := range ops {
		if sides[i].n == 0 {
			continue
		}
		median, spread := medianAndSpread(sides[i].costs)
		floors = append(floors, Floor{Name: op.Name, Doc: op.Doc, Unit: nsPerOp, Cost: median, Spread: spread, Rounds: sides[i].costs})
	}
	return floors, nil
}

// writeFloors measures ops, if there are any, and writes what they cost, which it returns by their names. It is done before all else and, to see whether the
// machine is still the same, again after it.
func writeFloors(ops []floor.Op, out output, again bool, skipped func(name string, err error)) (costs map[string]float64, err error) {
	floors, err := measureFloors(ops, skipped)
	if err != nil {
		return nil, err
	}
	costs = map[string]float64{}
	for _, f := range floors {
		f.Again = again
		costs[f.Name] = f.Cost
		if err := out.floor(f); err != nil {
			return nil, err
		}
	}
	return costs, nil
}
