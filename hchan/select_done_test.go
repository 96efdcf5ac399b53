// Contexts in a select: one that is done is a case that is ready, in both passes, with and without Default.

package hchan

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestSelectDoneAmongOthers compares selects of channels, some ready, contexts, some done, and perhaps a Default with what may come out.
func TestSelectDoneAmongOthers(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		done, cancel := context.WithCancel(t.Context())
		cancel()
		live, cancel := context.WithCancel(t.Context())
		defer cancel()
		full, empty := Make[int](1), Make[int](0)
		full.Send(1)
		cs.Do(func() {
			random := rand.New(rand.NewPCG(1, 2))
			for range 300 {
				var cases []Case
				var ready []int
				other := -1
				for i := range 2 + random.IntN(10) { // also more than a selection has room for
					switch kind := random.IntN(7); {
					case kind < 2:
						cases = append(cases, OnRecv(empty, nil, nil))
					case kind == 2:
						cases = append(cases, OnDone(live))
					case kind == 3:
						cases = append(cases, OnDone(context.Background()))
					case kind == 4:
						cases, ready = append(cases, OnRecv(full, nil, nil)), append(ready, i)
					case kind == 5:
						cases, ready = append(cases, OnDone(done)), append(ready, i)
					case other >= 0:
						cases = append(cases, Case{})
					default:
						cases, other = append(cases, Default()), i
					}
				}
				if len(ready) == 0 {
					if other < 0 {
						continue // it would wait
					}
					ready = []int{other}
				}
				for _, ordered := range []bool{false, true} {
					want, found := ready, survey{other: -1}
					if ordered {
						want = ready[:1]
					}
					for i := range cases {
						found.add(cases, i)
					}
					for _, chosen := range []func() int{
						func() int { return selectgo(hide(cases), ordered) },
						func() int { return selectAll(hide(cases), ordered, found) },
					} {
						require.Contains(t, want, chosen(), "ordered: %v, Default: %v", ordered, other)
						full.TrySend(1)
					}
				}
			}
		})
	})
}

// TestSelectDoneIsFair: a done context is chosen as often as each ready channel, in both passes and also beside a Default.
func TestSelectDoneIsFair(t *testing.T) {
	const rounds = 8000
	done, cancel := context.WithCancel(t.Context())
	cancel()
	a, b, none := Make[int](1), Make[int](1), Make[int](0)
	for _, last := range []Case{Default(), OnRecv(none, nil, nil)} {
		for _, both := range []bool{true, false} {
			var n [4]int
			for range rounds {
				a.TrySend(1)
				b.TrySend(1)
				cases := []Case{OnRecv(a, nil, nil), OnDone(done), OnRecv(b, nil, nil), OnDone(done), last}
				found := survey{other: -1}
				for i := range cases {
					found.add(cases, i)
				}
				if both {
					n[Select(cases...)]++
				} else {
					n[selectAll(hide(cases), false, found)]++
				}
			}
			for i := range n { // mean 2,000, standard deviation 39
				require.InDelta(t, rounds/4, n[i], 200, "case %d of %v", i, n)
			}
		}
	}
}

// TestSelectOrderedBesideChange: of two cases that become ready one after the other SelectOrdered never takes the second when the first one comes
// first in its order, however it overlaps with them: at no moment has only the second been ready.
func TestSelectOrderedBesideChange(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		empty := Make[int](0)
		for i := range 200 {
			ctx, cancel := context.WithCancel(t.Context())
			c := Make[int](1)
			first, second := OnDone(ctx), OnRecv(c, nil, nil)
			if i%2 == 0 {
				first, second = second, first
			}
			cases := []Case{first, second, Default()}
			if i%4 >= 2 {
				cases = []Case{OnRecv(empty, nil, nil), first, second, Default()}
			}
			begin := Make[int](0)
			cs.Go(func() {
				begin.Recv()
				if i%2 == 0 {
					c.Send(1)
					cancel()
				} else {
					cancel()
					c.Send(1)
				}
			})
			cs.Go(func() {
				begin.Send(1)
				other := len(cases) - 1
				chosen := other
				for ; chosen == other; chosen = SelectOrdered(cases...) {
					sched.Yield()
				}
				require.Equal(t, other-2, chosen)
				cancel()
			})
			cs.Wait()
		}
	})
}
