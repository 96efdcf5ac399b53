package sched_test

import (
	"fmt"
	"sync/atomic"

	"github.com/userrt/userrt/sched"
)

// A stretch is what a call of sum has to know; Both takes one value, so several go into a struct.
type stretch struct{ numbers []int }

func sum(s stretch) int {
	n := len(s.numbers)
	if n <= 4 {
		total := 0
		for _, v := range s.numbers {
			total += v
		}
		return total
	}
	a, b := sched.Both(sum, stretch{s.numbers[:n/2]}, stretch{s.numbers[n/2:]})
	return a + b
}

func ExampleBoth() {
	numbers := make([]int, 1000)
	for i := range numbers {
		numbers[i] = i
	}
	err := sched.Default().Run(func() { fmt.Println(sum(stretch{numbers})) })
	fmt.Println(err)
	// Output:
	// 499500
	// <nil>
}

// Both raises what one of the two has panicked with, when both have ended.
func ExampleBoth_panic() {
	defer func() {
		failed := recover().(*sched.PanicError)
		fmt.Println("panic:", failed.Value)
	}()
	half := func(n int) int {
		if n%2 != 0 {
			panic(fmt.Sprint(n, " is odd"))
		}
		return n / 2
	}
	fmt.Println(sched.Both(half, 4, 10))
	fmt.Println(sched.Both(half, 4, 7)) // on a plain goroutine, too
	// Output:
	// 2 5
	// panic: 7 is odd
}

func ExampleFor() {
	squares := make([]int, 1000)
	var total atomic.Int64
	sched.For(len(squares), 100, func(lo, hi int) {
		part := 0 // of its own: what the pieces share costs time
		for i := lo; i < hi; i++ {
			squares[i] = i * i
			part += squares[i]
		}
		total.Add(int64(part))
	})
	fmt.Println(squares[30], total.Load())
	// Output:
	// 900 332833500
}
