package hchan

// chanError is a runtime.Error, as the native panics are (runtime/error.go, plainError).
type chanError string

// Error returns the runtime's own text.
func (e chanError) Error() string { return string(e) }

// RuntimeError marks a runtime.Error.
func (e chanError) RuntimeError() {}

const (
	errMakeSize    = chanError("makechan: size out of range")
	errSendClosed  = chanError("send on closed channel")
	errCloseNil    = chanError("close of nil channel")
	errCloseClosed = chanError("close of closed channel")
)
