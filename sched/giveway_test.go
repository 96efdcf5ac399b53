package sched_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

func none() {}

func noValue() (int, error) { return 0, nil }

// nobody is an Ender that does nothing.
type nobody struct{}

func (nobody) TaskEnded(sched.End) {}

// TestCallsGiveWay: a task that makes nothing but one call gives way when its time slice is over.
func TestCallsGiveWay(t *testing.T) {
	other := testsched.New(t, 1)
	defer testsched.Close(t, other)
	ofTask := func(context.Context) error { return nil }
	open, end := make(chan *sched.Scope), make(chan struct{})
	limited := make(chan *sched.Scope)
	for sc, limit := range map[chan *sched.Scope]int{open: -1, limited: 0} {
		go func() {
			_ = sched.Scoped(context.Background(), func(own *sched.Scope) error {
				own.SetLimit(limit)
				sc <- own
				<-end
				return nil
			})
		}()
	}
	defer close(end)
	scope, full := <-open, <-limited
	timer := sched.AfterFunc(time.Hour, none)
	defer timer.Stop() // what is set on Default might wake somebody: no deadlock would be seen
	task := sched.SpawnOn(other, noValue)
	_, err := task.Wait()
	require.NoError(t, err)
	testsched.GivesWay(t, map[string]func(){
		"Go":                        func() { sched.Go(none) },
		"GoWith":                    func() { sched.GoWith(none, sched.TaskOptions{Name: "some"}) },
		"Scheduler.Go":              func() { sched.Current().Go(none) },
		"Scheduler.Go, another's":   func() { other.Go(none) },
		"Scheduler.GoWith":          func() { other.GoWith(none, sched.TaskOptions{Name: "some"}) },
		"Scheduler.GoEnd":           func() { other.GoEnd(none, nobody{}) },
		"Scheduler.GoEndAt":         func() { other.GoEndAt(none, nobody{}, 0) },
		"Spawn":                     func() { sched.Spawn(noValue) },
		"SpawnOn":                   func() { sched.SpawnOn(other, noValue) },
		"Task.Wait, for an end":     func() { _, _ = task.Wait() },
		"Join":                      func() { sched.Join(none, none) },
		"Both":                      func() { sched.Both(func(n int) int { return n }, 1, 2) },
		"For":                       func() { sched.For(1, 1, func(int, int) {}) },
		"Scoped":                    func() { _ = sched.Scoped(context.Background(), func(*sched.Scope) error { return nil }) },
		"Scope.Go":                  func() { scope.Go(ofTask) },
		"Scope.TryGo":               func() { scope.TryGo(ofTask) },
		"Scope.TryGo, at the limit": func() { full.TryGo(ofTask) },
		"AfterFunc":                 func() { sched.AfterFunc(time.Hour, none) },
		"Scheduler.AfterFunc":       func() { other.AfterFunc(time.Hour, none) },
		"Timer.Stop":                func() { timer.Stop() },
		"Timer.Reset":               func() { timer.Reset(time.Hour) },
		"Sleep, for no time":        func() { sched.Sleep(0) },
		"LockOSThread":              sched.LockOSThread,
		"LockOSThread, and back":    func() { sched.LockOSThread(); sched.UnlockOSThread() },
		"UnlockOSThread":            sched.UnlockOSThread,
		"GiveWay":                   sched.GiveWay,
	}, map[string]string{
		"they wait, end the task, or let others go first in any case": "Block Cede Exit G.Park G.BeginPark G.EndPark " +
			"G.BeginChild G.EndChild G.ChildFailed Park Scheduler.Close Scheduler.Run Scheduler.Shutdown Yield",
		"they only look or write down": "Clashed ClashedOn Current DumpAll G.ID G.Nanotime G.Procs G.Unwound Holder.Owner ID MaySpin NotingHolders Preempting Scheduler.Nanotime " +
			"Rand Scheduler.Dump Scheduler.DumpJSON Scheduler.Now Scheduler.SchedTrace Scheduler.Stats Scope.Context Self Stats.Sub " +
			"CloseError.Error CloseError.Unwrap ConfigError.Error DeadlockError.Error DeadlockTask.String PanicError.Error " +
			"PanicError.Unwrap TaskRef.String WaitReason.String",
		"they only set something": "Default DescribeWaits New NewWaitReason NoteHolders Scheduler.Expect Scheduler.Poller Scheduler.SetProcs " +
			"Scope.SetLimit WhenDone",
		"they are for primitives, which may have a lock": "Alarm.Init Alarm.Set Alarm.Stop G.Claim G.Ready G.Waiter G.Woken GList.Push " +
			"Holder.Clear Holder.ClearIf Holder.Set Scheduler.NeedPoll Waiter.CancelOn Waiter.MoveTo Waiter.Next Waiter.Queued " +
			"Waiter.Remove WaitQueue.Chain WaitQueue.Claim WaitQueue.ClaimAll WaitQueue.Empty WaitQueue.First WaitQueue.PushBack " +
			"WaitQueue.PushFront WaitQueue.ReadyAll",
	})
}
