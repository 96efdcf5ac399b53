// Power series as chains of tasks, each of which makes the coefficients of one series when it is asked for them: programs with circles of
// channels, where who waits for an answer must still answer others. After the idea of Go's test/chan/powser1.go, from a paper of Douglas McIlroy's.

package hchan

import (
	"math/big"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
)

// series is a power series: whoever asks is given its next coefficient.
type series struct {
	ask   *Chan[struct{}]
	terms *Chan[*big.Rat]
}

// works is where series are computed, until quit is closed.
type works struct {
	quit  *Chan[struct{}]
	kinds []func(func())
	n     atomic.Uint32
	live  sync.WaitGroup
}

func newSeries() series { return series{Make[struct{}](0), Make[*big.Rat](0)} }

// series returns one that fill, in a task or goroutine of its own, fills.
func (w *works) series(fill func(z series)) series {
	z := newSeries()
	w.into(z, fill)
	return z
}

func (w *works) into(z series, fill func(z series)) {
	w.live.Add(1)
	w.kinds[w.n.Add(1)%uint32(len(w.kinds))](func() {
		defer w.live.Done()
		fill(z)
	})
}

// goes reports whether it was the case that went ahead, and not the end of all.
func (w *works) goes(cs Case) bool { return Select(OnRecv(w.quit, nil, nil), cs) == 1 }

func (w *works) asked(z series) bool            { return w.goes(OnRecv(z.ask, nil, nil)) }
func (w *works) give(z series, x *big.Rat) bool { return w.goes(OnSend(z.terms, x)) }

func (w *works) next(u series) (x *big.Rat, ok bool) {
	ok = w.goes(OnSend(u.ask, struct{}{})) && w.goes(OnRecv(u.terms, &x, nil))
	return x, ok
}

// each fills z with f of the coefficients of all of us.
func (w *works) each(z series, f func(n int64, x []*big.Rat) *big.Rat, us ...series) {
	xs := make([]*big.Rat, len(us))
	for n := int64(0); w.asked(z); n++ {
		for i, u := range us {
			var ok bool
			if xs[i], ok = w.next(u); !ok {
				return
			}
		}
		w.give(z, f(n, xs))
	}
}

func (w *works) constant(c int64) series {
	return w.series(func(z series) {
		w.each(z, func(n int64, _ []*big.Rat) *big.Rat {
			if n > 0 {
				return new(big.Rat)
			}
			return big.NewRat(c, 1)
		})
	})
}

func (w *works) add(u, v series) series {
	return w.series(func(z series) {
		w.each(z, func(_ int64, x []*big.Rat) *big.Rat { return new(big.Rat).Add(x[0], x[1]) }, u, v)
	})
}

func (w *works) times(c *big.Rat, u series) series {
	return w.series(func(z series) {
		w.each(z, func(_ int64, x []*big.Rat) *big.Rat { return new(big.Rat).Mul(c, x[0]) }, u)
	})
}

// integral fills z with the integral of u, and c for its constant.
func (w *works) integral(z series, c int64, u series) {
	if w.asked(z) && w.give(z, big.NewRat(c, 1)) {
		w.each(z, func(n int64, x []*big.Rat) *big.Rat { return new(big.Rat).Mul(x[0], big.NewRat(1, n+1)) }, u)
	}
}

// mul is the product: u0 v0 + x (u0 V + v0 U) + x x U V, where U and V are what follows u0 and v0.
func (w *works) mul(u, v series) series {
	return w.series(func(z series) {
		if !w.asked(z) {
			return
		}
		u0, ok := w.next(u)
		v0, ok2 := w.next(v)
		if !ok || !ok2 || !w.give(z, new(big.Rat).Mul(u0, v0)) || !w.asked(z) {
			return
		}
		ua, ub := w.split(u)
		va, vb := w.split(v)
		cross := w.add(w.times(u0, va), w.times(v0, ua))
		x, ok := w.next(cross)
		if ok && w.give(z, x) {
			w.each(z, func(_ int64, x []*big.Rat) *big.Rat { return new(big.Rat).Add(x[0], x[1]) }, cross, w.mul(ub, vb))
		}
	})
}

// split gives the coefficients of u to both of what it returns. While it waits for u it answers who asks for what it has already: u may need
// that.
func (w *works) split(u series) (a, b series) {
	out := [2]series{newSeries(), newSeries()}
	w.into(u, func(u series) {
		var terms []*big.Rat
		var given [2]int   // how many each has had
		var wanted [2]bool // it has asked
		waiting := false   // u has been asked
		for {
			for i := range out {
				if wanted[i] && given[i] < len(terms) {
					if !w.give(out[i], terms[given[i]]) {
						return
					}
					given[i]++
					wanted[i] = false
				}
			}
			if !waiting && (wanted[0] || wanted[1]) {
				if !w.goes(OnSend(u.ask, struct{}{})) {
					return
				}
				waiting = true
			}
			var x *big.Rat
			cases := []Case{OnRecv(w.quit, nil, nil), {}, {}, {}}
			for i := range out {
				if !wanted[i] {
					cases[1+i] = OnRecv(out[i].ask, nil, nil)
				}
			}
			if waiting {
				cases[3] = OnRecv(u.terms, &x, nil)
			}
			switch i := Select(cases...); i {
			case 0:
				return
			case 3:
				terms = append(terms, x)
				waiting = false
			default:
				wanted[i-1] = true
			}
		}
	})
	return out[0], out[1]
}

// TestPowerSeries: exp is the solution of y' = y, tan that of y' = 1 + y y; both are circles.
func TestPowerSeries(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		for _, mixed := range []bool{false, true} {
			s := testsched.New(t, procs)
			w := &works{quit: Make[struct{}](0), kinds: []func(func()){s.Go}}
			if mixed {
				w.kinds = append(w.kinds, testsched.OnGoroutine)
			}
			testsched.Within(t, func() {
				e := newSeries()
				exp, back := w.split(e)
				w.into(e, func(e series) { w.integral(e, 1, back) })

				y := newSeries()
				tan, again := w.split(y)
				y1, y2 := w.split(again)
				square := w.add(w.constant(1), w.mul(y1, y2))
				w.into(y, func(y series) { w.integral(y, 0, square) })

				w.check(t, exp, "1 1 1/2 1/6 1/24 1/120 1/720 1/5040 1/40320 1/362880")
				w.check(t, tan, "0 1 0 1/3 0 2/15 0 17/315 0 62/2835 0 1382/155925")
				w.quit.Close()
				w.live.Wait()
			})
			testsched.Close(t, s)
		}
	}
}

func (w *works) check(t *testing.T, u series, want string) {
	t.Helper()
	for i, text := range strings.Fields(want) {
		x, ok := w.next(u)
		require.True(t, ok)
		require.Equal(t, text, x.RatString(), "coefficient %d", i)
	}
}
