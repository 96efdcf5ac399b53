// Selects of all lengths lock the same channels at once, each in another order of its cases.

package hchan

import (
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestSelectsOfAllLengths: short selects sort their channels in another way than those of more than eight cases, and both must come to the
// same order, or two of them wait for each other's locks. Nothing is lost meanwhile.
func TestSelectsOfAllLengths(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		const channels, rounds = 12, 100
		var chans [channels]*Chan[int]
		for i := range chans {
			chans[i] = Make[int](i % 3)
		}
		var sent, received atomic.Int64
		for who, length := range []int{2, 8, 9, 200, 3, 12, 40, 9} {
			cs.Go(func() {
				random := rand.New(rand.NewPCG(uint64(who), 1))
				cases, vs := make([]Case, length), make([]int, length)
				for round := range rounds {
					order := random.Perm(channels)
					for i := range cases {
						c := chans[order[i%channels]]
						if vs[i] = 0; random.IntN(2) == 0 {
							cases[i] = OnSend(c, 1)
						} else {
							cases[i] = OnRecv(c, &vs[i], nil)
						}
					}
					var chosen int
					if last := random.IntN(length); round%4 != 0 {
						cases[last] = Default() // none waits for ever when the others have ended
						if chosen = Select(cases...); chosen == last {
							sched.Yield()
							continue
						}
					} else {
						found := survey{other: -1}
						cases[last] = Default()
						for i := range cases {
							found.add(cases, i)
						}
						if chosen = selectAll(hide(cases), false, found); chosen == last {
							continue
						}
					}
					if cases[chosen].kind == caseSend {
						sent.Add(1)
					} else {
						received.Add(int64(vs[chosen]))
					}
				}
			})
		}
		cs.Wait()
		left := 0
		for _, c := range chans {
			left += c.Len()
			r, s := c.waiting()
			require.Zero(t, r+s)
		}
		require.Equal(t, sent.Load(), received.Load()+int64(left))
	})
}

// TestSelectsOfAllLengthsWait is the same of selects that wait, long and short ones by turns on each side: every send has its receive.
func TestSelectsOfAllLengthsWait(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		const channels, rounds = 12, 60
		var chans [channels]*Chan[int]
		for i := range chans {
			chans[i] = Make[int](0)
		}
		var sum atomic.Int64
		for who, length := range []int{200, 12, 24, 13, 100, 12} {
			cs.Go(func() {
				random := rand.New(rand.NewPCG(uint64(who), 2))
				send := who%2 == 0
				cases, vs := make([]Case, length), make([]int, length)
				for range rounds {
					order := random.Perm(channels)
					for i := range cases { // all channels: there is always one on which a sender meets a receiver
						c := chans[order[i%channels]]
						if send {
							cases[i] = OnSend(c, 1)
						} else {
							cases[i] = OnRecv(c, &vs[i], nil)
						}
					}
					if chosen := Select(cases...); !send {
						sum.Add(int64(vs[chosen]))
					}
				}
			})
		}
		for who, length := range []int{8, 2, 5} { // short ones among them, which do not wait
			cs.Go(func() {
				random := rand.New(rand.NewPCG(uint64(who), 3))
				for range rounds {
					order := random.Perm(channels)
					var cases []Case
					v := 0
					for i := range length {
						cases = append(cases, OnRecv(chans[order[i]], &v, nil))
					}
					cases = append(cases, Default())
					if Select(cases...) < length { // passed on to who would miss it
						require.Equal(t, 1, v)
						var on []Case
						for _, i := range order {
							on = append(on, OnSend(chans[i], 1))
						}
						Select(on...)
					}
				}
			})
		}
		cs.Wait()
		require.EqualValues(t, 3*rounds, sum.Load())
	})
}
