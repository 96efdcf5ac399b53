//go:build race

package racetest

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// rewriter puts Go code onto userrt: it copies the source text, but for what is about goroutines, channels and the
// packages that userrt stands in for. It knows the types, so len of a channel is not taken for len of a slice.
type rewriter struct {
	src  []byte
	base token.Pos // of src[0]
	info *types.Info
	pkg  *types.Package

	// Of the declaration being rewritten:
	imports map[string]string // path to name, of what the result mentions
	uses    map[types.Object]bool
	reason  string // why it can't be rewritten; empty if it can
}

// Names that the cases do not use.
const (
	modulePath   = "github.com/userrt/userrt"
	schedName    = "usched"
	hchanName    = "uhchan"
	waitName     = "uwaitgroup"
	locksName    = "ulocks"
	startingName = "ustart" // variables of a go statement
)

// standIns are what userrt has instead of the standard library's.
var standIns = map[string][2]string{
	"sync.WaitGroup":  {"waitgroup", waitName + ".WaitGroup"},
	"sync.Mutex":      {"locks", locksName + ".Mutex"},
	"sync.RWMutex":    {"locks", locksName + ".RWMutex"},
	"sync.Locker":     {"locks", locksName + ".Locker"},
	"sync.Cond":       {"locks", locksName + ".Cond"},
	"sync.NewCond":    {"locks", locksName + ".NewCond"},
	"sync.Once":       {"locks", locksName + ".Once"},
	"sync.OnceFunc":   {"locks", locksName + ".OnceFunc"},
	"time.Sleep":      {"sched", schedName + ".Sleep"},
	"time.AfterFunc":  {"sched", schedName + ".AfterFunc"},
	"time.Timer":      {"sched", schedName + ".Timer"}, // of AfterFunc; those with a channel are never named
	"time.NewTimer":   {"hchan", hchanName + ".NewTimer"},
	"time.NewTicker":  {"hchan", hchanName + ".NewTicker"},
	"time.After":      {"hchan", hchanName + ".After"},
	"time.Ticker":     {"hchan", hchanName + ".Ticker"},
	"runtime.Gosched": {"sched", schedName + ".Yield"},
	"runtime.Goexit":  {"sched", schedName + ".Exit"},
	"testing.T":       {"", "caseT"},
}

// lacking are names of the standard library that keep a declaration from being rewritten.
var lacking = map[string]string{
	"runtime.LockOSThread": "runtime.LockOSThread",
	"runtime.RaceDisable":  "runtime.RaceDisable without RaceEnable, on a stack that other tasks get later",
	"reflect.MakeChan":     "a channel by reflection",
	"reflect.ChanOf":       "a channel by reflection",
}

// caseMethods are the methods of caseT.
var caseMethods = []string{"Error", "Errorf", "Fatal", "Fatalf", "Log", "Logf", "Skip", "Helper", "TempDir"}

func (r *rewriter) refuse(format string, args ...any) {
	if r.reason == "" {
		r.reason = fmt.Sprintf(format, args...)
	}
}

func (r *rewriter) text(from, to token.Pos) string { return string(r.src[from-r.base : to-r.base]) }

func (r *rewriter) use(folder string) {
	name := map[string]string{"sched": schedName, "hchan": hchanName, "waitgroup": waitName, "locks": locksName}[folder]
	if name != "" {
		r.imports[modulePath+"/"+folder] = name
	}
}

// code returns n rewritten.
func (r *rewriter) code(n ast.Node) string {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return r.function(n)
	case *ast.GoStmt:
		return r.goStmt(n)
	case *ast.SendStmt:
		return fmt.Sprintf("%s.Send(%s)", r.operand(n.Chan), r.code(n.Value))
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return r.receive(n)
		}
	case *ast.ChanType:
		r.use("hchan")
		return fmt.Sprintf("*%s.Chan[%s]", hchanName, r.code(n.Value))
	case *ast.CallExpr:
		if s, ok := r.call(n); ok {
			return s
		}
	case *ast.RangeStmt:
		if r.isChan(n.X) {
			vars := ""
			if n.Key != nil {
				vars = r.code(n.Key) + " " + n.Tok.String() + " "
			}
			return fmt.Sprintf("for %srange %s.All() %s", vars, r.operand(n.X), r.code(n.Body))
		}
	case *ast.SelectStmt:
		return r.selectStmt(n)
	case *ast.SelectorExpr:
		if s, ok := r.selector(n); ok {
			return s
		}
	case *ast.Ident:
		r.ident(n)
	case *ast.ExprStmt:
		if u, ok := ast.Unparen(n.X).(*ast.UnaryExpr); ok && u.Op == token.ARROW {
			return r.operand(u.X) + ".Recv()"
		}
	}
	return r.copied(n)
}

