// Pairs for hchan's select, and for the attempts that do not wait.
//
// Go's counterparts: runtime/chan_test.go, BenchmarkSelectUncontended, BenchmarkSelectNonblock, BenchmarkSelectProdCons.

package main

import (
	"fmt"

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
		c[i] <- i
	}
	var chosen [4]int64
	for range r.N {
		var i, v int
		select {
		case v = <-c[0]:
			i = 0
		case v = <-c[1]:
			i = 1
		case v = <-c[2]:
			i = 2
		case v = <-c[3]:
			i = 3
		}
		if v != i {
			return wrongCase(i, v)
		}
		chosen[i]++
		c[i] <- v
	}
	return checkChoice(r.N, chosen)
}

func selectReadyUserrt(r *Round) error {
	var c [4]*hchan.Chan[int]
	for i := range c {
		c[i] = hchan.Make[int](1)
		c[i].Send(i)
	}
	var chosen [4]int64
	for range r.N {
		var v int
		i := hchan.Select(hchan.OnRecv(c[0], &v, nil), hchan.OnRecv(c[1], &v, nil), hchan.OnRecv(c[2], &v, nil), hchan.OnRecv(c[3], &v, nil))
		if v != i {
			return wrongCase(i, v)
		}
		chosen[i]++
		c[i].Send(v)
	}
	return checkChoice(r.N, chosen)
}

// wrongCase is the error of a select whose case and value do not belong together.
func wrongCase(i, v int) error {
	return fmt.Errorf("wrong result: a select took case %d with value %d", i, v)
}

// checkChoice says whether all of 4 ready cases were chosen about as often: a select that takes the first one would be faster,
// and wrong. So few selects that chance may leave a case out are not judged.
func checkChoice(n int, chosen [4]int64) error {
	var sum int64
	for i, times := range chosen {
		if n >= 1000 && times < int64(n)/8 {
			return fmt.Errorf("wrong result: case %d was chosen %d times of %d", i, times, n)
		}
		sum += times
	}
	return mismatch("selects", sum, int64(n))
}

func selectOneNative(r *Round) error {
	var c [4]chan int
	for i := range c {
		c[i] = make(chan int, 1)
	}
	for i := range r.N {
		c[i%4] <- i
		var got, v int
		select {
		case v = <-c[0]:
			got = 0
		case v = <-c[1]:
			got = 1
		case v = <-c[2]:
			got = 2
		case v = <-c[3]:
			got = 3
		}
		if v != i || got != i%4 {
			return wrongCase(got, v)
		}
	}
	return nil
}

func selectOneUserrt(r *Round) error {
	var c [4]*hchan.Chan[int]
	for i := range c {
		c[i] = hchan.Make[int](1)
	}
	for i := range r.N {
		c[i%4].Send(i)
		var v int
		got := hchan.Select(hchan.OnRecv(c[0], &v, nil), hchan.OnRecv(c[1], &v, nil), hchan.OnRecv(c[2], &v, nil), hchan.OnRecv(c[3], &v, nil))
		if v != i || got != i%4 {
			return wrongCase(got, v)
		}
	}
	return nil
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
	for i := range r.N {
		var got, v int
		select {
		case v = <-c[0]:
			got = 0
		case v = <-c[1]:
			got = 1
		case v = <-c[2]:
			got = 2
		case v = <-c[3]:
			got = 3
		}
		if v != i || got != i%4 {
			return wrongCase(got, v)
		}
	}
	return nil
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
	for i := range r.N {
		var v int
		got := hchan.Select(hchan.OnRecv(c[0], &v, nil), hchan.OnRecv(c[1], &v, nil), hchan.OnRecv(c[2], &v, nil), hchan.OnRecv(c[3], &v, nil))
		if v != i || got != i%4 {
			return wrongCase(got, v)
		}
	}
	return nil
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
