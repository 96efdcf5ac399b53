// Histories of contended runs are linearizable: each operation can be placed at one moment between its call and its
// return so that all of them together are what a plain queue would have done. The search for such an order is package porcupine's.

package hchan

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
)

// did is what an operation turned out to be: for a select, the case that it chose. Values are bytes, so that queues
// are strings.
type did struct {
	what didWhat
	ch   int
	v    byte
}

type didWhat int

const (
	didSend    didWhat = iota
	didRecv            // a value
	didEnd             // received: closed and empty
	didPanic           // a send, on a closed channel
	didClose           //
	didFull            // a TrySend was refused
	didEmpty           // a TryRecv was refused
	didLen             // v is what it said
	didNobody          // a select chose its default: no room in any channel
	didNothing         // a select chose its default: nothing in any channel
)

// queues is the sequential channel, or two of them. Of an unbuffered one a send and its receive are neighbours: the value is in
// the queue between them, and nothing else may happen then.
type queues struct {
	q      [2]string
	closed [2]bool
}

func queueModel(sizes []int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return queues{} },
		Step: func(state, input, _ any) (bool, any) {
			s, d := state.(queues), input.(did)
			ok := s.step(d, sizes)
			return ok, s
		},
		DescribeOperation: func(input, _ any) string { return fmt.Sprintf("%+v", input) },
	}
}

// step does d, if it can be done.
func (s *queues) step(d did, sizes []int) bool {
	q, size := &s.q[d.ch], sizes[d.ch]
	for ch := range sizes {
		if sizes[ch] == 0 && s.q[ch] != "" && (d.what != didRecv || d.ch != ch) {
			return false // a rendezvous has begun
		}
	}
	full := func(ch int) bool { return !s.closed[ch] && (sizes[ch] == 0 || len(s.q[ch]) == sizes[ch]) }
	empty := func(ch int) bool { return !s.closed[ch] && s.q[ch] == "" }
	all := func(is func(ch int) bool) bool {
		for ch := range sizes {
			if !is(ch) {
				return false
			}
		}
		return true
	}
	switch d.what {
	case didSend:
		if s.closed[d.ch] || len(*q) >= max(size, 1) {
			return false
		}
		*q += string(d.v)
		return true
	case didRecv:
		if *q == "" || (*q)[0] != d.v {
			return false
		}
		*q = (*q)[1:]
		return true
	case didEnd:
		return s.closed[d.ch] && *q == ""
	case didPanic:
		return s.closed[d.ch]
	case didClose:
		was := s.closed[d.ch]
		s.closed[d.ch] = true
		return !was
	case didFull:
		return full(d.ch)
	case didEmpty:
		return empty(d.ch)
	case didLen:
		return int(d.v) == len(*q)
	case didNobody:
		return all(full)
	case didNothing:
		return all(empty)
	}
	return false
}

// linear reports whether a history can be put in order; and of an unbuffered channel, where that does not follow, whether each
// send and its receive overlap.
func linear(sizes []int, ops []porcupine.Operation) bool {
	sends := map[did]porcupine.Operation{}
	for _, o := range ops {
		if d := o.Input.(did); d.what == didSend {
			sends[d] = o
		}
	}
	for _, o := range ops {
		d := o.Input.(did)
		if d.what != didRecv || sizes[d.ch] > 0 {
			continue
		}
		if s, ok := sends[did{didSend, d.ch, d.v}]; !ok || s.Return < o.Call || o.Return < s.Call {
			return false
		}
	}
	return porcupine.CheckOperations(queueModel(sizes), ops)
}

// recorder collects a history. Its clock counts calls and returns, so no two are at the same time.
type recorder struct {
	clock atomic.Int64
	mu    sync.Mutex
	ops   []porcupine.Operation
}

// record does f, an operation of client, and notes what it did; nothing if that is nil.
func (r *recorder) record(client int, f func() *did) *did {
	call := r.clock.Add(1)
	d := f()
	back := r.clock.Add(1)
	if d != nil {
		r.mu.Lock()
		r.ops = append(r.ops, porcupine.Operation{ClientId: client, Input: *d, Call: call, Return: back})
		r.mu.Unlock()
	}
	return d
}

