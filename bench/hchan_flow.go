// Pairs for hchan in which values flow through many tasks: sieve, pipeline, fan-in, crowds on one channel.
//
// Go's counterparts: GOROOT/test/chan/sieve1.go; runtime/chan_test.go, BenchmarkChanContended,
// BenchmarkChanProdCons0.

package main

import (
	"sync"
	"sync/atomic"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
	"github.com/userrt/userrt/waitgroup"
)

const (
	sievePrimes = 100 // of one sieve
	sieveLast   = 541 // the hundredth prime
	stages      = 100
	fanIn       = 100 // producers
	eachSide    = 8   // on either side
)

func flowPairs() []Pair {
	return []Pair{
		{
			Name: "hchan/sieve", Unit: nsPerOp, Step: sievePrimes,
			Doc:    "the first 100 primes by a chain of filters, one task each, over unbuffered channels; per prime",
			Native: sieveNative, Userrt: sieveUserrt,
		},
		{
			Name: "hchan/pipeline-100", Unit: nsPerOp, Step: 1,
			Doc:    "a value through 100 tasks that each add one, over unbuffered channels; per value",
			Native: func(r *Round) error { return pipelineNative(r, stages) },
			Userrt: func(r *Round) error { return pipelineUserrt(r, stages) },
		},
		{
			Name: "hchan/fanin-100", Unit: nsPerOp, Step: fanIn,
			Doc:    "100 tasks send to one unbuffered channel, one receives; per value",
			Native: exchangeNative(fanIn, 1), Userrt: exchangeUserrt(fanIn, 1),
		},
		{
			Name: "hchan/contended-8x8", Unit: nsPerOp, Step: eachSide,
			Doc:    "8 tasks send to one unbuffered channel, 8 receive; per value",
			Native: exchangeNative(eachSide, eachSide), Userrt: exchangeUserrt(eachSide, eachSide),
		},
		{
			Name: "hchan/mixed", Unit: nsPerOp, Step: 1,
			Doc:    "hchan/pingpong between a plain goroutine and a task; natively between two goroutines; per round trip",
			Native: pingPongNative, Userrt: mixedUserrt,
		},
		{
			Name: "hchan/range", Unit: nsPerOp, Step: 1,
			Doc:    "a task ranges over what another sends on a channel of 16 slots; per value",
			Native: rangeNative, Userrt: rangeUserrt,
		},
		{
			Name: "hchan/large", Unit: nsPerOp, Step: 1,
			Doc:    "one task sends elements of 1 KiB to a channel of 16 slots, another receives; per element",
			Native: largeNative, Userrt: largeUserrt,
		},
	}
}

// A sieve ends by itself: the numbers stop at the last prime, and each filter passes the end on.

func sieveNative(r *Round) error {
	for range r.N / sievePrimes {
		first := make(chan int)
		go func() {
			for i := 2; i <= sieveLast; i++ {
				first <- i
			}
			close(first)
		}()
		c, last := first, 0
		for range sievePrimes {
			prime := <-c
			in, out := c, make(chan int)
			go func() {
				for v := range in {
					if v%prime != 0 {
						out <- v
					}
				}
				close(out)
			}()
			c, last = out, prime
		}
		if _, ok := <-c; ok || last != sieveLast {
			return mismatch("last prime", int64(last), sieveLast)
		}
	}
	return nil
}

func sieveUserrt(r *Round) error {
	for range r.N / sievePrimes {
		first := hchan.Make[int](0)
		sched.Go(func() {
			for i := 2; i <= sieveLast; i++ {
				first.Send(i)
			}
			first.Close()
		})
		c, last := first, 0
		for range sievePrimes {
			prime, _ := c.Recv()
			in, out := c, hchan.Make[int](0)
			sched.Go(func() {
				for v := range in.All() {
					if v%prime != 0 {
						out.Send(v)
					}
				}
				out.Close()
			})
			c, last = out, prime
		}
		if _, ok := c.Recv(); ok || last != sieveLast {
			return mismatch("last prime", int64(last), sieveLast)
		}
	}
	return nil
}

