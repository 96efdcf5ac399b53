package sched

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// choices returns the first random numbers of each P of a Scheduler with that seed: where its searches for work begin, with which stride
// they go on, and what Rand returns to its tasks.
func choices(t *testing.T, seed uint64) (all [][]uint32) {
	t.Helper()
	s := newTest(t, Config{Procs: 4, Seed: seed})
	for _, p := range *s.allp.Load() {
		r := p.rng // no worker has it yet
		var some []uint32
		for range 16 {
			some = append(some, r.N(4), coprime(&r, 4), r.Uint32())
		}
		all = append(all, some)
	}
	return all
}

// TestSeedDecides: equal seeds lead to equal choices, others to others, and none to a random one.
func TestSeedDecides(t *testing.T) {
	want := choices(t, 7)
	require.Equal(t, want, choices(t, 7))
	for i, p := range want {
		for j, other := range choices(t, 8) {
			require.NotEqual(t, p, other, "P %d with one seed, P %d with another", i, j)
		}
		for _, other := range want[i+1:] {
			require.NotEqual(t, p, other, "two Ps of one Scheduler")
		}
	}
	a, err := New(Config{Procs: 1})
	require.NoError(t, err)
	b, err := New(Config{Procs: 1})
	require.NoError(t, err)
	require.NotEqual(t, a.seed, b.seed)
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
}

// TestSeedDecidesRand: what tasks are given follows from the seed, too. Without stealing nobody else takes numbers from the P.
func TestSeedDecidesRand(t *testing.T) {
	numbers := func(seed uint64) (some [8]uint64) {
		s := newTest(t, Config{Procs: 1, Seed: seed, Tunables: Tunables{NoStealing: true}})
		run(t, s, func() {
			for i := range some {
				some[i] = Rand()
			}
		})
		return some
	}
	want := numbers(7)
	require.Equal(t, want, numbers(7))
	require.NotEqual(t, want, numbers(8))
}
