// -o and -format: which go together, and what becomes of the files when a run fails.

package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTargets(t *testing.T) {
	for _, c := range []struct {
		files, format string
		want          []target
		err           string
	}{
		{"", "", []target{{"", "text"}}, ""},
		{"", "html", []target{{"", "html"}}, ""},
		{"a", "", []target{{"a", "text"}}, ""},
		{"b/a.md", "", []target{{"b/a.md", "markdown"}}, ""},
		{"a.md", "json", []target{{"a.md", "json"}}, ""},
		{"a.json,b.md,c.html,d.txt", "", []target{{"a.json", "json"}, {"b.md", "markdown"}, {"c.html", "html"}, {"d.txt", "text"}}, ""},
		{"x/README.md", "", []target{{"x/README.md", "readme"}}, ""},
		{"a.md,README.md", "", []target{{"a.md", "markdown"}, {"README.md", "readme"}}, ""},
		{"README.md", "text", []target{{"README.md", "text"}}, ""},
		{"a.json,b", "", nil, `-o "a.json,b": the name "b" ends in none of .txt, .json, .md and .html`},
		{"a.json,", "", nil, `-o "a.json,": the name "" ends in none of .txt, .json, .md and .html`},
		{"a.json,b.md", "json", nil, "-format with several files: the format of each is that of its name"},
		{"a.json", "xml", nil, `-format "xml": want one of ` + formats()},
	} {
		got, err := parseTargets(c.files, c.format)
		require.Equal(t, c.want, got, c.files)
		if c.err == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, c.err)
		}
	}
	for _, f := range formatOf {
		require.NotNil(t, outputs[f], f)
	}
}

func TestSeveralFiles(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	files := in("r.json") + "," + in("r.md") + "," + in("r.html")
	status, stdout, stderr := command(fakePairs(), "-count", "1", "-procs", "1", "-o", files)
	require.Equal(t, 0, status, stderr)
	require.Empty(t, stdout)
	for name, want := range map[string]string{"r.json": `{"name":"a/win",`, "r.md": "| `a/win` | 300 ns |", "r.html": `<th scope="row">a/win</th>`} {
		b, err := os.ReadFile(in(name))
		require.NoError(t, err)
		require.Contains(t, string(b), want)
	}

	before, err := os.ReadFile(in("r.html"))
	require.NoError(t, err)
	failed := append(fakePairs(), failing("c/wrong", errors.New("wrong")))
	status, _, stderr = command(failed, "-count", "1", "-procs", "1", "-o", files+","+in("new.html"))
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "c/wrong at procs 1: userrt: wrong")
	after, err := os.ReadFile(in("r.html"))
	require.NoError(t, err)
	require.Equal(t, string(before), string(after), "what was there stays")
	require.NoFileExists(t, in("new.html"))

	status, _, stderr = command(fakePairs(), "-count", "1", "-procs", "1", "-run", "win", "-o", files)
	require.Equal(t, 0, status, stderr)
	after, err = os.ReadFile(in("r.html"))
	require.NoError(t, err)
	require.Less(t, len(after), len(before), "a shorter page leaves nothing of a longer one")
	require.Contains(t, string(after[len(after)-20:]), "</html>")

	status, _, stderr = command(fakePairs(), "-o", in("x.json")+","+in("none/x.md"))
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "x.md")
	require.NoFileExists(t, in("x.json"))
}
