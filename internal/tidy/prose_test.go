// Documents: links lead to files, the code in them compiles, and certain words stay out.

package tidy

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

var (
	link   = regexp.MustCompile(`\]\(([^)\s]+)(?:\s+"[^"]*")?\)|^\[[^\]]+\]:\s*(\S+)`)
	scheme = regexp.MustCompile(`^[a-z]+:`)
)

// badLinks finds relative links in documents that lead to no file or folder.
func badLinks(t *tree) (found []string) {
	for _, f := range t.markdown() {
		fenced := false
		for i, line := range strings.Split(f.text, "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				fenced = !fenced
			}
			if fenced {
				continue
			}
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				target, _, _ := strings.Cut(m[1]+m[2], "#")
				if target == "" || scheme.MatchString(target) {
					continue
				}
				if to := path.Join(f.pkg(), target); !t.known[to] && to != "." {
					found = append(found, fmt.Sprintf("%s:%d: no %s", f.path, i+1, target))
				}
			}
		}
	}
	return found
}

// unwanted are words that say how the project is made rather than what it is. They are put together here
// so that this file does not hold them.
var unwanted = regexp.MustCompile(`(?i)\b(` + strings.Join([]string{
	"sess" + "ions?", "iss" + "ue #?[0-9]+", "helper " + "agents?", "sub" + "agents?",
}, "|") + `)\b|/wo` + `rk/|proxy\.go` + `lang\.org`)

func badWords(t *tree) (found []string) {
	for _, f := range t.files {
		for _, m := range unwanted.FindAllStringIndex(f.text, -1) {
			found = append(found, fmt.Sprintf("%s:%d: %q", f.path, f.line(m[0]), f.text[m[0]:m[1]]))
		}
	}
	return found
}
