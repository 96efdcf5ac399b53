package hchan_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

// Without a buffer a send is a meeting: the sender goes on only when a receiver has come.
func Example_rendezvous() {
	onOneP(func() {
		c := hchan.Make[string](0)
		sched.Go(func() {
			fmt.Println("sender: here")
			c.Send("a letter")
			fmt.Println("sender: handed over")
		})
		sched.Yield()
		fmt.Println("receiver: late, as always")
		v, _ := c.Recv()
		fmt.Println("receiver: has", v)
		sched.Yield()
	})
	// Output:
	// sender: here
	// receiver: late, as always
	// receiver: has a letter
	// sender: handed over
}

// With a buffer a send waits only when it is full, a receive only when it is empty, and what was sent first is received
// first.
func Example_buffered() {
	onOneP(func() {
		c := hchan.Make[int](2)
		sched.Go(func() {
			for v := 1; v <= 4; v++ {
				c.Send(v)
				fmt.Println("sent", v)
			}
		})
		sched.Yield()
		fmt.Println("full:", c.Len(), "of", c.Cap())
		for range 4 {
			v, _ := c.Recv()
			fmt.Println("received", v)
		}
		sched.Go(func() { c.Send(5) })
		fmt.Println("empty:", c.Len(), "of", c.Cap())
		v, _ := c.Recv() // waits for the other task
		fmt.Println("received", v)
	})
	// Output:
	// sent 1
	// sent 2
	// full: 2 of 2
	// received 1
	// received 2
	// received 3
	// sent 3
	// sent 4
	// received 4
	// empty: 0 of 2
	// received 5
}

// The second value of a receive tells a zero that was sent from the zero of a closed channel. A range ends there.
func ExampleChan_All() {
	c := hchan.Make[int](3)
	c.Send(0)
	c.Send(1)
	c.Send(2)
	c.Close()
	v, ok := c.Recv()
	fmt.Println(v, ok)
	for v := range c.All() {
		fmt.Println(v)
	}
	v, ok = c.Recv()
	fmt.Println(v, ok)
	// Output:
	// 0 true
	// 1
	// 2
	// 0 false
}

// Each function is given the half of the channel that it needs. What goes against it, numbers.Recv in count or
// numbers.Close in sum, does not compile.
func ExampleChan_SendOnly() {
	count := func(numbers hchan.Sender[int], to int) {
		defer numbers.Close()
		for n := range to {
			numbers.Send(n + 1)
		}
	}
	sum := func(numbers hchan.Receiver[int]) (total int) {
		for n := range numbers.All() {
			total += n
		}
		return total
	}
	numbers := hchan.Make[int](0)
	sched.Go(func() { count(numbers.SendOnly(), 10) })
	fmt.Println(sum(numbers.RecvOnly()))
	// Output: 55
}

// What cannot go well: each panic has the runtime's own text. An operation on a nil channel waits for ever, which in a
// select means that the case is not there.
func Example_misuse() {
	try := func(what string, f func()) {
		defer func() { fmt.Printf("%s: %v\n", what, recover()) }()
		f()
	}
	var none *hchan.Chan[int]
	closed := hchan.Make[int](1)
	closed.Close()
	try("close nil", none.Close)
	try("close twice", closed.Close)
	try("send after close", func() { closed.Send(1) })
	try("select with a send after close", func() { hchan.Select(hchan.OnSend(closed, 1)) })
	fmt.Println("nil is ready to send:", none.TrySend(1))
	fmt.Println("select chose", hchan.Select(hchan.OnRecv(none, nil, nil), hchan.OnSend(none, 1), hchan.Default()))
	// Output:
	// close nil: close of nil channel
	// close twice: close of closed channel
	// send after close: send on closed channel
	// select with a send after close: send on closed channel
	// nil is ready to send: false
	// select chose 2
}

// Whoever sends or receives on a nil channel waits for ever. Here a scheduler that looks for deadlocks says so, and Close unwinds
// the two.
func Example_nilChannel() {
	s, err := sched.New(sched.Config{Procs: 1, DetectDeadlock: true})
	if err != nil {
		panic(err)
	}
	var none *hchan.Chan[string]
	err = s.Run(func() {
		sched.Go(func() {
			defer fmt.Println("the receiver is unwound")
			none.Recv()
		})
		none.Send("to nobody")
	})
	var dead *sched.DeadlockError
	if errors.As(err, &dead) {
		for _, task := range dead.Tasks {
			fmt.Println(task.Reason)
		}
	}
	fmt.Println(s.Close())
	// Unordered output:
	// chan send (nil chan)
	// chan receive (nil chan)
	// the receiver is unwound
	// <nil>
}

