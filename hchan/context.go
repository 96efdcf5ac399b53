package hchan

import (
	"context"
	"unsafe"
)

// Sending and receiving until a context is done. The same in Go: a select with a case for ctx.Done().

// SendContext is Send, but returns ctx.Err() when ctx is done before v could be sent; v has then not been sent. If
// both are possible at once it sends. A wait allocates what one with OnDone does.
func (c *Chan[T]) SendContext(ctx context.Context, v T) error {
	if c.TrySend(v) {
		return nil
	}
	if ctx.Done() == nil {
		c.Send(v)
		return nil
	}
	if Select(Case{c: c.base(), elem: unsafe.Pointer(&v), kind: caseSend}, OnDone(ctx)) == 1 {
		return ctx.Err()
	}
	return nil
}

// RecvContext is Recv, but returns ctx.Err() when ctx is done before there was anything to receive; nothing has then
// been received. If both are possible at once it receives. A wait allocates what one with OnDone does.
func (c *Chan[T]) RecvContext(ctx context.Context) (v T, ok bool, err error) {
	if v, ok, received := c.TryRecv(); received {
		return v, ok, nil
	}
	if ctx.Done() == nil {
		v, ok = c.Recv()
		return v, ok, nil
	}
	if Select(Case{c: c.base(), elem: unsafe.Pointer(&v), ok: &ok, kind: caseRecv}, OnDone(ctx)) == 1 {
		return v, false, ctx.Err()
	}
	return v, ok, nil
}
