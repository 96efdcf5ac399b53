// Wake-up order: whoever has waited longest is served first, be it a task of this scheduler or of another, a goroutine, a
// plain operation or a select; and who only seemed to wait is left out.

package hchan

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// crowd starts waiters on a channel, one after the other, each of another kind of operation.
type crowd struct {
	t    *testing.T
	cs   *testsched.Callers
	c    *Chan[int]
	side *Chan[int] // of selects, never ready
	ctx  context.Context
}

// receivers starts n, each of which calls got with its number and what it receives.
func (w *crowd) receivers(n int, got func(i, v int)) {
	for i := range n {
		w.cs.Go(func() {
			v, ok := -1, false
			var err error
			switch i % 5 {
			case 0:
				v, ok = w.c.Recv()
			case 1:
				Select(OnRecv(w.side, nil, nil), OnRecv(w.c, &v, &ok))
			case 2:
				SelectOrdered(OnRecv(w.side, nil, nil), OnRecv(w.c, &v, &ok), OnSend((*Chan[int])(nil), 0))
			case 3:
				v, ok, err = w.c.RecvContext(w.ctx)
			case 4:
				for v = range w.c.All() {
					ok = true
					break
				}
			}
			if !ok || err != nil {
				w.t.Errorf("receiver %d: %v, %v", i, ok, err)
			}
			got(i, v)
		})
		untilWaiting(w.t, w.c, i+1, 0)
	}
}

// senders starts n, each of which sends its number.
func (w *crowd) senders(n int, sent func(i int)) {
	for i := range n {
		w.cs.Go(func() {
			switch i % 4 {
			case 0:
				w.c.Send(i)
			case 1:
				Select(OnSend(w.c, i), OnRecv(w.side, nil, nil))
			case 2:
				SelectOrdered(OnRecv(w.side, nil, nil), OnSend(w.c, i))
			case 3:
				if err := w.c.SendContext(w.ctx, i); err != nil {
					w.t.Error(err)
				}
			}
			sent(i)
		})
		untilWaiting(w.t, w.c, 0, i+1)
	}
}

// forCrowds calls f with channels of several capacities, filled, or empty.
func forCrowds(t *testing.T, f func(w *crowd, size int)) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for _, size := range []int{0, 1, 3} {
			f(&crowd{t, cs, Make[int](size), Make[int](0), ctx}, size)
			cs.Wait()
		}
	})
}

// TestOrderOfReceivers: the i-th receiver gets the i-th value, however it waits and however it is sent.
func TestOrderOfReceivers(t *testing.T) {
	const n = 15
	forCrowds(t, func(w *crowd, size int) {
		var got [n]int
		w.receivers(n, func(i, v int) { got[i] = v })
		w.cs.Do(func() {
			for i := range n {
				switch i % 3 {
				case 0:
					w.c.Send(i)
				case 1:
					w.c.TrySend(i)
				case 2:
					Select(OnSend(w.c, i), OnRecv(w.side, nil, nil))
				}
			}
		})
		w.cs.Wait()
		for i, v := range got {
			require.Equal(t, i, v, "size %d: %v", size, got)
		}
		r, s := w.side.waiting()
		require.Zero(t, r+s)
	})
}

// TestOrderOfSenders: values arrive in the order in which their senders came.
func TestOrderOfSenders(t *testing.T) {
	const n = 12
	forCrowds(t, func(w *crowd, size int) {
		for i := range size {
			w.c.Send(i - size)
		}
		w.senders(n, func(int) {})
		w.cs.Do(func() {
			for i := -size; i < n; i++ {
				v, ok, received := 0, false, true
				switch (i + size) % 3 {
				case 0:
					v, ok = w.c.Recv()
				case 1:
					v, ok, received = w.c.TryRecv()
				case 2:
					Select(OnRecv(w.side, nil, nil), OnRecv(w.c, &v, &ok))
				}
				if v != i || !ok || !received {
					t.Errorf("size %d: received %d, %v, want %d", size, v, ok, i)
				}
			}
		})
	})
}