// copied returns n's own text with the nodes directly below it rewritten.
func (r *rewriter) copied(n ast.Node) string {
	var below []ast.Node
	ast.Inspect(n, func(c ast.Node) bool {
		if c == n {
			return true
		}
		if _, comment := c.(*ast.CommentGroup); c != nil && !comment {
			below = append(below, c)
		}
		return false
	})
	slices.SortFunc(below, func(a, b ast.Node) int { return int(a.Pos() - b.Pos()) })
	var b strings.Builder
	at := n.Pos()
	for _, c := range below {
		b.WriteString(r.text(at, c.Pos()))
		b.WriteString(r.code(c))
		at = c.End()
	}
	b.WriteString(r.text(at, n.End()))
	return b.String()
}

// function rewrites a declaration; its type reaches over its name, so the nodes are not in order. Directives for the
// compiler are kept: a race in the arguments of a call shows only if that is not inlined.
func (r *rewriter) function(d *ast.FuncDecl) string {
	if ok, why := r.skips(d); ok {
		r.refuse("Go skips it: %s", why)
	}
	directives := ""
	if d.Doc != nil {
		for _, c := range d.Doc.List {
			if strings.HasPrefix(c.Text, "//go:") {
				directives += c.Text + "\n"
			}
		}
	}
	recv, body := "", ""
	if d.Recv != nil {
		recv = r.code(d.Recv) + " "
	}
	results := ""
	if d.Type.Results != nil {
		results = r.code(d.Type.Results) + " "
	}
	types := ""
	if d.Type.TypeParams != nil {
		types = r.code(d.Type.TypeParams)
	}
	if d.Body != nil {
		body = r.code(d.Body)
	}
	return directives + "func " + recv + d.Name.Name + types + r.code(d.Type.Params) + " " + results + body
}

// skips reports whether a case does nothing but skip itself, and why.
func (r *rewriter) skips(d *ast.FuncDecl) (yes bool, why string) {
	if d.Body == nil || len(d.Body.List) == 0 {
		return false, ""
	}
	s, ok := d.Body.List[0].(*ast.ExprStmt)
	if !ok {
		return false, ""
	}
	c, ok := s.X.(*ast.CallExpr)
	if !ok || len(c.Args) != 1 {
		return false, ""
	}
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Skip" || r.typeOf(sel.X).String() != "*testing.T" {
		return false, ""
	}
	if v := r.info.Types[c.Args[0]].Value; v != nil && v.Kind() == constant.String {
		why = constant.StringVal(v)
	}
	return true, why
}

func (r *rewriter) typeOf(e ast.Expr) types.Type {
	if tv, ok := r.info.Types[e]; ok {
		return tv.Type
	}
	if id, ok := e.(*ast.Ident); ok && r.info.ObjectOf(id) != nil {
		return r.info.ObjectOf(id).Type()
	}
	return types.Typ[types.Invalid]
}

func (r *rewriter) isChan(e ast.Expr) bool {
	_, ok := r.typeOf(e).Underlying().(*types.Chan)
	return ok
}

// operand rewrites an expression so that a selector may follow.
func (r *rewriter) operand(e ast.Expr) string {
	switch ast.Unparen(e).(type) {
	case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr, *ast.CallExpr, *ast.ParenExpr:
		return r.code(e)
	}
	return "(" + r.code(e) + ")"
}

// receive rewrites a receive that is part of a larger expression, or has both results.
func (r *rewriter) receive(u *ast.UnaryExpr) string {
	if _, both := r.typeOf(u).(*types.Tuple); both {
		return r.operand(u.X) + ".Recv()"
	}
	return "received(" + r.code(u.X) + ")"
}

// goStmt starts a task. As in Go, the function's value and the arguments are evaluated by the caller; a constant,
// nil and a declared function need no variable.
func (r *rewriter) goStmt(g *ast.GoStmt) string {
	r.use("sched")
	lit, isLit := g.Call.Fun.(*ast.FuncLit)
	if isLit && len(g.Call.Args) == 0 && lit.Type.Results == nil {
		return fmt.Sprintf("%s.Go(%s)", schedName, r.code(lit))
	}
	var before strings.Builder
	keep := func(i int, e ast.Expr) string {
		text := r.code(e)
		tv := r.info.Types[e]
		if tv.Value != nil || tv.IsNil() || tv.IsBuiltin() || r.isDeclared(e) {
			return text
		}
		fmt.Fprintf(&before, "%s%d := %s; ", startingName, i, text)
		return fmt.Sprintf("%s%d", startingName, i)
	}
	if b, ok := ast.Unparen(g.Call.Fun).(*ast.Ident); ok && r.info.Types[b].IsBuiltin() {
		if b.Name != "close" {
			r.refuse("go %s", b.Name)
		}
		return fmt.Sprintf("{ %s%s.Go(%s.Close) }", before.String(), schedName, r.operand(g.Call.Args[0]))
	}
	fun := keep(0, g.Call.Fun)
	var args []string
	for i, a := range g.Call.Args {
		args = append(args, keep(i+1, a))
	}
	dots := ""
	if g.Call.Ellipsis.IsValid() {
		dots = "..."
	}
	return fmt.Sprintf("{ %s%s.Go(func() { %s(%s%s) }) }", before.String(), schedName, fun, strings.Join(args, ", "), dots)
}

