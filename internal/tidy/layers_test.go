// The layer rule: who may import whom. It reads the import lines of all files, whatever system they are
// for.

package tidy

import (
	"go/ast"
	"slices"
	"strings"
)

// A layer is a set of packages, named by the first folder, or by two below internal.
type layer int

const (
	unknown   layer = iota // a new folder: give it a layer here
	leaf                   // internal packages that know nothing of sched
	scheduler              // sched
	helper                 // internal packages over sched
	primitive              // one beside the other
	tool                   // what watches or drives programs made of those
	program                // imports what a user can import
)

var layers = map[string]layer{
	"sched": scheduler,

	"internal/racetest":  program,
	"internal/testsched": helper,
	"internal/scene":     helper,
	"internal/tidy":      program,

	"hchan":     primitive,
	"waitgroup": primitive,
	"locks":     primitive,
	"netpoll":   primitive,

	"explore": tool,
	"trace":   tool,

	"bench":    program,
	"examples": program,
}

// layerOf returns the layer of a package and the name that it goes by there.
func layerOf(pkg string) (layer, string) {
	parts := strings.Split(pkg, "/")
	name := parts[0]
	if name == "internal" && len(parts) > 1 {
		name += "/" + parts[1]
	}
	if l, ok := layers[name]; ok {
		return l, name
	}
	if strings.HasPrefix(name, "internal/") {
		return leaf, name
	}
	return unknown, name
}

// mayImport says whether package from may import package to, both of this module.
func mayImport(from, to string, test bool) bool {
	lf, nf := layerOf(from)
	lt, nt := layerOf(to)
	isInternal := strings.HasPrefix(nt, "internal/")
	switch {
	case nf == nt:
		return true
	case lf == unknown || lt == unknown || lt == program:
		return false
	case test: // a test may use its package's neighbours, to check how they work together
		return lt <= lf || lt == helper
	case nf == "bench" && nt == "internal/floor": // what is below the exported surface, to compare with
		return true
	case lf == program:
		return !isInternal
	case lf == leaf, lf == helper:
		return lt <= lf
	}
	return lt < lf
}

// mayDependOn says whether package from may import ext, a package of another module.
func mayDependOn(from, ext string, test bool) bool {
	l, _ := layerOf(from)
	return strings.HasPrefix(ext, "golang.org/x/sys/") ||
		l == program && (strings.HasPrefix(ext, "golang.org/x/exp/") || strings.HasPrefix(ext, "golang.org/x/sync/") || strings.HasPrefix(ext, "golang.org/x/perf/") || ext == "github.com/google/pprof/profile") ||
		test && (ext == "github.com/stretchr/testify/require" || ext == "go.uber.org/goleak" || ext == "github.com/anishathalye/porcupine" || ext == "golang.org/x/net/nettest" ||
			ext == "golang.org/x/net/html")
}

func badImports(t *tree) (found []string) {
	for _, f := range t.goFiles(true) {
		for imp, pos := range f.imports() {
			ok := true
			if to, ours := strings.CutPrefix(imp, module+"/"); ours {
				ok = mayImport(f.pkg(), to, f.isTest())
			} else if first, _, _ := strings.Cut(imp, "/"); strings.Contains(first, ".") {
				ok = mayDependOn(f.pkg(), imp, f.isTest())
			}
			if !ok {
				found = append(found, t.at(pos, "%s may not import %s", f.pkg(), imp))
			}
		}
	}
	slices.Sort(found)
	return found
}

// clockReaders may read the clock and the global random source: they are programs, or the one place for
// it.
func clockReaders(pkg string) bool {
	l, name := layerOf(pkg)
	return l == program || name == "internal/clock" || name == "internal/rng"
}

// badClock finds calls of time.Now and its like, and math/rand. A schedule can be replayed only when all
// choices and times come from the P's own source and the scheduler's own clock.
func badClock(t *tree) (found []string) {
	for _, f := range t.goFiles(false) {
		if clockReaders(f.pkg()) {
			continue
		}
		for imp, pos := range f.imports() {
			if imp == "math/rand" || imp == "math/rand/v2" {
				found = append(found, t.at(pos, "%s: take internal/rng", imp))
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until"}, s.Sel.Name) {
				found = append(found, t.at(s.Pos(), "time.%s: take internal/clock", s.Sel.Name))
			}
			return true
		})
	}
	slices.Sort(found)
	return found
}
