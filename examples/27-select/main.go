// What select chooses: a ready case at random, each as likely as the others.
//
// You will see: how often each of five cases is chosen in 100,000 selects. Three are always ready, one waits for a channel on
// which nobody sends, one has a nil channel: a third each for the ready ones, and nothing for the others. Then one of the three
// twice: it is chosen twice as often, since cases are drawn, not channels. Then SelectOrdered, which takes the first. The same with
// Go's select, for comparison; the numbers differ from run to run, the shares don't.
//
// Concepts: select, fairness, nil channels.
// Read next: docs/tour.md, "27"; hchan/select.go.
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

const selects = 100_000

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	s, err := sched.New(sched.Config{Procs: 1})
	if err != nil {
		return err
	}
	show := func(what string, n [5]int) { fmt.Fprintf(w, "%-34s %6d\n", what, n) }
	fmt.Fprintln(w, "cases:                              ready  ready  ready  never  nil")
	err = s.Run(func() {
		show("Select", count(hchan.Select, 3))
		show("Select, the first twice", count(hchan.Select, 0))
		show("SelectOrdered", count(hchan.SelectOrdered, 3))
	})
	show("a native select", native())
	if err != nil {
		return err
	}
	return s.Close()
}

// count counts the choices of sel among receives from five channels, of which closed ones, always ready, are 0 to 2; the fourth
// case is that of channel fourth.
func count(sel func(...hchan.Case) int, fourth int) (n [5]int) {
	var cs [5]*hchan.Chan[int] // the last is nil
	for i := range 4 {
		cs[i] = hchan.Make[int](0)
		if i < 3 {
			cs[i].Close()
		}
	}
	for range selects {
		n[sel(
			hchan.OnRecv(cs[0], nil, nil),
			hchan.OnRecv(cs[1], nil, nil),
			hchan.OnRecv(cs[2], nil, nil),
			hchan.OnRecv(cs[fourth], nil, nil),
			hchan.OnRecv(cs[4], nil, nil),
		)]++
	}
	return n
}

func native() (n [5]int) {
	var cs [5]chan int
	for i := range 4 {
		cs[i] = make(chan int)
		if i < 3 {
			close(cs[i])
		}
	}
	for range selects {
		select {
		case <-cs[0]:
			n[0]++
		case <-cs[1]:
			n[1]++
		case <-cs[2]:
			n[2]++
		case <-cs[3]:
			n[3]++
		case <-cs[4]:
			n[4]++
		}
	}
	return n
}
