// Pairs for hchan: rendezvous, buffer, no contention, and a tree of tasks that sum up over channels.
//
// Go's counterparts: runtime/chan_test.go, BenchmarkChanSync, BenchmarkChanProdCons100 and
// BenchmarkChanUncontended.

package main

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

const (
	bufferSlots  = 128
	skynetFanout = 10
)

func hchanPairs() []Pair {
	return []Pair{
		{
			Name: "hchan/pingpong", Unit: nsPerOp, Step: 1,
			Doc:    "two tasks, two unbuffered channels, a number sent there and back; per round trip",
			Native: pingPongNative, Userrt: pingPongUserrt,
		},
		buffered(1, bufferSlots),
		buffered(4, bufferSlots),
		{
			Name: "hchan/uncontended", Unit: nsPerOp, Step: 1,
			Doc:    "one task sends to a buffered channel and receives from it; per send and receive",
			Native: uncontendedNative, Userrt: uncontendedUserrt,
		},
	}
}

func pingPongNative(r *Round) error {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for {
			v, ok := <-ping
			if !ok {
				close(pong)
				return
			}
			pong <- v + 1
		}
	}()
	var wrong int64
	for i := range r.N {
		ping <- i
		if v := <-pong; v != i+1 {
			wrong++
		}
	}
	close(ping)
	<-pong
	return mismatch("wrong answers", wrong, 0)
}

func pingPongUserrt(r *Round) error {
	ping, pong := hchan.Make[int](0), hchan.Make[int](0)
	sched.Go(func() {
		for {
			v, ok := ping.Recv()
			if !ok {
				pong.Close()
				return
			}
			pong.Send(v + 1)
		}
	})
	var wrong int64
	for i := range r.N {
		ping.Send(i)
		if v, _ := pong.Recv(); v != i+1 {
			wrong++
		}
	}
	ping.Close()
	pong.Recv()
	return mismatch("wrong answers", wrong, 0)
}

// buffered makes the pair of so many producers and as many consumers on one channel of so many slots. The
// producers send each of 0..N-1 once, and what the consumers got is checked by count and sum.
func buffered(tasks, slots int) Pair {
	return Pair{
		Name: fmt.Sprintf("hchan/buffered-%dx%d", tasks, tasks), Unit: nsPerOp, Step: tasks,
		Doc: fmt.Sprintf("producers x consumers, %dx%d, on a channel of %d slots; per element", tasks, tasks, slots),
		Native: func(r *Round) error {
			c := make(chan int, slots)
			var producers, consumers sync.WaitGroup
			var count, sum atomic.Int64
			each := r.N / tasks
			producers.Add(tasks)
			consumers.Add(tasks)
			for p := range tasks {
				go func() {
					for i := range each {
						c <- p*each + i
					}
					producers.Done()
				}()
				go func() {
					var n, s int64
					for {
						v, ok := <-c
						if !ok {
							break
						}
						n++
						s += int64(v)
					}
					count.Add(n)
					sum.Add(s)
					consumers.Done()
				}()
			}
			producers.Wait()
			close(c)
			consumers.Wait()
			return checkElements(r.N, count.Load(), sum.Load())
		},
		Userrt: func(r *Round) error {
			c := hchan.Make[int](slots)
			var producers, consumers waitgroup.WaitGroup
			var count, sum atomic.Int64
			each := r.N / tasks
			producers.Add(tasks)
			consumers.Add(tasks)
			for p := range tasks {
				sched.Go(func() {
					for i := range each {
						c.Send(p*each + i)
					}
					producers.Done()
				})
				sched.Go(func() {
					var n, s int64
					for {
						v, ok := c.Recv()
						if !ok {
							break
						}
						n++
						s += int64(v)
					}
					count.Add(n)
					sum.Add(s)
					consumers.Done()
				})
			}
			producers.Wait()
			c.Close()
			consumers.Wait()
			return checkElements(r.N, count.Load(), sum.Load())
		},
	}
}

// checkElements says whether the elements received were 0..n-1, as far as count and sum can tell.
func checkElements(n int, count, sum int64) error {
	if err := mismatch("elements", count, int64(n)); err != nil {
		return err
	}
	return mismatch("sum of elements", sum, sumTo(n))
}

// sumTo returns 0+1+..+(n-1).
func sumTo(n int) int64 { return int64(n) * int64(n-1) / 2 }

func uncontendedNative(r *Round) error {
	c := make(chan int, bufferSlots)
	var wrong int64
	for i := range r.N {
		c <- i
		if v := <-c; v != i {
			wrong++
		}
	}
	return mismatch("wrong elements", wrong, 0)
}

func uncontendedUserrt(r *Round) error {
	c := hchan.Make[int](bufferSlots)
	var wrong int64
	for i := range r.N {
		c.Send(i)
		if v, _ := c.Recv(); v != i {
			wrong++
		}
	}
	return mismatch("wrong elements", wrong, 0)
}

// skynet makes the pair in which a tree of tasks, ten children a node, sums up the numbers of its
// leaves over unbuffered channels. leaves is a power of ten.
func skynet(leaves int) Pair {
	return Pair{
		Name: "skynet", Unit: nsPerOp, Step: leaves, AtMost: 9,
		Doc: fmt.Sprintf("a tree of tasks, ten children a node, sums its %d leaves over unbuffered channels; per leaf", leaves),
		Native: func(r *Round) error {
			for range r.N / leaves {
				c := make(chan int64)
				go skynetNative(c, 0, int64(leaves))
				if err := mismatch("sum of leaves", <-c, sumTo(leaves)); err != nil {
					return err
				}
			}
			return nil
		},
		Userrt: func(r *Round) error {
			for range r.N / leaves {
				c := hchan.Make[int64](0)
				sched.Go(func() { skynetUserrt(c, 0, int64(leaves)) })
				sum, _ := c.Recv()
				if err := mismatch("sum of leaves", sum, sumTo(leaves)); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// skynetNative sends the sum of the leaves [first, first+size) on up.
func skynetNative(up chan<- int64, first, size int64) {
	if size == 1 {
		up <- first
		return
	}
	c := make(chan int64)
	part := size / skynetFanout
	for i := range int64(skynetFanout) {
		go func() { skynetNative(c, first+i*part, part) }()
	}
	var sum int64
	for range skynetFanout {
		sum += <-c
	}
	up <- sum
}

// skynetUserrt sends the sum of the leaves [first, first+size) on up.
func skynetUserrt(up *hchan.Chan[int64], first, size int64) {
	if size == 1 {
		up.Send(first)
		return
	}
	c := hchan.Make[int64](0)
	part := size / skynetFanout
	for i := range int64(skynetFanout) {
		sched.Go(func() { skynetUserrt(c, first+i*part, part) })
	}
	var sum int64
	for range skynetFanout {
		v, _ := c.Recv()
		sum += v
	}
	up.Send(sum)
}
