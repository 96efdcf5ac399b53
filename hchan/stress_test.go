// Many callers on one channel at once. What every interleaving must keep: each value arrives once,
// each producer's own values in order.

package hchan

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/testsched"
)

type item struct{ producer, seq int }

// TestStressManyToMany: what consumer k has received so far never goes back for any one producer, and in
// the end everything has arrived once.
func TestStressManyToMany(t *testing.T) {
	const producers, consumers, each = 5, 4, 100
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{0, 1, 16} {
			c := Make[item](size)
			var open atomic.Int32
			open.Store(producers)
			for p := range producers {
				cs.Go(func() {
					for i := range each {
						c.Send(item{p, i})
					}
					if open.Add(-1) == 0 {
						c.Close()
					}
				})
			}
			var disorder atomic.Int32
			var count, sum [consumers]int
			for k := range consumers {
				cs.Go(func() {
					last := [producers]int{}
					for v := range c.All() {
						if v.seq < last[v.producer] {
							disorder.Add(1)
						}
						last[v.producer] = v.seq
						count[k]++
						sum[k] += v.producer*each + v.seq
					}
				})
			}
			cs.Wait()
			require.Zero(t, disorder.Load())
			total, all := 0, 0
			for k := range consumers {
				total += count[k]
				all += sum[k]
			}
			n := producers * each
			require.Equal(t, n, total)
			require.Equal(t, n*(n-1)/2, all)
		}
	})
}

// TestStressOneConsumerSeesOrder: with a single consumer the values of each producer arrive without a
// gap.
func TestStressOneConsumerSeesOrder(t *testing.T) {
	const producers, each = 6, 150
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{0, 3} {
			c := Make[item](size)
			for p := range producers {
				cs.Go(func() {
					for i := range each {
						c.Send(item{p, i})
					}
				})
			}
			var next [producers]int
			gaps := 0
			cs.Do(func() {
				for range producers * each {
					v, _ := c.Recv()
					if v.seq != next[v.producer] {
						gaps++
					}
					next[v.producer] = v.seq + 1
				}
			})
			require.Zero(t, gaps)
		}
	})
}

// TestStressTryAndBlock tries first and waits only when refused, and looks at Len meanwhile.
func TestStressTryAndBlock(t *testing.T) {
	const pairs, each = 4, 80
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{0, 4} {
			c := Make[int](size)
			var received, badLen atomic.Int64
			look := func() {
				if n := c.Len(); n < 0 || n > size {
					badLen.Add(1)
				}
			}
			for range pairs {
				cs.Go(func() {
					for i := range each {
						if !c.TrySend(i) {
							c.Send(i)
						}
						look()
					}
				})
				cs.Go(func() {
					for range each {
						v, ok, _ := c.TryRecv()
						if !ok {
							v, _ = c.Recv()
						}
						received.Add(int64(v))
						look()
					}
				})
			}
			cs.Wait()
			require.Zero(t, badLen.Load())
			require.EqualValues(t, pairs*each*(each-1)/2, received.Load())
			require.Zero(t, c.Len())
		}
	})
}

// TestStressCloseUnderTraffic: every send has either been received or has panicked.
func TestStressCloseUnderTraffic(t *testing.T) {
	if hb.On {
		t.Skip("a race, of which the detector is told as it is of native ones")
	}
	const senders, receivers, rounds = 4, 3, 2
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for round := range rounds {
			c := Make[int](round)
			var sent, received, panicked atomic.Int64
			for range senders {
				cs.Go(func() {
					got := testsched.PanicOf(func() {
						for {
							c.Send(1)
							sent.Add(1)
						}
					})
					if got == errSendClosed {
						panicked.Add(1)
					}
				})
			}
			for range receivers {
				cs.Go(func() {
					for v := range c.All() {
						received.Add(int64(v))
					}
				})
			}
			testsched.Until(t, func() bool { return received.Load() > 50 }, "values flow")
			cs.Do(c.Close)
			cs.Wait()
			require.EqualValues(t, senders, panicked.Load())
			require.Equal(t, sent.Load(), received.Load())
			require.Zero(t, c.Len())
		}
	})
}

// TestStressRing hands a token around a ring of callers, each of which waits most of the time.
func TestStressRing(t *testing.T) {
	const n, laps = 50, 10
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		ring := make([]*Chan[int], n)
		for i := range ring {
			ring[i] = Make[int](0)
		}
		for i := range ring {
			cs.Go(func() {
				for v := range ring[i].All() {
					if v < n*laps {
						ring[(i+1)%n].Send(v + 1)
						continue
					}
					for j := range ring {
						ring[j].Close()
					}
				}
			})
		}
		ring[0].Send(1)
		cs.Wait()
		for _, c := range ring {
			require.NotZero(t, c.closed.load())
		}
	})
}

// TestStressSieve is the prime sieve: a growing chain of callers.
func TestStressSieve(t *testing.T) {
	const primes = 30
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		numbers := Make[int](0)
		var quit atomic.Bool
		cs.Go(func() {
			for i := 2; !quit.Load(); i++ {
				numbers.Send(i)
			}
			numbers.Close()
		})
		c := numbers
		var got []int
		for range primes {
			prime, _ := c.Recv()
			got = append(got, prime)
			in, out := c, Make[int](0)
			cs.Go(func() {
				for i := range in.All() {
					if i%prime != 0 {
						out.Send(i)
					}
				}
				out.Close()
			})
			c = out
		}
		quit.Store(true)
		for range c.All() { // until the end has come through all filters
		}
		require.Equal(t, []int{2, 3, 5, 7, 11, 13}, got[:6])
		require.Equal(t, 113, got[primes-1])
	})
}
