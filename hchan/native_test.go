// The native side of the differential tests. Its goroutines live in a bubble of package synctest, which knows when all of
// them wait.

package hchan

import (
	"reflect"
	"runtime"
	"testing"
	"testing/synctest"
)

// native is a side of native channels. quit is closed at the end for those who wait for a nil channel.
type native struct {
	ports []nativePort
	quit  chan struct{}
}

func newNative(p *program) *native {
	n := &native{quit: make(chan struct{})}
	for _, size := range p.caps {
		n.ports = append(n.ports, nativePort{make(chan int, size), n.quit})
	}
	return n
}

func (n *native) port(ch int) port { return n.native(ch) }

func (n *native) native(ch int) nativePort {
	if ch == noChan {
		return nativePort{nil, n.quit}
	}
	return n.ports[ch]
}

// choose is a select statement with the cases of o.
func (n *native) choose(o *op) (i, v int, ok bool) {
	cases := make([]reflect.SelectCase, len(o.cases), len(o.cases)+1)
	for i, c := range o.cases {
		cases[i] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(n.native(c.ch).c)}
		if c.kind == opSend {
			cases[i].Dir, cases[i].Send = reflect.SelectSend, reflect.ValueOf(c.v)
		}
	}
	if o.other {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectDefault})
	} else if q, _ := o.queued(); q == 0 {
		<-n.quit
		return 0, 0, false
	}
	i, got, ok := reflect.Select(cases)
	if i < len(o.cases) && o.cases[i].kind == opRecv {
		v = int(got.Int())
	}
	return i, v, ok
}

type nativePort struct {
	c    chan int
	quit chan struct{}
}

func (p nativePort) send(v int) {
	if p.c == nil {
		<-p.quit
		return
	}
	p.c <- v
}

func (p nativePort) recv() (v int, ok bool) {
	if p.c == nil {
		<-p.quit
		return 0, false
	}
	v, ok = <-p.c
	return v, ok
}

func (p nativePort) trySend(v int) bool {
	select {
	case p.c <- v:
		return true
	default:
		return false
	}
}

func (p nativePort) tryRecv() (v int, ok, received bool) {
	select {
	case v, ok = <-p.c:
		return v, ok, true
	default:
		return 0, false, false
	}
}

func (p nativePort) close()   { close(p.c) }
func (p nativePort) len() int { return len(p.c) }
func (p nativePort) cap() int { return cap(p.c) }

// freeNative runs p freely; pause is what a task does before each operation.
func freeNative(t *testing.T, p *program, pause func(task int)) (outcome string) {
	synctest.Test(t, func(*testing.T) {
		n := newNative(p)
		r := newProcess(p, n)
		for i := range p.tasks {
			go r.task(i, func() { pause(i) })
		}
		synctest.Wait()
		outcome = r.take()
		close(n.quit)
		r.drain(0, runtime.Gosched)
	})
	return outcome
}

// stepNative runs p by steps, as far as they can be gone, and then any that can.
func stepNative(t *testing.T, p *program, steps []int) (outcome string) {
	synctest.Test(t, func(*testing.T) {
		n := newNative(p)
		r := newProcess(p, n)
		gates := make([]chan struct{}, len(p.tasks))
		for i := range p.tasks {
			gates[i] = make(chan struct{})
			go r.task(i, func() { <-gates[i] })
		}
		synctest.Wait()
		r.follow(steps, func(i int) {
			gates[i] <- struct{}{}
			synctest.Wait()
		})
		outcome = r.take()
		r.quit.Store(true)
		close(n.quit)
		for _, g := range gates {
			close(g)
		}
		r.drain(0, runtime.Gosched)
	})
	return outcome
}

// follow makes the steps by calling step, until one cannot be made because a select has chosen otherwise; then others.
func (r *process) follow(steps []int, step func(task int)) {
	for _, i := range steps {
		if r.at[i].Load() != atGate {
			break
		}
		step(i)
	}
	for more := true; more; {
		more = false
		for i := range r.at {
			if r.at[i].Load() == atGate {
				step(i)
				more = true
			}
		}
	}
}