// traffic is a run: producers and consumers on one channel or two.
type traffic struct {
	recorder
	chans  []*Chan[byte]
	values atomic.Uint32
	early  bool // somebody closes while others send
	open   atomic.Int32
}

// send is a producer's next operation, of all that there are.
func (r *traffic) send(rnd *rand.Rand) (d *did) {
	ch := rnd.IntN(len(r.chans))
	c, v := r.chans[ch], byte(r.values.Add(1))
	defer func() {
		if p := recover(); p != nil {
			if p.(runtime.Error).Error() != string(errSendClosed) {
				panic(p)
			}
			d = &did{didPanic, ch, v}
		}
	}()
	switch rnd.IntN(6) {
	case 0:
		if !c.TrySend(v) {
			return &did{didFull, ch, v}
		}
	case 1:
		return &did{didLen, ch, byte(c.Len())}
	case 2:
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rnd.IntN(30))*time.Microsecond)
		defer cancel()
		if c.SendContext(ctx, v) != nil {
			return nil
		}
	case 3:
		if len(r.chans) == 2 && !r.early { // a panic would not tell of which channel
			switch ch = Select(OnSend(r.chans[0], v), OnSend(r.chans[1], v), Default()); ch {
			case 2:
				return &did{didNobody, 0, v}
			}
			break
		}
		c.Send(v)
	case 4:
		if len(r.chans) == 2 && !r.early {
			ch = Select(OnSend(r.chans[0], v), OnSend(r.chans[1], v))
			break
		}
		c.Send(v)
	default:
		c.Send(v)
	}
	return &did{didSend, ch, v}
}

// recv is a consumer's next operation, on the channels that it has not seen closed. It waits for all of these or for none: a
// producer may be waiting for either.
func (r *traffic) recv(rnd *rand.Rand, left []int) *did {
	var v byte
	var ok bool
	got := func(ch int) *did {
		if ok {
			return &did{didRecv, ch, v}
		}
		return &did{didEnd, ch, 0}
	}
	one := left[rnd.IntN(len(left))]
	c, cases := r.chans[one], make([]Case, len(left), 4)
	for i, ch := range left {
		cases[i] = OnRecv(r.chans[ch], &v, &ok)
	}
	switch k := rnd.IntN(6); {
	case k == 0:
		var received bool
		if v, ok, received = c.TryRecv(); !received {
			return &did{didEmpty, one, 0}
		}
		return got(one)
	case k == 1 && len(left) == len(r.chans):
		i := Select(append(cases, Default())...)
		if i == len(left) {
			return &did{didNothing, 0, 0}
		}
		return got(left[i])
	case k == 2:
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rnd.IntN(30))*time.Microsecond)
		defer cancel()
		i := Select(append(cases, OnDone(ctx))...)
		if i == len(left) {
			return nil
		}
		return got(left[i])
	case k == 3 && len(left) == 1:
		v, ok = c.Recv()
		return got(one)
	case k == 4:
		return got(left[SelectOrdered(cases...)])
	}
	return got(left[Select(cases...)])
}

// run makes the history.
func (r *traffic) run(cs *testsched.Callers, seed uint64, producers, consumers, each int) {
	r.open.Store(int32(producers))
	closeAll := func(client int) {
		for ch, c := range r.chans {
			r.record(client, func() *did {
				c.Close()
				return &did{didClose, ch, 0}
			})
		}
	}
	for p := range producers {
		rnd := rand.New(rand.NewPCG(seed, uint64(p)))
		cs.Go(func() {
			for i := range each {
				if r.early && p == 0 && i == each/2 {
					closeAll(p)
				}
				r.record(p, func() *did { return r.send(rnd) })
			}
			if r.open.Add(-1) == 0 && !r.early {
				closeAll(p)
			}
		})
	}
	for k := range consumers {
		rnd := rand.New(rand.NewPCG(seed, uint64(100+k)))
		cs.Go(func() {
			left := make([]int, len(r.chans))
			for i := range left {
				left[i] = i
			}
			for len(left) > 0 {
				d := r.record(producers+k, func() *did { return r.recv(rnd, left) })
				if d != nil && d.what == didEnd {
					left = append([]int{}, left...)
					for i, ch := range left {
						if ch == d.ch {
							left = append(left[:i], left[i+1:]...)
							break
						}
					}
				}
			}
		})
	}
	cs.Wait()
}

