// Tests of calm locks, which Unlock frees by plain stores.

package locks

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/fence"
	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/internal/procyield"
	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// All tests of this package go in and out of the calm all the time.
func init() { quietEnough = 8 }

// becomeCalm locks m and unlocks it until it is calm, and reports whether locks become so here at all.
func (m *Mutex) becomeCalm(t *testing.T) bool {
	t.Helper()
	if !calms {
		for range 3 * quietEnough {
			m.Lock()
			m.Unlock() //lint:ignore SA2001 to be counted
		}
		require.False(t, m.calm)
		return false
	}
	sched.Self() // asks for the fence
	testsched.Until(t, func() bool {
		m.Lock()
		m.Unlock() //lint:ignore SA2001 to be counted
		return m.calm
	}, "a calm lock")
	return true
}

// TestCalmEnds when somebody comes to wait, whom the Unlock of the one who has taken the lock before must find.
func TestCalmEnds(t *testing.T) {
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var m Mutex
		wasCalm := m.becomeCalm(t)
		m.Lock()
		require.Equal(t, wasCalm, m.held)
		done := false
		cs.Go(func() {
			m.Lock()
			done = true
			m.Unlock()
		})
		m.untilQueued(t, 1)
		require.False(t, m.calm)
		m.Unlock()
		cs.Wait()
		m.Lock()
		require.True(t, done)
		m.Unlock()
		m.becomeCalm(t)
		m.requireIdle(t)
	})
}

// TestLateUnlock: its store has undone what a waiter has said, and another has taken the lock since. Whoever of the two is through first, the
// waiter is woken.
func TestLateUnlock(t *testing.T) {
	for _, lateFirst := range []bool{true, false} {
		testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
			var m Mutex
			m.becomeCalm(t)
			m.Lock()
			cs.Go(func() {
				m.Lock()
				m.Unlock() //lint:ignore SA2001 that it is woken is the point
			})
			m.untilQueued(t, 1)
			m.held = false // as Unlock of a calm lock
			m.state.Store(0)
			require.True(t, m.takeFree()) // another's
			for range 3 * quietEnough {
				m.Unlock()
				m.Lock()
			}
			require.False(t, m.calm, "somebody waits")
			if lateFirst {
				m.unlockSlow(true)
				m.Unlock()
			} else {
				m.Unlock()
				m.unlockSlow(true)
			}
			cs.Wait()
			m.requireIdle(t)
		})
	}
}

// TestStressCalm: one takes the lock again and again, and makes it calm; another comes now and then.
func TestStressCalm(t *testing.T) {
	const rounds = 50
	testsched.ForCallers(t, func(t *testing.T, cs *testsched.Callers) {
		var m Mutex
		var over atomic.Bool
		count, want := 0, rounds
		cs.Go(func() {
			for !over.Load() {
				for range 100 {
					m.Lock()
					count++
					m.Unlock()
				}
				want += 100
				sched.Yield()
			}
		})
		cs.Go(func() {
			for i := range rounds {
				m.Lock()
				count++
				m.Unlock()
				if i%4 == 0 {
					sched.Yield()
				}
			}
			over.Store(true)
		})
		cs.Wait()
		require.Equal(t, want, count)
		m.requireIdle(t)
	})
}

// TestStressCalmDekker ends the calm while another processor locks and unlocks. If there were a store that the waiter
// doesn't see and that doesn't see the waiter either, nobody would wake him.
func TestStressCalmDekker(t *testing.T) { stressDekker(t, 1_500) }

// TestStressCalmRefused is the same where the fence has been granted and is refused all the same.
func TestStressCalmRefused(t *testing.T) {
	heavy = func() bool { return false }
	defer func() {
		heavy = fence.Heavy
		refused.Store(false)
	}()
	stressDekker(t, 20)
	require.Equal(t, calms, refused.Load())
	var m Mutex
	for range 3 * quietEnough {
		m.Lock()
		m.Unlock() //lint:ignore SA2001 to be counted
	}
	require.False(t, m.calm)
}

