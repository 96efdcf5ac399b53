package getg

import (
	"iter"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// traceID is the id in the caller's traceback, read in another way than parseGoid does.
func traceID() uint64 {
	buf := make([]byte, 64)
	text := string(buf[:runtime.Stack(buf, false)])
	id, _ := strconv.ParseUint(strings.Fields(text)[1], 10, 64)
	return id
}

func TestGoidIsTheIDInTheTraceback(t *testing.T) {
	require.NotZero(t, traceID())
	require.Equal(t, traceID(), Goid())
	const n = 1000
	want, got := make([]uint64, n), make([]uint64, n)
	var all, done sync.WaitGroup
	all.Add(n)
	for i := range n {
		done.Go(func() {
			all.Done()
			all.Wait() // all alive at once
			want[i], got[i] = traceID(), Goid()
		})
	}
	done.Wait()
	require.Equal(t, want, got)
}

// TestOffsetsAreFound holds on every Go version for which the cell backend is built.
func TestOffsetsAreFound(t *testing.T) {
	if !hasG {
		require.Zero(t, goidAt)
		_, known := Ended(Get(), Goid())
		require.False(t, known)
		return
	}
	require.NotZero(t, goidAt)
	require.NotZero(t, statusAt)
	for range 100 {
		g, s := discover()
		require.Equal(t, goidAt, g)
		if s != 0 { // else a probe's g was somebody else's already
			require.Equal(t, statusAt, s)
		}
	}
}

func TestGoidWithoutOffsetReadsTheTraceback(t *testing.T) {
	old := goidAt
	goidAt = 0
	id := Goid()
	goidAt = old
	require.Equal(t, traceID(), id)
}

func TestEnded(t *testing.T) {
	if !hasG {
		t.Skip("without a g nothing tells")
	}
	alive := func(g uintptr, id uint64) {
		t.Helper()
		ended, known := Ended(g, id)
		require.True(t, known)
		require.False(t, ended)
	}
	alive(Get(), Goid())

	var g uintptr
	var id uint64
	next, _ := iter.Pull(func(yield func(int) bool) {
		g, id = Get(), Goid()
		yield(0)
		runtime.GC() // changes its status for a moment
		yield(0)
	})
	next()
	alive(g, id)
	next()
	alive(g, id)
	next()
	ended, known := Ended(g, id)
	require.True(t, known && ended)

	// One that blocks natively, one that runs on another thread, then both ended.
	block, stop := make(chan bool), make(chan bool)
	type one struct {
		g  uintptr
		id uint64
	}
	told := make(chan one, 2)
	go func() {
		told <- one{Get(), Goid()}
		<-block
	}()
	go func() {
		told <- one{Get(), Goid()}
		for {
			select {
			case <-stop:
				return
			default:
				runtime.Gosched()
			}
		}
	}()
	a, b := <-told, <-told
	for range 1000 {
		alive(a.g, a.id)
		alive(b.g, b.id)
		runtime.Gosched()
	}
	close(block)
	close(stop)
	for _, o := range []one{a, b} {
		for ended := false; !ended; ended, _ = Ended(o.g, o.id) {
			runtime.Gosched()
		}
	}
}

// TestEndedTellsAReusedG makes goroutines until one gets the g of an ended one.
func TestEndedTellsAReusedG(t *testing.T) {
	if !hasG {
		t.Skip("without a g nothing tells")
	}
	seen := map[uintptr]uint64{}
	for reused := false; !reused; {
		ch := make(chan bool)
		go func() {
			g, id := Get(), Goid()
			if old, ok := seen[g]; ok {
				oldEnded, _ := Ended(g, old)
				newEnded, _ := Ended(g, id)
				reused = oldEnded && !newEnded && old != id
			}
			seen[g] = id
			close(ch)
		}()
		<-ch
	}
}

func TestGoidAndEndedAllocateNothing(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(100, func() {
		Ended(Get(), Goid())
	}))
}

func BenchmarkGoid(b *testing.B) {
	for b.Loop() {
		Goid()
	}
}
