// Mentions of Go's source, "runtime/proc.go, runqput, runqget": file and names must exist in the Go that
// runs the tests. Paths into this repository are held to the same.

package tidy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var (
	mention = regexp.MustCompile("(?:^|[\\s(`\"\\[])([a-z0-9_]+(?:/[a-z0-9_]+)*/[A-Za-z0-9_]+\\.(?:go|s))\\b")
	// What may follow the file: a name, more names, or a comment found by its words.
	name    = regexp.MustCompile(`^, ([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)`)
	more    = regexp.MustCompile(`^(?:,|,? and) ([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)`)
	joining = []string{"and", "or", "where", "which"}
	heading = regexp.MustCompile(`^, (?:head )?comment\b(?: "([^"]*)")?`)
)

// badMentions finds places that do not exist, in comments and in documents.
func badMentions(src string) func(t *tree) []string {
	return func(t *tree) (found []string) {
		names := map[string]map[string]bool{}
		for _, f := range t.files {
			for _, text := range prose(f) {
				for _, m := range mention.FindAllStringSubmatchIndex(text, -1) {
					if msg := t.mentionFault(names, src, text[m[2]:m[3]], text[m[1]:]); msg != "" {
						found = append(found, f.path+": "+msg)
					}
				}
			}
		}
		slices.Sort(found)
		return slices.Compact(found)
	}
}

// prose returns the comments of a Go file, or the paragraphs of another, lines joined.
func prose(f *file) (out []string) {
	if f.ast == nil {
		for _, p := range strings.Split(f.text, "\n\n") {
			out = append(out, strings.ReplaceAll(p, "\n", " "))
		}
		return out
	}
	for _, c := range f.ast.Comments {
		out = append(out, strings.Join(strings.Fields(c.Text()), " "))
	}
	return out
}

// mentionFault returns what is wrong with a file and the phrase behind it, or "".
func (t *tree) mentionFault(cache map[string]map[string]bool, src, p, phrase string) string {
	full := filepath.Join(src, filepath.FromSlash(p))
	var ours *file
	for _, f := range t.files {
		if f.path == p {
			ours = f
		}
	}
	if ours == nil {
		first, _, _ := strings.Cut(p, "/")
		if _, err := os.Stat(filepath.Join(src, first)); err != nil && !t.known[first] {
			return "" // a path of some other project
		}
		if _, err := os.Stat(full); err != nil {
			return p + " does not exist"
		}
	}
	if cache[p] == nil {
		cache[p] = identifiers(ours, full)
	}
	if m := heading.FindStringSubmatch(phrase); m != nil {
		if text, _ := os.ReadFile(full); m[1] != "" && !strings.Contains(string(text), m[1]) {
			return fmt.Sprintf("%s has no %q", p, m[1])
		}
		return ""
	}
	for _, n := range phraseNames(phrase) {
		for part := range strings.SplitSeq(n, ".") {
			if !cache[p][part] {
				return fmt.Sprintf("%s has no %s", p, n)
			}
		}
	}
	return ""
}

// phraseNames returns the names listed in ", runqput, runqget. And so on". The first word is one, but
// for a few that join clauses; a further word is one when the list goes on or ends behind it, and else belongs to the sentence.
func phraseNames(phrase string) (names []string) {
	m := name.FindStringSubmatch(phrase)
	if m != nil && (slices.Contains(joining, m[1]) || strings.HasPrefix(phrase[len(m[0]):], "/")) {
		return nil // the sentence goes on, or another path follows
	}
	for m != nil {
		names = append(names, m[1])
		phrase = phrase[len(m[0]):]
		if m = more.FindStringSubmatch(phrase); m != nil && strings.HasPrefix(phrase[len(m[0]):], " ") &&
			more.FindStringSubmatch(phrase[len(m[0]):]) == nil {
			break
		}
	}
	return names
}

// identifiers returns the names declared in a file: at top level, methods, fields; of an assembly file,
// its TEXT symbols.
func identifiers(ours *file, full string) map[string]bool {
	names := map[string]bool{}
	if strings.HasSuffix(full, ".s") {
		text, _ := os.ReadFile(full)
		if ours != nil {
			text = []byte(ours.text)
		}
		for _, m := range regexp.MustCompile(`TEXT\s+\S*·(\w+)`).FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
		return names
	}
	var parsed *ast.File
	if ours != nil {
		parsed = ours.ast
	} else {
		parsed, _ = parser.ParseFile(token.NewFileSet(), full, nil, parser.SkipObjectResolution)
	}
	if parsed == nil {
		return names
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			names[n.Name.Name] = true
		case *ast.TypeSpec:
			names[n.Name.Name] = true
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		}
		return true
	})
	return names
}
