package hchan

import (
	"context"
	"testing"
	"time"

	"github.com/userrt/userrt/internal/testsched"
)

// TestChannelsGiveWay: a task that makes nothing but one call, which goes ahead or says at once that it can't, gives
// way when its time slice is over.
func TestChannelsGiveWay(t *testing.T) {
	background := context.Background()
	full, empty, closed := Make[int](1), Make[int](1), Make[int](0)
	full.Send(1)
	closed.Close()
	queued := Make[int](1 << 16)
	timer, ticker := NewTimer(time.Hour), NewTicker(time.Hour)
	defer timer.Stop() // what is set on Default might wake somebody: no deadlock would be seen
	defer ticker.Stop()
	testsched.GivesWay(t, map[string]func(){
		"Chan.Send":           func() { Make[int](1).Send(1) },
		"Chan.TrySend":        func() { Make[int](1).TrySend(1) },
		"Chan.TrySend, full":  func() { full.TrySend(1) },
		"Chan.SendContext":    func() { _ = Make[int](1).SendContext(background, 1) },
		"Chan.Recv, closed":   func() { closed.Recv() },
		"Chan.TryRecv, empty": func() { empty.TryRecv() },
		"Chan.TryRecv, nil":   func() { (*Chan[int])(nil).TryRecv() },
		"Chan.RecvContext":    func() { _, _, _ = closed.RecvContext(background) },
		"Chan.All, closed": func() {
			for range closed.All() {
			}
		},
		"Chan.Recv": func() {
			if queued.Len() == 0 {
				for range queued.Cap() {
					queued.Send(1)
				}
			}
			queued.Recv()
		},
		"Chan.Close":             func() { Make[int](0).Close() },
		"Select":                 func() { Select(OnRecv(closed, nil, nil), OnSend(full, 1)) },
		"Select, Default":        func() { Select(OnRecv(empty, nil, nil), Default()) },
		"Select, Default of two": func() { Select(OnRecv(empty, nil, nil), OnSend(full, 1), Default()) },
		"Select, Default alone":  func() { Select(Default()) },
		"SelectOrdered":          func() { SelectOrdered(OnRecv(closed, nil, nil), OnSend(full, 1)) },
		"After":                  func() { After(time.Hour) },
		"NewTimer":               func() { NewTimer(time.Hour) },
		"NewTicker":              func() { NewTicker(time.Hour) },
		"Timer.Stop":             func() { timer.Stop() },
		"Timer.Reset":            func() { timer.Reset(time.Hour) },
		"Ticker.Stop":            ticker.Stop,
		"Ticker.Reset":           func() { ticker.Reset(time.Hour) },
	}, map[string]string{
		"they only make one": "Make Chan.SendOnly Chan.RecvOnly OnSend OnRecv OnDone Default",
		"they only look":     "Chan.Len Chan.Cap Chan.Snapshot Chan.Queued",
	})
}
