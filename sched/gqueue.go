package sched

import (
	"iter"

	"github.com/userrt/userrt/internal/atom"
)

// Two lists of Gs: one linked through the Gs, for a few of them that are in hand, and the global queue's.

// gQueue is a list of Gs linked through schedlink, first in first out. It has no lock of its own.
// The same in Go: runtime/proc.go, gQueue.
type gQueue struct {
	head, tail *G
	n          int32
}

func (q *gQueue) pushBack(gp *G) {
	gp.schedlink = nil
	if q.tail == nil {
		q.head = gp
	} else {
		q.tail.schedlink = gp
	}
	q.tail = gp
	q.n++
}

func (q *gQueue) pushBackAll(o *gQueue) {
	if o.head == nil {
		return
	}
	if q.tail == nil {
		q.head = o.head
	} else {
		q.tail.schedlink = o.head
	}
	q.tail = o.tail
	q.n += o.n
	*o = gQueue{}
}

func (q *gQueue) pop() *G {
	gp := q.head
	if gp == nil {
		return nil
	}
	q.head = gp.schedlink
	if q.head == nil {
		q.tail = nil
	}
	gp.schedlink = nil
	q.n--
	return gp
}

// globQueue is a list of Gs, first in first out, in chunks of pointers; s.lock guards it. A list linked through
// the Gs would have each G's cache line fetched to put it in and, one load waiting for the last, to take it
// out: 4 of 42 ns for a task that is one of a thousand. The runtime's is such a list (runtime/runtime2.go, schedt.runq).
type globQueue struct {
	head, tail *gChunk
	free       *gChunk // a few, so that in the long run nothing is allocated
	nFree      int32
	n          int32
}

// gChunk fills a size class of the allocator. The scheduler keeps all Gs alive; see atom.Ptr.
type gChunk struct {
	next     *gChunk
	from, to uint32
	g        [gChunkSize]atom.Ptr[G]
}

const (
	gChunkSize = 125
	gChunkFree = 16
)

func (q *globQueue) pushBack(gp *G) {
	c := q.tail
	if c == nil || c.to == gChunkSize {
		c = q.grow()
	}
	c.g[c.to].StoreRel(gp)
	c.to++
	q.n++
}

// pushRing appends n Gs of r, from index h on, which nobody refills meanwhile.
func (q *globQueue) pushRing(r *runq, h, n uint32) {
	q.n += int32(n)
	for n > 0 {
		c := q.tail
		if c == nil || c.to == gChunkSize {
			c = q.grow()
		}
		to := c.g[c.to:]
		to = to[:min(n, uint32(len(to)))]
		for i := range to {
			to[i].StoreRel(r.ring[(h+uint32(i))%runqSize].Load())
		}
		k := uint32(len(to))
		c.to += k
		h += k
		n -= k
	}
}

// popRing moves the n oldest, all of which there are, to the end of r, which has room for them. Only r's owner.
func (q *globQueue) popRing(r *runq, n uint32) {
	t := r.tail.Load()
	q.n -= int32(n)
	for n > 0 {
		c := q.head
		from := c.g[c.from:c.to]
		from = from[:min(n, uint32(len(from)))]
		for i := range from {
			r.ring[(t+uint32(i))%runqSize].StoreRel(from[i].Load())
		}
		k := uint32(len(from))
		t += k
		n -= k
		if c.from += k; c.from == c.to {
			q.shrink()
		}
	}
	r.tail.StoreRel(t) // pair A of runq.go
}

// grow appends an empty chunk.
func (q *globQueue) grow() *gChunk {
	c := q.free
	if c == nil {
		c = &gChunk{}
	} else {
		q.free, c.next = c.next, nil
		q.nFree--
	}
	if q.tail == nil {
		q.head = c
	} else {
		q.tail.next = c
	}
	q.tail = c
	return c
}

// pop takes the oldest, nil if there is none.
func (q *globQueue) pop() *G {
	if q.n == 0 {
		return nil
	}
	c := q.head
	gp := c.g[c.from].Load()
	c.from++
	q.n--
	if c.from == c.to {
		q.shrink()
	}
	return gp
}

// shrink takes out the first chunk, which is used up.
func (q *globQueue) shrink() {
	c := q.head
	q.head = c.next
	if q.head == nil {
		q.tail = nil
	}
	if q.nFree == gChunkFree {
		return
	}
	c.from, c.to = 0, 0
	c.next, q.free = q.free, c
	q.nFree++
}

// all goes through the list, the oldest first.
func (q *globQueue) all() iter.Seq[*G] {
	return func(yield func(*G) bool) {
		for c := q.head; c != nil; c = c.next {
			for i := c.from; i < c.to; i++ {
				if !yield(c.g[i].Load()) {
					return
				}
			}
		}
	}
}