// isDeclared reports whether e names a function of a package.
func (r *rewriter) isDeclared(e ast.Expr) bool {
	var id *ast.Ident
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		id = e
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); !ok || !isPkg(r.info.Uses[x]) {
			return false
		}
		id = e.Sel
	default:
		return false
	}
	_, ok := r.info.Uses[id].(*types.Func)
	return ok
}

func isPkg(o types.Object) bool {
	_, ok := o.(*types.PkgName)
	return ok
}

func (r *rewriter) call(c *ast.CallExpr) (string, bool) {
	id, ok := ast.Unparen(c.Fun).(*ast.Ident)
	if !ok || !r.info.Types[c.Fun].IsBuiltin() {
		r.noChannelsOut(c)
		return "", false
	}
	if id.Name == "make" {
		ch, ok := c.Args[0].(*ast.ChanType)
		if !ok {
			if r.isChan(c.Args[0]) {
				r.refuse("a named channel type")
			}
			return "", false
		}
		r.use("hchan")
		size := "0"
		if len(c.Args) > 1 {
			size = r.code(c.Args[1])
			if r.info.Types[c.Args[1]].Value == nil {
				size = "int(" + size + ")"
			}
		}
		return fmt.Sprintf("%s.Make[%s](%s)", hchanName, r.code(ch.Value), size), true
	}
	method := map[string]string{"close": "Close", "len": "Len", "cap": "Cap"}[id.Name]
	if method == "" || !r.isChan(c.Args[0]) {
		return "", false
	}
	return fmt.Sprintf("%s.%s()", r.operand(c.Args[0]), method), true
}

// noChannelsOut refuses calls that hand a channel to another package, which would look at it as one.
func (r *rewriter) noChannelsOut(c *ast.CallExpr) {
	if sel, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr); ok {
		if o := r.info.Uses[sel.Sel]; o != nil && o.Pkg() != nil && o.Pkg() != r.pkg && slices.ContainsFunc(c.Args, r.isChan) {
			r.refuse("a channel goes to %s.%s", o.Pkg().Name(), o.Name())
		}
	}
}

func (r *rewriter) selector(s *ast.SelectorExpr) (string, bool) {
	if x, ok := s.X.(*ast.Ident); ok {
		if p, ok := r.info.Uses[x].(*types.PkgName); ok {
			name := p.Imported().Path() + "." + s.Sel.Name
			if in, ok := standIns[name]; ok {
				r.use(in[0])
				return in[1], true
			}
			if why, ok := lacking[name]; ok {
				r.refuse("%s", why)
			}
			r.imports[p.Imported().Path()] = p.Name()
			r.foreign(s.Sel)
			return r.text(s.Pos(), s.End()), true
		}
	}
	r.foreign(s.Sel)
	if recv := r.typeOf(s.X).String(); recv == "*testing.T" && !slices.Contains(caseMethods, s.Sel.Name) {
		r.refuse("testing.T.%s", s.Sel.Name)
	}
	return "", false
}

// foreign refuses what another package has with a channel in its type, but for what hchan stands in for.
func (r *rewriter) foreign(id *ast.Ident) {
	o := r.info.Uses[id]
	if o == nil || o.Pkg() == nil || o.Pkg() == r.pkg || o.Pkg().Path() == "time" {
		return
	}
	if strings.Contains(o.Type().String(), "chan ") {
		r.refuse("the channel of %s.%s", o.Pkg().Name(), o.Name())
	}
}

func (r *rewriter) ident(id *ast.Ident) {
	switch o := r.info.Uses[id].(type) {
	case nil:
	case *types.Func: // methods too, which are in no scope
		r.uses[o] = true
	default:
		if o.Parent() == r.pkg.Scope() {
			r.uses[o] = true
		}
	}
}

