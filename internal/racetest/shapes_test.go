//go:build race

package racetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shapes are statements and what becomes of them; "left out: " and a reason if nothing does. In scope are
// c chan int, n int, ok bool, f func(int), s []int and t *testing.T.
var shapes = []struct{ in, out string }{
	{`c <- n`, `c.Send(n)`},
	{`<-c`, `c.Recv()`},
	{`(<-c)`, `c.Recv()`},
	{`n = <-c`, `n = received(c)`},
	{`n, ok = <-c`, `n, ok = c.Recv()`},
	{`f(<-c + len(c) + len(s))`, `f(received(c) + c.Len() + len(s))`},
	{`s[<-c] = cap(c)`, `s[received(c)] = c.Cap()`},
	{`close(c)`, `c.Close()`},
	{`c = make(chan int)`, `c = uhchan.Make[int](0)`},
	{`c = make(chan int, n)`, `c = uhchan.Make[int](int(n))`},
	{`d := make(chan chan int, 1); c = <-d`, `d := uhchan.Make[*uhchan.Chan[int]](1); c = received(d)`},
	{`var d <-chan int = c; <-d`, `var d *uhchan.Chan[int] = c; d.Recv()`},
	{`for range c { n++ }`, `for range c.All() { n++ }`},
	{`for n = range c { n++ }`, `for n = range c.All() { n++ }`},
	{`for i := range s { n += i }`, `for i := range s { n += i }`},
	{`go func() { c <- 1 }()`, `usched.Go(func() { c.Send(1) })`},
	{`go func(m int) { c <- m }(n)`, `{ ustart0 := func(m int) { c.Send(m) }; ustart1 := n; usched.Go(func() { ustart0(ustart1) }) }`},
	{`go f(1)`, `{ ustart0 := f; usched.Go(func() { ustart0(1) }) }`},
	{`go f(<-c)`, `{ ustart0 := f; ustart1 := received(c); usched.Go(func() { ustart0(ustart1) }) }`},
	{`go declared(s...)`, `{ ustart1 := s; usched.Go(func() { declared(ustart1...) }) }`},
	{`go time.Sleep(1)`, `{ usched.Go(func() { usched.Sleep(1) }) }`},
	{`go close(c)`, `{ usched.Go(c.Close) }`},
	{`go println(n)`, `left out: go println`},
	{`var wg sync.WaitGroup; wg.Go(func() { <-c })`, `var wg uwaitgroup.WaitGroup; wg.Go(func() { c.Recv() })`},
	{`var mu sync.Mutex; mu.Lock()`, `var mu ulocks.Mutex; mu.Lock()`},
	{`d := sync.NewCond(&sync.RWMutex{}); d.Wait()`, `d := ulocks.NewCond(&ulocks.RWMutex{}); d.Wait()`},
	{`time.AfterFunc(1, func() { c <- 1 }).Stop()`, `usched.AfterFunc(1, func() { c.Send(1) }).Stop()`},
	{`runtime.Gosched()`, `usched.Yield()`},
	{`<-time.After(1)`, `uhchan.After(1).Recv()`},
	{`var x time.Ticker; <-x.C`, `var x uhchan.Ticker; x.C.Recv()`},
	{`t.Run("", nil)`, `left out: testing.T.Run`},
	{`type ch chan int; c = make(ch)`, `left out: a named channel type`},
	{`println(fmt.Sprint(c))`, `left out: a channel goes to fmt.Sprint`},
	{`select {}`, `{ switch uhchan.Select() { } }`},
	{`select { case <-c: case c <- 1: }`, `{ uc0 := c; switch uhchan.Select(uhchan.OnRecv(uc0, nil, nil), uhchan.OnSend(c, 1)) { case 0: case 1: } }`},
	{
		`for { select { case <-c: break; default: } }`,
		`for { { uc0 := c; switch uhchan.Select(uhchan.OnRecv(uc0, nil, nil), uhchan.Default()) { case 0: break case 1: } } }`,
	},
	{`select { case c <- 1: n = 1; default: n = 2 }`, `if c.TrySend(1) { n = 1 } else { n = 2 }`},
	{`select { case <-c: n = 1; default: }`, `if _, _, ugot := c.TryRecv(); ugot { n = 1 } else { }`},
	{`select { case n := <-c: f(n); default: }`, `if uv, _, ugot := c.TryRecv(); ugot { n := uv f(n) } else { }`},
	{`select { case n, ok = <-c: default: }`, `if uv, uok, ugot := c.TryRecv(); ugot { n, ok = uv, uok } else { }`},
	{
		`select { case n = <-c: f(n) }`,
		`{ uc0 := c; uv0_0 := element(uc0); switch uhchan.Select(uhchan.OnRecv(uc0, &uv0_0, nil)) { case 0: n = uv0_0 f(n) } }`,
	},
}

// TestRewrittenShapes looks at what the rewriter makes of single statements, spaces apart.
func TestRewrittenShapes(t *testing.T) {
	var src strings.Builder
	src.WriteString("package race_test\n" +
		"import (\n\"fmt\"\n\"runtime\"\n\"sync\"\n\"testing\"\n\"time\"\n)\n" +
		"var _ = fmt.Sprint; var _ sync.Mutex; var _ = time.Now; var _ = runtime.GC\n" +
		"func declared(...int) {}\n")
	for _, sh := range shapes {
		src.WriteString("func _(c chan int, n int, ok bool, f func(int), s []int, t *testing.T) {\n" + sh.in + "\n}\n")
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "shapes_test.go", src.String(), parser.SkipObjectResolution)
	require.NoError(t, err)
	info, pkg, err := check(fset, []*ast.File{f})
	require.NoError(t, err)
	r := &rewriter{src: []byte(src.String()), base: fset.File(f.FileStart).Pos(0), info: info, pkg: pkg}
	i := 0
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Name.Name != "_" {
			continue
		}
		u := r.unit(fn)
		got := "left out: " + u.reason
		if u.reason == "" {
			_, got, _ = strings.Cut(u.code, ") {\n")
			got = strings.Join(strings.Fields(strings.TrimSuffix(got, "\n}")), " ")
		}
		require.Equal(t, shapes[i].out, got, shapes[i].in)
		i++
	}
	require.Len(t, shapes, i)
}
