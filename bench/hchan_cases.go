// The series of selects with more and more cases. A native select has as many cases as its source has lines, so there is one for each size.
//
// Go's counterpart: runtime/chan_test.go, BenchmarkSelectUncontended, with two cases; cmd/compile/internal/walk/select.go,
// walkSelectCases, makes a plain receive of a select with one.

package main

import (
	"fmt"

	"github.com/userrt/userrt/hchan"
)

// selecting makes the pair of a select with so many cases, a key of nativeSelects, of which one is ready: each in turn. One operation is one case, so that
// a cost that grows with the cases, as it must, looks even.
func selecting(cases int) Pair {
	receive := nativeSelects[cases]
	return Pair{
		Name: "hchan/select", Unit: nsPerOp, Step: cases,
		Doc: fmt.Sprintf("a send to one of %d channels in turn, then a select of as many receives; per select and case", cases),
		Native: func(r *Round) error {
			c := make([]chan int, cases)
			for i := range c {
				c[i] = make(chan int, 1)
			}
			var sum int64
			selects := r.N / cases
			for i := range selects {
				c[i%cases] <- i
				sum += int64(receive(c))
			}
			return checkElements(selects, int64(selects), sum)
		},
		Userrt: func(r *Round) error {
			c := make([]*hchan.Chan[int], cases)
			list := make([]hchan.Case, cases)
			var v int
			for i := range c {
				c[i] = hchan.Make[int](1)
				list[i] = hchan.OnRecv(c[i], &v, nil)
			}
			var sum int64
			selects := r.N / cases
			for i := range selects {
				c[i%cases].Send(i)
				if chosen := hchan.Select(list...); chosen != i%cases {
					return mismatch("case", int64(chosen), int64(i%cases))
				}
				sum += int64(v)
			}
			return checkElements(selects, int64(selects), sum)
		},
	}
}

// nativeSelects receive from whichever channel is ready, by their number of cases.
var nativeSelects = map[int]func(c []chan int) int{
	1: select1, 2: select2, 4: select4, 8: select8, 16: select16, 32: select32, 64: select64,
}

func select1(c []chan int) (v int) {
	return <-c[0]
}

func select2(c []chan int) (v int) {
	select {
	case v = <-c[0]:
	case v = <-c[1]:
	}
	return v
}

func select4(c []chan int) (v int) {
	select {
	case v = <-c[0]:
	case v = <-c[1]:
	case v = <-c[2]:
	case v = <-c[3]:
	}
	return v
}

func select8(c []chan int) (v int) {
	select {
	case v = <-c[0]:
	case v = <-c[1]:
	case v = <-c[2]:
	case v = <-c[3]:
	case v = <-c[4]:
	case v = <-c[5]:
	case v = <-c[6]:
	case v = <-c[7]:
	}
	return v
}

func select16(c []chan int) (v int) {
	select {
	case v = <-c[0]:
	case v = <-c[1]:
	case v = <-c[2]:
	case v = <-c[3]:
	case v = <-c[4]:
	case v = <-c[5]:
	case v = <-c[6]:
	case v = <-c[7]:
	case v = <-c[8]:
	case v = <-c[9]:
	case v = <-c[10]:
	case v = <-c[11]:
	case v = <-c[12]:
	case v = <-c[13]:
	case v = <-c[14]:
	case v = <-c[15]:
	}
	return v
}

func select32(c []chan int) (v int) {
	select {
	case v = <-c[0]:
	case v = <-c[1]:
	case v = <-c[2]:
	case v = <-c[3]:
	case v = <-c[4]:
	case v = <-c[5]:
	case v = <-c[6]:
	case v = <-c[7]:
	case v = <-c[8]:
	case v = <-c[9]:
	case v = <-c[10]:
	case v = <-c[11]:
	case v = <-c[12]:
	case v = <-c[13]:
	case v = <-c[14]:
	case v = <-c[15]:
	case v = <-c[16]:
	case v = <-c[17]:
	case v = <-c[18]:
	case v = <-c[19]:
	case v = <-c[20]:
	case v = <-c[21]:
	case v = <-c[22]:
	case v = <-c[23]:
	case v = <-c[24]:
	case v = <-c[25]:
	case v = <-c[26]:
	case v = <-c[27]:
	case v = <-c[28]:
	case v = <-c[29]:
	case v = <-c[30]:
	case v = <-c[31]:
	}
	return v
}

func select64(c []chan int) (v int) {
	select {
	case v = <-c[0]:
	case v = <-c[1]:
	case v = <-c[2]:
	case v = <-c[3]:
	case v = <-c[4]:
	case v = <-c[5]:
	case v = <-c[6]:
	case v = <-c[7]:
	case v = <-c[8]:
	case v = <-c[9]:
	case v = <-c[10]:
	case v = <-c[11]:
	case v = <-c[12]:
	case v = <-c[13]:
	case v = <-c[14]:
	case v = <-c[15]:
	case v = <-c[16]:
	case v = <-c[17]:
	case v = <-c[18]:
	case v = <-c[19]:
	case v = <-c[20]:
	case v = <-c[21]:
	case v = <-c[22]:
	case v = <-c[23]:
	case v = <-c[24]:
	case v = <-c[25]:
	case v = <-c[26]:
	case v = <-c[27]:
	case v = <-c[28]:
	case v = <-c[29]:
	case v = <-c[30]:
	case v = <-c[31]:
	case v = <-c[32]:
	case v = <-c[33]:
	case v = <-c[34]:
	case v = <-c[35]:
	case v = <-c[36]:
	case v = <-c[37]:
	case v = <-c[38]:
	case v = <-c[39]:
	case v = <-c[40]:
	case v = <-c[41]:
	case v = <-c[42]:
	case v = <-c[43]:
	case v = <-c[44]:
	case v = <-c[45]:
	case v = <-c[46]:
	case v = <-c[47]:
	case v = <-c[48]:
	case v = <-c[49]:
	case v = <-c[50]:
	case v = <-c[51]:
	case v = <-c[52]:
	case v = <-c[53]:
	case v = <-c[54]:
	case v = <-c[55]:
	case v = <-c[56]:
	case v = <-c[57]:
	case v = <-c[58]:
	case v = <-c[59]:
	case v = <-c[60]:
	case v = <-c[61]:
	case v = <-c[62]:
	case v = <-c[63]:
	}
	return v
}