func pipelineNative(r *Round, stages int) error {
	first := make(chan int)
	last := first
	for range stages {
		in, out := last, make(chan int)
		go func() {
			for v := range in {
				out <- v + 1
			}
			close(out)
		}()
		last = out
	}
	go func() {
		for i := range r.N {
			first <- i
		}
		close(first)
	}()
	var n, sum int64
	for v := range last {
		n++
		sum += int64(v - stages)
	}
	return checkElements(r.N, n, sum)
}

func pipelineUserrt(r *Round, stages int) error {
	first := hchan.Make[int](0)
	last := first
	for range stages {
		in, out := last, hchan.Make[int](0)
		sched.Go(func() {
			for v := range in.All() {
				out.Send(v + 1)
			}
			out.Close()
		})
		last = out
	}
	sched.Go(func() {
		for i := range r.N {
			first.Send(i)
		}
		first.Close()
	})
	var n, sum int64
	for v := range last.All() {
		n++
		sum += int64(v - stages)
	}
	return checkElements(r.N, n, sum)
}

// exchangeNative sends 0..N-1 from so many goroutines to so many others.
func exchangeNative(senders, receivers int) Body {
	return func(r *Round) error {
		c := make(chan int)
		var sending, receiving sync.WaitGroup
		var count, sum atomic.Int64
		each := r.N / senders
		for p := range senders {
			sending.Go(func() {
				for i := range each {
					c <- p*each + i
				}
			})
		}
		for range receivers {
			receiving.Go(func() {
				var n, s int64
				for v := range c {
					n++
					s += int64(v)
				}
				count.Add(n)
				sum.Add(s)
			})
		}
		sending.Wait()
		close(c)
		receiving.Wait()
		return checkElements(r.N, count.Load(), sum.Load())
	}
}

func exchangeUserrt(senders, receivers int) Body {
	return func(r *Round) error {
		c := hchan.Make[int](0)
		var sending, receiving waitgroup.WaitGroup
		var count, sum atomic.Int64
		each := r.N / senders
		for p := range senders {
			sending.Go(func() {
				for i := range each {
					c.Send(p*each + i)
				}
			})
		}
		for range receivers {
			receiving.Go(func() {
				var n, s int64
				for v := range c.All() {
					n++
					s += int64(v)
				}
				count.Add(n)
				sum.Add(s)
			})
		}
		sending.Wait()
		c.Close()
		receiving.Wait()
		return checkElements(r.N, count.Load(), sum.Load())
	}
}

// mixedUserrt differs from pingPongUserrt in who answers.
func mixedUserrt(r *Round) error {
	ping, pong := hchan.Make[int](0), hchan.Make[int](0)
	go func() {
		for v := range ping.All() {
			pong.Send(v + 1)
		}
		pong.Close()
	}()
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

func rangeNative(r *Round) error {
	c := make(chan int, 16)
	go func() {
		for i := range r.N {
			c <- i
		}
		close(c)
	}()
	var n, sum int64
	for v := range c {
		n++
		sum += int64(v)
	}
	return checkElements(r.N, n, sum)
}

func rangeUserrt(r *Round) error {
	c := hchan.Make[int](16)
	sched.Go(func() {
		for i := range r.N {
			c.Send(i)
		}
		c.Close()
	})
	var n, sum int64
	for v := range c.All() {
		n++
		sum += int64(v)
	}
	return checkElements(r.N, n, sum)
}

// large is an element of 1 KiB.
type large struct{ words [128]int }

func largeNative(r *Round) error {
	c := make(chan large, 16)
	go func() {
		var e large
		for i := range r.N {
			e.words[i%len(e.words)] = i
			c <- e
			e.words[i%len(e.words)] = 0
		}
		close(c)
	}()
	var n, sum int64
	for e := range c {
		sum += int64(e.words[n%int64(len(e.words))])
		n++
	}
	return checkElements(r.N, n, sum)
}

func largeUserrt(r *Round) error {
	c := hchan.Make[large](16)
	sched.Go(func() {
		var e large
		for i := range r.N {
			e.words[i%len(e.words)] = i
			c.Send(e)
			e.words[i%len(e.words)] = 0
		}
		c.Close()
	})
	var n, sum int64
	for e := range c.All() {
		sum += int64(e.words[n%int64(len(e.words))])
		n++
	}
	return checkElements(r.N, n, sum)
}
