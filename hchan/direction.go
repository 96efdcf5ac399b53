package hchan

import (
	"context"
	"iter"
	"unsafe"
)

// Direction in types: the two halves of a channel. The same in Go: the types chan<- T and <-chan T.

// Sender is the half of a channel that can be sent on. Every *Chan[T] is one, and no other type. The Sender of a nil
// *Chan behaves as a nil channel. One that is nil itself has no methods that could be called, but Select takes it for a nil
// channel.
type Sender[T any] interface {
	Send(v T)
	TrySend(v T) bool
	SendContext(ctx context.Context, v T) error
	Close()
	Len() int
	Cap() int

	sending(v T) *hchan
}

// Receiver is the half of a channel that can be received from. Every *Chan[T] is one, and no other type. The Receiver
// of a nil *Chan behaves as a nil channel. One that is nil itself has no methods that could be called, but Select takes it for
// a nil channel.
type Receiver[T any] interface {
	Recv() (v T, ok bool)
	TryRecv() (v T, ok, received bool)
	RecvContext(ctx context.Context) (v T, ok bool, err error)
	All() iter.Seq[T]
	Len() int
	Cap() int

	base() *hchan
}

// SendOnly returns c as a Sender.
func (c *Chan[T]) SendOnly() Sender[T] { return c }

// RecvOnly returns c as a Receiver.
func (c *Chan[T]) RecvOnly() Receiver[T] { return c }

// base returns what of c does not depend on T; nil for a nil channel.
func (c *Chan[T]) base() *hchan { return (*hchan)(unsafe.Pointer(c)) }
