// Pairs for hchan's select, and for the attempts that do not wait.
//
// Go's counterparts: runtime/chan_test.go, BenchmarkSelectUncontended, BenchmarkSelectNonblock, BenchmarkSelectProdCons.

package main

import (
	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

func selectPairs() []Pair {
	return []Pair{
		{
			Name: "hchan/select-ready", Unit: nsPerOp, Step: 1,
			Doc:    "select of 4 receives that are all ready, then a send to the channel chosen; per select",
			Native: selectReadyNative, Userrt: selectReadyUserrt,
		},
		{
			Name: "hchan/select-one", Unit: nsPerOp, Step: 1,
			Doc:    "a send to one of 4 channels in turn, then a select of 4 receives; per select",
			Native: selectOneNative, Userrt: selectOneUserrt,
		},
		{
			Name: "hchan/select-park", Unit: nsPerOp, Step: 1,
			Doc:    "select of 4 receives that waits each time, for a task that sends to them in turn; per value",
			Native: selectParkNative, Userrt: selectParkUserrt,
		},
		{
			Name: "hchan/try", Unit: nsPerOp, Step: 1,
			Doc:    "a receive that does not wait, in vain, a send that does not wait, and such a receive again; per round",
			Native: tryNative, Userrt: tryUserrt,
		},
	}
}

func selectReadyNative(r *Round) error {
	var c [4]chan int
	for i := range c {
		c[i] = make(chan int, 1)
		c[i] <- 1
	}
	var sum int64
	for range r.N {
		var v int
		var to chan int
		select {
		case v = <-c[0]:
			to = c[0]
		case v = <-c[1]:
			to = c[1]
		case v = <-c[2]:
			to = c[2]
		case v = <-c[3]:
			to = c[3]
		}
		sum += int64(v)
		to <- v
	}
	return mismatch("sum", sum, int64(r.N))
}

func selectReadyUserrt(r *Round) error {
	var c [4]*hchan.Chan[int]
	for i := range c {
		c[i] = hchan.Make[int](1)
		c[i].Send(1)
	}
	var sum int64
	for range r.N {
		var v int
		i := hchan.Select(hchan.OnRecv(c[0], &v, nil), hchan.OnRecv(c[1], &v, nil), hchan.OnRecv(c[2], &v, nil), hchan.OnRecv(c[3], &v, nil))
		sum += int64(v)
		c[i].Send(v)
	}
	return mismatch("sum", sum, int64(r.N))
}

func selectOneNative(r *Round) error {
	var c [4]chan int
	for i := range c {
		c[i] = make(chan int, 1)
	}
	var sum int64
	for i := range r.N {
		c[i%4] <- i
		select {
		case v := <-c[0]:
			sum += int64(v)
		case v := <-c[1]:
			sum += int64(v)
		case v := <-c[2]:
			sum += int64(v)
		case v := <-c[3]:
			sum += int64(v)
		}
	}
	return checkElements(r.N, int64(r.N), sum)
}

func selectOneUserrt(r *Round) error {
	var c [4]*hchan.Chan[int]
	for i := range c {
		c[i] = hchan.Make[int](1)
	}
	var sum int64
	for i := range r.N {
		c[i%4].Send(i)
		var v int
		hchan.Select(hchan.OnRecv(c[0], &v, nil), hchan.OnRecv(c[1], &v, nil), hchan.OnRecv(c[2], &v, nil), hchan.OnRecv(c[3], &v, nil))
		sum += int64(v)
	}
	return checkElements(r.N, int64(r.N), sum)
}

func selectParkNative(r *Round) error {
	var c [4]chan int
	for i := range c {
		c[i] = make(chan int)
	}
	go func() {
		for i := range r.N {
			c[i%4] <- i
		}
	}()
	var sum int64
	for range r.N {
		select {
		case v := <-c[0]:
			sum += int64(v)
		case v := <-c[1]:
			sum += int64(v)
		case v := <-c[2]:
			sum += int64(v)
		case v := <-c[3]:
			sum += int64(v)
		}
	}
	return checkElements(r.N, int64(r.N), sum)
}

func selectParkUserrt(r *Round) error {
	var c [4]*hchan.Chan[int]
	for i := range c {
		c[i] = hchan.Make[int](0)
	}
	sched.Go(func() {
		for i := range r.N {
			c[i%4].Send(i)
		}
	})
	var sum int64
	for range r.N {
		var v int
		hchan.Select(hchan.OnRecv(c[0], &v, nil), hchan.OnRecv(c[1], &v, nil), hchan.OnRecv(c[2], &v, nil), hchan.OnRecv(c[3], &v, nil))
		sum += int64(v)
	}
	return checkElements(r.N, int64(r.N), sum)
}

func tryNative(r *Round) error {
	c := make(chan int, 1)
	var count, sum int64
	for i := range r.N {
		select {
		case <-c:
			count++
		default:
		}
		select {
		case c <- i:
		default:
			count++
		}
		select {
		case v := <-c:
			sum += int64(v)
		default:
			count++
		}
	}
	return checkElements(r.N, int64(r.N)+count, sum)
}

func tryUserrt(r *Round) error {
	c := hchan.Make[int](1)
	var count, sum int64
	for i := range r.N {
		if _, _, received := c.TryRecv(); received {
			count++
		}
		if !c.TrySend(i) {
			count++
		}
		if v, _, received := c.TryRecv(); received {
			sum += int64(v)
		} else {
			count++
		}
	}
	return checkElements(r.N, int64(r.N)+count, sum)
}
