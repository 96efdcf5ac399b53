// Who holds a lock is known in whatever way it was taken.

package locks

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/sched"
)

// scene is locks of which a task takes one.
type scene struct {
	m  Mutex
	rw RWMutex
	c  *Cond // of m
}

// taking is a way to take a lock: before and after are what another does, who then hasn't got it, take is what the holder does, and want
// what the waiter does, which waits for the holder then.
type taking struct {
	before, after func(sc *scene)
	take          func(sc *scene) bool
	want          func(sc *scene)
}

func wantMutex(sc *scene) { sc.m.Lock() }
func wantRead(sc *scene)  { sc.rw.RLock() }
func wantWrite(sc *scene) { sc.rw.Lock() }

// whenParked calls wake, with the lock held, when somebody has parked in sc.c.
func whenParked(wake func(c *Cond)) func(sc *scene) {
	return func(sc *scene) {
		for length(&sc.c.lock, &sc.c.queue) == 0 {
			sched.Yield()
		}
		sc.m.Lock()
		wake(sc.c)
		sched.Yield()
		sc.m.Unlock()
	}
}

// contextOf is one that may end, so that the ways for those are taken, and doesn't.
func contextOf(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx
}

func takings(ctx context.Context) map[string]taking {
	return map[string]taking{
		"Lock":        {take: func(sc *scene) bool { sc.m.Lock(); return true }, want: wantMutex},
		"TryLock":     {take: func(sc *scene) bool { return sc.m.TryLock() }, want: wantMutex},
		"LockContext": {take: func(sc *scene) bool { return sc.m.LockContext(ctx) == nil }, want: wantMutex},
		"LockContext that waits": {
			before: wantMutex,
			take:   func(sc *scene) bool { return sc.m.LockContext(ctx) == nil },
			after: func(sc *scene) {
				for length(&sc.m.lock, &sc.m.queue) == 0 {
					sched.Yield()
				}
				sc.m.Unlock()
			},
			want: wantMutex,
		},
		"Wait and Signal": {
			take:  func(sc *scene) bool { sc.m.Lock(); sc.c.Wait(); return true },
			after: whenParked((*Cond).Signal), want: wantMutex,
		},
		"Wait and Broadcast": {
			take:  func(sc *scene) bool { sc.m.Lock(); sc.c.Wait(); return true },
			after: whenParked((*Cond).Broadcast), want: wantMutex,
		},
		"WaitContext and Signal": {
			take:  func(sc *scene) bool { sc.m.Lock(); return sc.c.WaitContext(ctx) == nil },
			after: whenParked((*Cond).Signal), want: wantMutex,
		},
		"RWMutex.Lock":        {take: func(sc *scene) bool { sc.rw.Lock(); return true }, want: wantRead},
		"RWMutex.TryLock":     {take: func(sc *scene) bool { return sc.rw.TryLock() }, want: wantRead},
		"RWMutex.LockContext": {take: func(sc *scene) bool { return sc.rw.LockContext(ctx) == nil }, want: wantWrite},
		"RWMutex.LockContext that waits": {
			before: wantRead,
			take:   func(sc *scene) bool { return sc.rw.LockContext(ctx) == nil },
			after: func(sc *scene) {
				for length(&sc.rw.w.lock, &sc.rw.writer) == 0 {
					sched.Yield()
				}
				sc.rw.RUnlock()
			},
			want: wantRead,
		},
		"RLock":        {take: func(sc *scene) bool { sc.rw.RLock(); return true }, want: wantWrite},
		"RLocker":      {take: func(sc *scene) bool { sc.rw.RLocker().Lock(); return true }, want: wantWrite},
		"TryRLock":     {take: func(sc *scene) bool { return sc.rw.TryRLock() }, want: wantWrite},
		"RLockContext": {take: func(sc *scene) bool { return sc.rw.RLockContext(ctx) == nil }, want: wantWrite},
		"RLockContext that waits": {
			before: wantWrite,
			take:   func(sc *scene) bool { return sc.rw.RLockContext(ctx) == nil },
			after: func(sc *scene) {
				for length(&sc.rw.w.lock, &sc.rw.queue) == 0 {
					sched.Yield()
				}
				sc.rw.Unlock()
			},
			want: wantWrite,
		},
	}
}

// TestHolderIsKnown: a task that waits for ever is told for whom.
func TestHolderIsKnown(t *testing.T) {
	for name, way := range takings(contextOf(t)) {
		t.Run(name, func(t *testing.T) {
			var sc scene
			sc.c = NewCond(&sc.m)
			taken := false
			tasks := deadlock(t, func() {
				if way.before != nil {
					way.before(&sc)
				}
				named("holder", func() {
					taken = way.take(&sc)
					named("waiter", func() { way.want(&sc) })
					forever()
				})
				if way.after != nil {
					way.after(&sc)
				}
				forever()
			})
			require.True(t, taken)
			require.Equal(t, "holder", tasks["waiter"].Holder.Name)
			require.Equal(t, tasks["holder"].ID, tasks["waiter"].Holder.ID)
		})
	}
}