func stressDekker(t *testing.T, wanted int) {
	const most = 300_000
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0))))
	var m Mutex
	if !m.becomeCalm(t) {
		return
	}
	var over atomic.Bool
	var waits int
	done := make(chan struct{})
	go func() {
		defer close(done)
		far := make([]byte, 64<<20) // each store misses the cache, and holds up the one of Unlock
		for i := 0; !over.Load(); {
			for range 100 {
				m.Lock()
				for range 4 {
					i = (i + 1<<12 + 1<<6) % len(far)
					far[i] = 1
				}
				m.Unlock()
			}
		}
	}()
	testsched.Within(t, func() {
		defer over.Store(true)
		gp := sched.Self()
		w := gp.Waiter()
		for i := 0; waits < wanted && i < most; i++ {
			m.lock.Lock()
			m.calm = true // nobody else waits
			m.lock.Unlock()
			procyield.Pause(uint32(1 + i%64)) // that the other notices
			m.lock.Lock()
			if !m.enqueue(0, 0) {
				m.lock.Unlock()
				continue
			}
			waits++
			m.queue.PushBack(w)
			leave := gp.BeginPark(sched.WaitReasonMutexLock, &m.lock)
			leave()
			gp.EndPark()
			m.lock.Lock()
			m.giveUp(woken)
		}
	})
	<-done
	require.NotZero(t, waits)
	m.requireIdle(t)
}

// TestTryLockEndsTheCalm: one leaves something where the holder looks after Unlock, and goes if TryLock fails. As with sync.Mutex one of the two
// finds it.
func TestTryLockEndsTheCalm(t *testing.T) {
	rounds := int32(20_000)
	if hb.On {
		rounds = 1000 // with the race detector a round takes up to a millisecond
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0))))
	var m Mutex
	var left, begun, ended atomic.Int32
	found := false
	far := make([]byte, 64<<20) // as in stressDekker
	done := make(chan struct{})
	go func() {
		defer close(done)
		i := 0
		for r := range rounds {
			m.becomeCalm(t)
			m.Lock()
			begun.Store(r + 1)
			for range 1 + r%4 {
				i = (i + 1<<12 + 1<<6) % len(far)
				far[i] = 1
			}
			m.Unlock()
			found = left.Load() == r+1
			for ended.Store(r + 1); begun.Load() == r+1; {
				runtime.Gosched()
			}
		}
	}()
	missed := 0
	testsched.Within(t, func() {
		for r := range rounds {
			for n := 0; begun.Load() != r+1; n++ {
				if n > 1000 {
					runtime.Gosched()
				}
			}
			left.Store(r + 1)
			mine := m.TryLock()
			for ended.Load() != r+1 {
				runtime.Gosched()
			}
			if mine {
				m.Unlock()
			} else if !found {
				missed++
			}
			begun.Store(-1)
		}
	})
	<-done
	require.Zero(t, missed)
}

// TestLockIsInlined where atomic instructions are: a call would cost a third of what a calm lock takes, and Lock and Unlock need all of the compiler's budget.
func TestLockIsInlined(t *testing.T) {
	if runtime.GOARCH == "386" {
		t.Skip("Lock is beyond the budget here")
	}
	out := compile(t, "-m")
	for _, name := range []string{"Lock", "Unlock"} {
		require.Regexp(t, `mutex\.go:\d+:\d+: can inline \(\*Mutex\)\.`+name+`\n`, out)
	}
}

// TestUnlockLooksLast: no compiler has moved the load of calm in Unlock before the stores. The assembler code has field offsets, and so tells state (0), calm (4)
// and held (5) apart.
func TestUnlockLooksLast(t *testing.T) {
	if !calms || runtime.GOARCH != "amd64" {
		return
	}
	code := compile(t, "-S")
	for _, name := range []string{"Unlock", "unlockCalm"} {
		_, body, ok := strings.Cut(code, `locks.(*Mutex).`+name+" STEXT")
		require.True(t, ok, name)
		body, _, _ = strings.Cut(body, " STEXT")
		require.Regexp(t, `(?s)MOVB\t\$0, 5\(AX\)\n.*MOVL\t\$0, \(AX\)\n.*(CMPB|MOVBLZX)\t4\(AX\)`, body, name)
		require.NotRegexp(t, `(?s)(CMPB|MOVBLZX)\t4\(AX\).*MOVL\t\$0, \(AX\)`, body, name)
	}
}

func compile(t *testing.T, flag string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "build", "-gcflags="+flag, "-o", os.DevNull, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}
