package sched

// WaitReason says why a G waits, in the runtime's own words. The same in Go: runtime/runtime2.go,
// waitReason.
type WaitReason uint8

// The reasons of userrt's own primitives. Others use the one that fits best, or NewWaitReason.
const (
	WaitReasonZero WaitReason = iota
	WaitReasonChanReceive
	WaitReasonChanReceiveNilChan
	WaitReasonChanSend
	WaitReasonChanSendNilChan
	WaitReasonSelect
	WaitReasonSelectNoCases
	WaitReasonSleep
	WaitReasonIOWait
	WaitReasonMutexLock
	WaitReasonRWMutexRLock
	WaitReasonRWMutexLock
	WaitReasonCondWait
	WaitReasonWaitGroupWait
	WaitReasonSemacquire
	WaitReasonJoin
	WaitReasonTaskWait
)

var waitReasonText = [...]string{
	WaitReasonZero:               "",
	WaitReasonChanReceive:        "chan receive",
	WaitReasonChanReceiveNilChan: "chan receive (nil chan)",
	WaitReasonChanSend:           "chan send",
	WaitReasonChanSendNilChan:    "chan send (nil chan)",
	WaitReasonSelect:             "select",
	WaitReasonSelectNoCases:      "select (no cases)",
	WaitReasonSleep:              "sleep",
	WaitReasonIOWait:             "IO wait",
	WaitReasonMutexLock:          "sync.Mutex.Lock",
	WaitReasonRWMutexRLock:       "sync.RWMutex.RLock",
	WaitReasonRWMutexLock:        "sync.RWMutex.Lock",
	WaitReasonCondWait:           "sync.Cond.Wait",
	WaitReasonWaitGroupWait:      "sync.WaitGroup.Wait",
	WaitReasonSemacquire:         "semacquire",
	WaitReasonJoin:               "join",
	WaitReasonTaskWait:           "task wait",
}

// String returns the runtime's text for the reason, "unknown wait reason" for a number out of range.
func (w WaitReason) String() string {
	if int(w) < len(waitReasonText) {
		return waitReasonText[w]
	}
	if text := reasons.text[w].Load(); text != nil {
		return *text
	}
	return "unknown wait reason"
}
