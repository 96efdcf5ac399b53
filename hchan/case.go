package hchan

import (
	"context"
	"unsafe"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// Cases: what Select chooses from. The same in Go: runtime/select.go, scase.

// Case is one thing that Select may do. It is made by OnSend, OnRecv, OnDone or Default, and may be used for many
// Selects, one after the other. The zero Case is never ready.
type Case struct {
	c *hchan
	// elem is where the value is that is sent, or goes that is received, nil for nowhere; or where the context is. It may
	// point into the stack of who has made the Case, so it must not be stored but in another Case on that stack.
	elem unsafe.Pointer
	ok   *bool
	kind caseKind
}

type caseKind uint8

const (
	caseNone caseKind = iota
	caseSend
	caseRecv
	caseDone
	caseDefault
)

// OnSend is the case that sends v on c. A nil channel is never ready, nor is a Sender that holds no channel.
func OnSend[T any](c Sender[T], v T) Case {
	if c == nil {
		return Case{}
	}
	return Case{c: c.sending(v), elem: unsafe.Pointer(&v), kind: caseSend}
}

// sending returns c for a Case that sends v. The variable v may lie on the caller's stack, since hide keeps from the compiler
// what becomes of its address, but what v points to goes to another task: the assignment that is never made says so.
func (c *Chan[T]) sending(v T) *hchan {
	if never {
		*c.tail() = v
	}
	return c.base()
}

// never is false.
var never bool

// leak is never called; what is given to a go statement is kept.
func leak(ctx context.Context) { go ctx.Done() }

// OnRecv is the case that receives from c, into *v; *ok tells whether the value was sent (true) or is the zero value
// that a closed channel gives. v and ok may be nil. A nil channel is never ready, nor is a Receiver that holds no channel: so a
// variable of either type may be set to nil to take its case away.
func OnRecv[T any](c Receiver[T], v *T, ok *bool) Case {
	if c == nil {
		return Case{}
	}
	return Case{c: c.base(), elem: unsafe.Pointer(v), ok: ok, kind: caseRecv}
}

// OnDone is the case that goes ahead when ctx is done, as a receive from ctx.Done() does: once ctx is done, no other case of a select that
// waits goes ahead (but for one that waits inside a synctest bubble, for which another may for a moment). Each wait allocates what
// context.AfterFunc does, two objects in Go 1.26. It panics if ctx is nil.
func OnDone(ctx context.Context) Case {
	if ctx == nil {
		panic("hchan: OnDone of nil Context")
	}
	if never { // as in sending: context.AfterFunc keeps it
		leak(ctx)
	}
	return Case{elem: unsafe.Pointer(&ctx), kind: caseDone}
}

// Default is the case that is chosen when no other is ready. Select panics if there are two.
func Default() Case { return Case{kind: caseDefault} }

// done returns the native channel that a case of OnDone waits for; nil if its context is never done.
func (cs *Case) done() <-chan struct{} {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	return (*(*context.Context)(cs.elem)).Done()
}

// isDone reports whether the context is done. To the race detector that is a receive of the user's.
func (cs *Case) isDone() bool {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	select {
	case <-(*(*context.Context)(cs.elem)).Done():
		return true
	default:
		return false
	}
}

// elems is what only a Chan that knows its T can do; elem points to a T, or is nil. All but fetch and clear need lock.
// A pointer to the user's memory is written to as by the user: that is what the race detector is told.
type elems interface {
	sendNow(elem unsafe.Pointer) (gp *sched.G, did bool)
	recvNow(elem unsafe.Pointer) (gp *sched.G, ok, did bool)
	sender(gp *sched.G, elem unsafe.Pointer) *sudog
	receiver(gp *sched.G) *sudog
	drop(sg *sudog)
	fetch(sg *sudog, elem unsafe.Pointer)
	clear(elem unsafe.Pointer)
}

// sendNow sends *elem if that does not block; the channel is open.
func (c *Chan[T]) sendNow(elem unsafe.Pointer) (gp *sched.G, did bool) {
	if sg := c.recvq.dequeue(); sg != nil {
		whole[T](sg).elem = *(*T)(elem)
		return c.given(sg), true
	}
	if c.qcount.load() < c.dataqsiz {
		*c.tail() = *(*T)(elem)
		return nil, true
	}
	return nil, false
}

// recvNow receives into *elem if that does not block.
func (c *Chan[T]) recvNow(elem unsafe.Pointer) (gp *sched.G, ok, did bool) {
	if sg := c.sendq.dequeue(); sg != nil {
		put(elem, c.oldest(sg))
		return c.taken(sg), true, true
	}
	if c.qcount.load() > 0 {
		slot := c.head()
		put(elem, slot)
		c.wipe(slot)
		return nil, true, true
	}
	if c.closed.load() == 0 {
		did = c.timer && c.tickInto(elem)
		return nil, did, did
	}
	if hb.On {
		hb.Acquire(c.closing.Addr())
	}
	put(elem, new(T))
	return nil, false, true
}

// put writes *v to *elem, unless that is nil.
func put[T any](elem unsafe.Pointer, v *T) {
	if elem == nil {
		return
	}
	if hb.On {
		putByUser(elem, *v) // *v is ours to read
		return
	}
	*(*T)(elem) = *v
}

// putByUser writes v to *elem, which is the user's. v is an argument because a variable of more than 128 KiB would lie on the heap, where the
// race detector would see the user read what we have written.
func putByUser[T any](elem unsafe.Pointer, v T) {
	hb.Out()
	defer hb.Back()
	*(*T)(elem) = v
}

// sender returns a sudog, which it enqueues, for gp, who waits to send *elem.
func (c *Chan[T]) sender(gp *sched.G, elem unsafe.Pointer) *sudog {
	sg := c.sudog(gp)
	sg.elem = *(*T)(elem)
	c.sendq.enqueue(&sg.sudog)
	return &sg.sudog
}

// receiver returns a sudog, which it enqueues, for gp, who waits to receive.
func (c *Chan[T]) receiver(gp *sched.G) *sudog {
	sg := c.sudog(gp)
	c.recvq.enqueue(&sg.sudog)
	return &sg.sudog
}

// drop frees sg, which is in no queue and of which nothing is wanted.
func (c *Chan[T]) drop(sg *sudog) { c.free(whole[T](sg)) }

// fetch takes what sg was given to *elem, and frees sg.
func (c *Chan[T]) fetch(sg *sudog, elem unsafe.Pointer) {
	w := whole[T](sg)
	if elem != nil {
		put(elem, &w.elem)
	}
	c.free(w)
}

// clear makes *elem zero.
func (c *Chan[T]) clear(elem unsafe.Pointer) {
	put(elem, new(T))
}