// selectStmt rewrites a select: with one case and a default it is an attempt, otherwise a switch over what Select
// chooses, in which break means the same. As in Go, channels and values are evaluated first, in the order of the cases.
func (r *rewriter) selectStmt(s *ast.SelectStmt) string {
	r.use("hchan")
	if comm, other := oneAttempt(s); comm != nil {
		head, first := r.attempt(comm.Comm)
		return fmt.Sprintf("if %s {\n%s%s } else {\n%s }", head, first, r.statements(comm.Body), r.statements(other.Body))
	}
	var before, cases, bodies strings.Builder
	for i, c := range s.Body.List {
		c := c.(*ast.CommClause)
		of, first := r.selectCase(i, c.Comm, &before)
		cases.WriteString(of + ", ")
		fmt.Fprintf(&bodies, "case %d:\n%s%s", i, first, r.statements(c.Body))
	}
	return fmt.Sprintf("{ %sswitch %s.Select(%s) {\n%s} }", before.String(), hchanName, strings.TrimSuffix(cases.String(), ", "), bodies.String())
}

// oneAttempt returns the two clauses of a select that has one case and a default, and no break, which would lead somewhere
// else in an if.
func oneAttempt(s *ast.SelectStmt) (comm, other *ast.CommClause) {
	for _, c := range s.Body.List {
		c := c.(*ast.CommClause)
		if c.Comm == nil {
			other = c
		} else {
			comm = c
		}
	}
	breaks := false
	ast.Inspect(s, func(n ast.Node) bool {
		b, ok := n.(*ast.BranchStmt)
		breaks = breaks || ok && b.Tok == token.BREAK && b.Label == nil
		return true
	})
	if len(s.Body.List) != 2 || comm == nil || other == nil || breaks {
		return nil, nil
	}
	return comm, other
}

// selectCase returns the Case for the i-th clause, and what comes first in its body; before gets its variables.
func (r *rewriter) selectCase(i int, s ast.Stmt, before *strings.Builder) (of, first string) {
	receive := func(names []ast.Expr, tok token.Token, u ast.Expr) (of, first string) {
		fmt.Fprintf(before, "uc%d := %s; ", i, r.code(ast.Unparen(u).(*ast.UnaryExpr).X))
		vars := []string{"nil", "nil"}
		var left, right []string
		for k, n := range names {
			vars[k] = fmt.Sprintf("&uv%d_%d", i, k)
			left, right = append(left, r.code(n)), append(right, vars[k][1:])
		}
		if len(names) > 0 {
			fmt.Fprintf(before, "uv%d_0 := element(uc%d); ", i, i)
			first = fmt.Sprintf("%s %s %s\n", strings.Join(left, ", "), tok, strings.Join(right, ", "))
		}
		if len(names) > 1 {
			fmt.Fprintf(before, "var uv%d_1 bool; ", i)
		}
		return fmt.Sprintf("%s.OnRecv(uc%d, %s)", hchanName, i, strings.Join(vars, ", ")), first
	}
	switch s := s.(type) {
	case nil:
		return hchanName + ".Default()", ""
	case *ast.SendStmt:
		return fmt.Sprintf("%s.OnSend(%s, %s)", hchanName, r.code(s.Chan), r.code(s.Value)), ""
	case *ast.ExprStmt:
		return receive(nil, 0, s.X)
	case *ast.AssignStmt:
		return receive(s.Lhs, s.Tok, s.Rhs[0])
	}
	r.refuse("select")
	return "", ""
}

func (r *rewriter) statements(list []ast.Stmt) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteString(r.code(s) + "\n")
	}
	return b.String()
}

// attempt returns the head of an if for a case of a select with a default, and what comes first in its body.
func (r *rewriter) attempt(s ast.Stmt) (head, first string) {
	const vars = "uv, uok"
	try := func(names string, u ast.Expr) string {
		return fmt.Sprintf("%s, ugot := %s.TryRecv(); ugot", names, r.operand(ast.Unparen(u).(*ast.UnaryExpr).X))
	}
	switch s := s.(type) {
	case *ast.SendStmt:
		return fmt.Sprintf("%s.TrySend(%s)", r.operand(s.Chan), r.code(s.Value)), ""
	case *ast.ExprStmt:
		return try("_, _", s.X), ""
	case *ast.AssignStmt:
		left := make([]string, 0, 2)
		for _, l := range s.Lhs {
			left = append(left, r.code(l))
		}
		names := strings.Join(strings.Split(vars, ", ")[:len(left)], ", ")
		all := names
		if len(left) == 1 {
			all += ", _"
		}
		return try(all, s.Rhs[0]), fmt.Sprintf("%s %s %s\n", strings.Join(left, ", "), s.Tok, names)
	}
	r.refuse("select")
	return "", ""
}
