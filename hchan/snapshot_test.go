// Looking into a channel: what Snapshot and Queued say is of one moment, and hurts nobody.

package hchan

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// TestSnapshotBesideTraffic: each one keeps the invariants C1 and C2, and the slots match the count. What Queued finds is in the order of sending.
func TestSnapshotBesideTraffic(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		for _, size := range []int{0, 1, 3} {
			const values, looks = 150, 100
			c := Make[int](size)
			cs.Go(func() {
				for v := range values {
					c.Send(v)
				}
				c.Close()
			})
			for range 2 {
				cs.Go(func() {
					for range c.All() {
						if sched.Rand()%4 == 0 {
							sched.Yield()
						}
					}
				})
			}
			cs.Go(func() {
				for range looks {
					s := c.Snapshot()
					require.Equal(t, size, s.Dataqsiz)
					require.LessOrEqual(t, s.Qcount, size)
					if size > 0 {
						require.Equal(t, (s.Recvx+s.Qcount)%size, s.Sendx)
					}
					require.True(t, len(s.Recvq) == 0 || len(s.Sendq) == 0, "C1: %+v", s)
					require.True(t, s.Qcount == 0 || len(s.Recvq) == 0, "C2: %+v", s)
					require.True(t, s.Qcount == size || len(s.Sendq) == 0, "C2: %+v", s)
					require.LessOrEqual(t, len(s.Recvq), 2)
					require.LessOrEqual(t, len(s.Sendq), 1)
					if s.Closed {
						require.Empty(t, s.Sendq)
						require.Empty(t, s.Recvq)
					}
					buf, sendq := c.Queued()
					require.LessOrEqual(t, len(buf), size)
					all := append(buf, sendq...)
					for i, v := range all {
						require.Equal(t, all[0]+i, v)
					}
					sched.Yield()
				}
			})
			cs.Wait()
			s := c.Snapshot()
			require.True(t, s.Closed)
			require.Zero(t, s.Qcount)
		}
	})
}

// TestSnapshotOfWaiters: tasks and goroutines, in operations and selects, in the order of their coming.
func TestSnapshotOfWaiters(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		in, out, other := Make[int](0), Make[int](2), Make[int](0)
		out.Send(1)
		out.Send(2)
		require.False(t, in.Snapshot().Closed)
		want := make([]uint64, 6) // 0 for a goroutine
		for i := range want {
			cs.Go(func() {
				want[i], _ = sched.ID()
				if i%2 == 0 {
					in.Recv()
				} else {
					Select(OnRecv(in, nil, nil), OnRecv(other, nil, nil))
				}
			})
			untilWaiting(t, in, i+1, 0)
		}
		require.Equal(t, Snapshot{Recvq: want, Sendq: []uint64{}}, in.Snapshot())
		in.Close()
		cs.Wait()
		require.True(t, in.Snapshot().Closed)
		require.Empty(t, in.Snapshot().Recvq)

		for i := range want {
			cs.Go(func() {
				want[i], _ = sched.ID()
				if i%2 == 0 {
					out.Send(3 + i)
				} else {
					Select(OnSend(out, 3+i), OnRecv(other, nil, nil))
				}
			})
			untilWaiting(t, out, 0, i+1)
		}
		require.Equal(t, Snapshot{Qcount: 2, Dataqsiz: 2, Recvq: []uint64{}, Sendq: want}, out.Snapshot())
		buf, sendq := out.Queued()
		require.Equal(t, []int{1, 2}, buf)
		require.Equal(t, []int{3, 4, 5, 6, 7, 8}, sendq)
		out.Recv()
		buf, sendq = out.Queued()
		require.Equal(t, []int{2, 3}, buf, "a sender's value goes into the slot that was emptied")
		require.Equal(t, []int{4, 5, 6, 7, 8}, sendq)
		for range 7 {
			out.Recv()
		}
	})
	buf, sendq := (*Chan[int])(nil).Queued()
	require.Empty(t, buf)
	require.Empty(t, sendq)
}
