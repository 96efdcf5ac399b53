package hchan_test

import (
	"fmt"
	"time"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

// A wait that ends after a time: one case of the select is the answer, the other the time.
func ExampleAfter() {
	wait := func(answer *hchan.Chan[string], patience time.Duration) {
		var a string
		switch hchan.Select(hchan.OnRecv(answer, &a, nil), hchan.OnRecv(hchan.After(patience), nil, nil)) {
		case 0:
			fmt.Println(a)
		case 1:
			fmt.Println("too late")
		}
	}
	answer := hchan.Make[string](1) // room for it, so that a server which is late can end all the same
	sched.Go(func() { answer.Send("here you are") })
	wait(answer, time.Minute)
	wait(answer, time.Millisecond) // nobody sends a second one
	// Output:
	// here you are
	// too late
}

// A Ticker sends again and again until it is stopped. Ticks that nobody receives do not pile up: there is room for one.
func ExampleNewTicker() {
	ticker := hchan.NewTicker(time.Millisecond)
	last := time.Time{}
	for range 3 {
		t, _ := ticker.C.Recv()
		fmt.Println("a tick, after the one before:", t.After(last))
		last = t
	}
	ticker.Stop()
	_, _, ready := ticker.C.TryRecv()
	fmt.Println("one more:", ready)
	// Output:
	// a tick, after the one before: true
	// a tick, after the one before: true
	// a tick, after the one before: true
	// one more: false
}