// TestOrderOfResumption: on one P those who are woken also run in that order, first come, first served; by a Close too.
func TestOrderOfResumption(t *testing.T) {
	const n = 20
	for _, closes := range []bool{false, true} {
		s := testsched.New(t, 1)
		testsched.Within(t, func() {
			require.NoError(t, s.Run(func() {
				w := &crowd{t, testsched.NewCallers(s.Go), Make[int](0), Make[int](0), t.Context()}
				var order []int
				var mu sync.Mutex
				count := func() int {
					mu.Lock()
					defer mu.Unlock()
					return len(order)
				}
				for i := range n {
					w.cs.Go(func() {
						switch i % 3 {
						case 0:
							w.c.Recv()
						case 1:
							Select(OnRecv(w.side, nil, nil), OnRecv(w.c, nil, nil))
						case 2:
							for range w.c.All() {
								break
							}
						}
						mu.Lock()
						order = append(order, i)
						mu.Unlock()
					})
					untilWaiting(t, w.c, i+1, 0)
				}
				want := make([]int, n)
				for i := range want {
					want[i] = i
				}
				if closes {
					w.c.Close()
				} else {
					for i := range n {
						w.c.Send(i)
						for count() <= i { // else the one woken last would be next to run
							sched.Yield()
						}
					}
				}
				for count() < n {
					sched.Yield()
				}
				if closes { // the last is next to run, as natively
					require.Equal(t, append([]int{n - 1}, want[:n-1]...), order)
				} else {
					require.Equal(t, want, order)
				}
			}))
		})
		testsched.Close(t, s)
	}
}

// TestOrderWithoutThoseThatLeft: whoever was unwound, cancelled, or served elsewhere is passed over, and the others keep
// their places.
func TestOrderWithoutThoseThatLeft(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprint(procs), func(t *testing.T) {
			stays, goes := testsched.New(t, procs), testsched.New(t, procs)
			stay, leave := testsched.NewCallers(stays.Go, testsched.OnGoroutine), testsched.NewCallers(stays.Go, testsched.OnGoroutine)
			c, side := Make[int](0), Make[int](0)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			const n = 8
			var got [n]int
			for i := range n {
				stay.Go(func() { got[i], _ = c.Recv() })
				untilWaiting(t, c, 4*i+1, 0)
				goes.Go(func() { c.Recv() })
				untilWaiting(t, c, 4*i+2, 0)
				leave.Go(func() { Select(OnRecv(c, nil, nil), OnRecv(side, nil, nil)) })
				untilWaiting(t, c, 4*i+3, 0)
				leave.Go(func() { _, _, _ = c.RecvContext(ctx) })
				untilWaiting(t, c, 4*i+4, 0)
			}
			testsched.Close(t, goes)
			for range n {
				side.Send(1)
			}
			cancel()
			testsched.Within(t, leave.Wait)
			untilWaiting(t, c, n, 0)
			for i := range n {
				c.Send(i)
			}
			testsched.Within(t, stay.Wait)
			require.True(t, slices.IsSorted(got[:]), "%v", got)
			require.Equal(t, n-1, got[n-1])
			testsched.Close(t, stays)
		})
	}
}

// TestSnapshotNamesWaiters in the order of their coming: tasks by their ids, goroutines as 0.
func TestSnapshotNamesWaiters(t *testing.T) {
	s, other := testsched.New(t, 2), testsched.New(t, 1)
	cs := testsched.NewCallers(s.Go, testsched.OnGoroutine, other.Go)
	c := Make[int](1)
	c.Send(-1)
	var ids []uint64
	for i := range 9 {
		id := make(chan uint64, 1)
		cs.Go(func() {
			me, _ := sched.ID()
			id <- me
			c.Send(i)
		})
		ids = append(ids, <-id)
		untilWaiting(t, c, 0, i+1)
	}
	got := c.Snapshot()
	require.Equal(t, Snapshot{Qcount: 1, Dataqsiz: 1, Recvq: []uint64{}, Sendq: ids}, got)
	require.Zero(t, ids[1])
	require.NotZero(t, ids[0])
	require.NotZero(t, ids[2])
	for range 10 {
		c.Recv()
	}
	cs.Wait()
	require.Equal(t, Snapshot{}, (*Chan[int])(nil).Snapshot())
	testsched.Close(t, s, other)
}
