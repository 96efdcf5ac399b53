package testsched

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/userrt/userrt/internal/clock"
	"github.com/userrt/userrt/sched"
)

// Which calls give way: sched/preempt.go has the promise. Each package of primitives has a table of all its calls.

// GivesWay checks the package in whose folder the test runs. looks has the calls at which a task that is asked to give way
// does so, as "Func" or "Type.Method", a remark may follow after a comma: each is called again and again by a task that does nothing
// else, until another one has had its turn. others has the names of all other exported calls, by why they are not
// among them. So who adds a call has to say what it does.
func GivesWay(t *testing.T, looks map[string]func(), others map[string]string) {
	t.Helper()
	known := map[string]bool{}
	for name, turn := range looks {
		call, _, _ := strings.Cut(name, ",")
		known[call] = true
		if !givesWay(t, turn) {
			t.Errorf("%s: a task that does nothing else does not give way", name)
		}
	}
	for _, names := range others {
		for _, name := range strings.Fields(names) {
			known[name] = true
		}
	}
	all := exported(t)
	for name := range all {
		if !known[name] {
			t.Errorf("%s: not in the table", name)
		}
	}
	for name := range known {
		if !all[name] {
			t.Errorf("%s: in the table, not in the package", name)
		}
	}
}

// givesWay reports whether a task that only makes turns lets another one run in them: nobody stands in for it.
func givesWay(t *testing.T, turn func()) (did bool) {
	t.Helper()
	s, err := sched.New(sched.Config{
		Procs: 1, Seed: 1, Tunables: sched.Tunables{NoRelief: true, TimeSlice: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	Within(t, func() {
		err = s.Run(func() {
			for end := clock.Nanotime() + int64(hangLimit/2); !did; {
				var ran atomic.Bool
				sched.Go(func() { ran.Store(true) })
				if ran.Load() { // Go looks as well
					continue
				}
				for !ran.Load() {
					if clock.Nanotime() > end {
						return
					}
					turn()
				}
				did = true
			}
		})
	})
	if err != nil {
		t.Error(err)
	}
	Close(t, s)
	return did
}

// exported returns the names of the exported functions of the package in the current folder, and of the exported methods of its
// exported types.
func exported(t *testing.T) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !fn.Name.IsExported() {
				continue
			}
			if fn.Recv == nil {
				names[fn.Name.Name] = true
			} else if of := receiver(fn.Recv.List[0].Type); ast.IsExported(of) {
				names[of+"."+fn.Name.Name] = true
			}
		}
	}
	return names
}

// receiver returns the name of a method's type, of which e is all that stands in the parentheses.
func receiver(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