// owner makes the channel, sends on it, closes it, and hands out only the receiving half: so nobody else can close it, nobody
// can send after that, and nobody ever sees it nil.
func owner(ctx context.Context, words ...string) hchan.Receiver[string] {
	out := hchan.Make[string](0)
	sched.Go(func() {
		defer out.Close()
		for _, w := range words {
			if out.SendContext(ctx, w) != nil {
				return // nobody wants the rest
			}
		}
	})
	return out
}

// The ownership idiom: one task owns a channel, and all misuse is out of reach for the others.
func Example_ownership() {
	for w := range owner(context.Background(), "share", "by", "communicating").All() {
		fmt.Println(w)
	}
	ctx, cancel := context.WithCancel(context.Background())
	words := owner(ctx, "one", "two", "three")
	w, _ := words.Recv()
	cancel() // the owner's task ends
	fmt.Println(w)
	// Output:
	// share
	// by
	// communicating
	// one
}

// Select takes a case that is ready; Default if there is none; a nil channel's never. Setting a channel nil when it is
// used up takes its case away.
func ExampleSelect() {
	evens, odds := hchan.Make[int](2), hchan.Make[int](3)
	for n := 1; n <= 5; n++ {
		if n%2 == 0 {
			evens.Send(n)
		} else {
			odds.Send(n)
		}
	}
	evens.Close()
	odds.Close()
	var n, sum int
	var ok bool
	for evens != nil || odds != nil {
		switch hchan.Select(hchan.OnRecv(evens, &n, &ok), hchan.OnRecv(odds, &n, &ok)) {
		case 0:
			if !ok {
				evens = nil
			}
		case 1:
			if !ok {
				odds = nil
			}
		}
		sum += n
	}
	fmt.Println("sum", sum)
	fmt.Println("chosen", hchan.Select(hchan.OnRecv(evens, &n, nil), hchan.Default()))
	// Output:
	// sum 15
	// chosen 1
}

// SelectOrdered prefers the case that stands first: here, urgent work.
func ExampleSelectOrdered() {
	urgent, other := hchan.Make[string](2), hchan.Make[string](2)
	other.Send("letters")
	other.Send("invoices")
	urgent.Send("fire")
	for range 3 {
		var job string
		hchan.SelectOrdered(hchan.OnRecv(urgent, &job, nil), hchan.OnRecv(other, &job, nil))
		fmt.Println(job)
	}
	// Output:
	// fire
	// letters
	// invoices
}

// A case for a context ends the wait when the context is done.
func ExampleOnDone() {
	ctx, cancel := context.WithCancel(context.Background())
	answers := hchan.Make[string](0)
	sched.Go(cancel)
	switch hchan.Select(hchan.OnRecv(answers, nil, nil), hchan.OnDone(ctx)) {
	case 0:
		fmt.Println("answered")
	case 1:
		fmt.Println(ctx.Err())
	}
	// Output: context canceled
}

// Processes that share nothing: each stage of a pipeline owns what it sends, and a copy travels. The second stage runs as
// three tasks, which is why the result must not depend on order.
func Example_pipeline() {
	type point struct{ x, y int }
	points := hchan.Make[point](0)
	sched.Go(func() {
		defer points.Close()
		p := point{}
		for p.x = range 100 {
			p.y = p.x * p.x
			points.Send(p) // a copy: p is ours again
		}
	})
	sums, done := hchan.Make[int](0), hchan.Make[struct{}](0)
	for range 3 {
		sched.Go(func() {
			sum := 0
			for p := range points.All() {
				sum += p.x + p.y
			}
			sums.Send(sum)
			done.Send(struct{}{})
		})
	}
	sched.Go(func() { // closes when the last of the three is through
		for range 3 {
			done.Recv()
		}
		sums.Close()
	})
	total := 0
	for sum := range sums.All() {
		total += sum
	}
	fmt.Println(total)
	// Output: 333300
}