// TestHistoriesAreLinearizable, with one channel and with two.
func TestHistoriesAreLinearizable(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for seed, sizes := range [][]int{{0}, {1}, {3}, {0, 0}, {1, 2}, {0, 2}, {1}, {0}, {2, 1}} {
			r := &traffic{early: seed > 5 && !raceEnabled}
			for _, size := range sizes {
				r.chans = append(r.chans, Make[byte](size))
			}
			r.run(cs, uint64(seed), 3, 3, 9)
			if !linear(sizes, r.ops) {
				var b strings.Builder
				for _, o := range r.ops {
					fmt.Fprintf(&b, "client %d %d..%d %+v\n", o.ClientId, o.Call, o.Return, o.Input)
				}
				t.Fatalf("not linearizable, sizes %v\n%s", sizes, b.String())
			}
		}
	})
}

// TestHistoryCheckerFindsFaults: what must not be, and what may only just be.
func TestHistoryCheckerFindsFaults(t *testing.T) {
	at := func(call, back int64, d did) porcupine.Operation {
		return porcupine.Operation{Input: d, Call: call, Return: back}
	}
	for name, x := range map[string]struct {
		sizes []int
		ops   []porcupine.Operation
		want  bool
	}{
		"in order":                {[]int{2}, []porcupine.Operation{at(1, 2, did{didSend, 0, 1}), at(3, 4, did{didSend, 0, 2}), at(5, 6, did{didRecv, 0, 1})}, true},
		"out of order":            {[]int{2}, []porcupine.Operation{at(1, 2, did{didSend, 0, 1}), at(3, 4, did{didSend, 0, 2}), at(5, 6, did{didRecv, 0, 2})}, false},
		"overlapping sends":       {[]int{2}, []porcupine.Operation{at(1, 4, did{didSend, 0, 1}), at(2, 3, did{didSend, 0, 2}), at(5, 6, did{didRecv, 0, 2})}, true},
		"received twice":          {[]int{2}, []porcupine.Operation{at(1, 2, did{didSend, 0, 1}), at(3, 4, did{didRecv, 0, 1}), at(5, 6, did{didRecv, 0, 1})}, false},
		"too many":                {[]int{1}, []porcupine.Operation{at(1, 2, did{didSend, 0, 1}), at(3, 4, did{didSend, 0, 2})}, false},
		"no rendezvous":           {[]int{0}, []porcupine.Operation{at(1, 2, did{didSend, 0, 1}), at(3, 4, did{didRecv, 0, 1})}, false},
		"rendezvous":              {[]int{0}, []porcupine.Operation{at(1, 3, did{didSend, 0, 1}), at(2, 4, did{didRecv, 0, 1})}, true},
		"refused with room":       {[]int{1}, []porcupine.Operation{at(1, 2, did{didFull, 0, 1})}, false},
		"default though ready":    {[]int{1, 1}, []porcupine.Operation{at(1, 2, did{didSend, 1, 1}), at(3, 4, did{what: didNothing})}, false},
		"default, one after next": {[]int{1, 1}, []porcupine.Operation{at(1, 2, did{didSend, 0, 1}), at(3, 4, did{didSend, 1, 2}), at(5, 6, did{didRecv, 0, 1}), at(3, 7, did{what: didNothing})}, false},
		"end before close":        {[]int{1}, []porcupine.Operation{at(1, 2, did{didEnd, 0, 0}), at(3, 4, did{didClose, 0, 0})}, false},
		"end before the rest":     {[]int{1}, []porcupine.Operation{at(1, 2, did{didSend, 0, 1}), at(3, 4, did{didClose, 0, 0}), at(5, 6, did{didEnd, 0, 0})}, false},
		"sent after close":        {[]int{1}, []porcupine.Operation{at(1, 2, did{didClose, 0, 0}), at(3, 4, did{didSend, 0, 1})}, false},
	} {
		require.Equal(t, x.want, linear(x.sizes, x.ops), name)
	}
}
