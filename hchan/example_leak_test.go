package hchan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/sched"
)

// firstAnswer asks three servers and takes the first answer. The two others are never received, so their tasks
// wait for ever: a channel with room for three would let them end.
func firstAnswer() string {
	answers := hchan.Make[string](0)
	for _, server := range []string{"a", "b", "c"} {
		sched.Go(func() { ask(server, answers) })
	}
	first, _ := answers.Recv()
	return first
}

func ask(server string, answers *hchan.Chan[string]) {
	answers.Send("hello from " + server)
}

// The leak pattern: tasks blocked for ever on a channel that nobody serves any more. A dump names them, with
// the channel and the line.
func Example_leak() {
	s, err := sched.New(sched.Config{Procs: 1})
	if err != nil {
		panic(err)
	}
	err = s.Run(func() { fmt.Println(firstAnswer()[:10]) })
	fmt.Println(err)
	for s.Stats().Searching > 0 || s.Stats().IdleProcs == 0 {
		time.Sleep(time.Millisecond) // until nothing runs any more
	}
	var text bytes.Buffer
	var d sched.DumpInfo
	if err := s.DumpJSON(&text); err != nil {
		panic(err)
	}
	if err := json.Unmarshal(text.Bytes(), &d); err != nil {
		panic(err)
	}
	at := regexp.MustCompile(`hchan_test\.\w+`)
	addr := regexp.MustCompile(`0x[0-9a-f]+`)
	for _, t := range d.Tasks {
		fmt.Printf("leaked: %s, in %s, for %s\n", t.WaitReason, at.FindString(t.Stack), addr.ReplaceAllString(t.WaitsFor.What, "0x.."))
	}
	fmt.Println(s.Close()) // which unwinds them
	// Output:
	// hello from
	// <nil>
	// leaked: chan send, in hchan_test.ask, for chan 0x.. cap 0 len 0
	// leaked: chan send, in hchan_test.ask, for chan 0x.. cap 0 len 0
	// <nil>
}
