// Where results go: standard output in one format, or any number of files at once, each in the format of its name.

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// formatOf maps what a file's name ends in to a format.
var formatOf = map[string]string{".txt": "text", ".json": "json", ".html": "html", ".md": "markdown"}

// formatOfFile returns "" for a name that says nothing.
func formatOfFile(path string) string {
	if filepath.Base(path) == readmeName {
		return "readme"
	}
	return formatOf[filepath.Ext(path)]
}

// target is one place for results. An empty path is standard output.
type target struct{ path, format string }

// parseTargets reads the values of -o and -format, of which either may be "". Several files each have the format of their name; one file
// has that of -format, if there is one, then that of its name, and is text otherwise.
func parseTargets(files, format string) ([]target, error) {
	if format != "" && outputs[format] == nil {
		return nil, fmt.Errorf("-format %q: want one of %s", format, formats())
	}
	paths := strings.Split(files, ",")
	if len(paths) == 1 {
		for _, f := range []string{format, formatOfFile(files), "text"} {
			if f != "" {
				return []target{{files, f}}, nil
			}
		}
	}
	if format != "" {
		return nil, errors.New("-format with several files: the format of each is that of its name")
	}
	var ts []target
	for _, path := range paths {
		f := formatOfFile(path)
		if f == "" {
			return nil, fmt.Errorf("-o %q: the name %q ends in none of .txt, .json, .md and .html", files, path)
		}
		ts = append(ts, target{path, f})
	}
	return ts, nil
}

// openTargets returns what writes to all targets, and what closes them.
func openTargets(ts []target, stdout io.Writer) (output, func() error, error) {
	var all fanOut
	var files []*resultFile
	closeAll := func() error {
		var errs []error
		for _, f := range files {
			errs = append(errs, f.close())
		}
		return errors.Join(errs...)
	}
	for _, t := range ts {
		w := stdout
		if t.path != "" {
			var err error
			if t.isReadme() {
				_, _, err = readReadme(t.path)
			}
			var f *resultFile
			if err == nil {
				f, err = openResultFile(t.path)
			}
			if err != nil {
				return nil, nil, errors.Join(err, closeAll())
			}
			files = append(files, f)
			w = f
			if t.isReadme() {
				w = around{f, t.path}
			}
		}
		all = append(all, outputs[t.format](w))
	}
	return all, closeAll, nil
}

// resultFile is a file that keeps what it holds until something is written, so that a run that fails early does not cost the page of the
// last one, and a name that can't be written to is refused before the run and not after it.
type resultFile struct {
	f       *os.File
	isNew   bool
	written bool
}

func openResultFile(path string) (*resultFile, error) {
	_, err := os.Stat(path)
	isNew := errors.Is(err, os.ErrNotExist)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	return &resultFile{f: f, isNew: isNew}, nil
}

// Write implements io.Writer. What the file held before goes with the first bytes, so that a run that fails leaves it as it was.
func (rf *resultFile) Write(b []byte) (int, error) {
	if !rf.written {
		if err := rf.empty(); err != nil {
			return 0, err
		}
		rf.written = true
	}
	return rf.f.Write(b)
}

// empty truncates the file, if it is one and no terminal or pipe.
func (rf *resultFile) empty() error {
	info, err := rf.f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	return rf.f.Truncate(0)
}

// close closes the file, and removes one that was made for nothing.
func (rf *resultFile) close() error {
	err := rf.f.Close()
	if rf.isNew && !rf.written {
		err = errors.Join(err, os.Remove(rf.f.Name()))
	}
	return err
}

// fanOut hands everything to each of several outputs.
type fanOut []output

func (all fanOut) begin(env Env, count int) error {
	return each(all, func(o output) error { return o.begin(env, count) })
}

func (all fanOut) result(res Result) error {
	return each(all, func(o output) error { return o.result(res) })
}

func (all fanOut) floor(f Floor) error {
	return each(all, func(o output) error { return o.floor(f) })
}

func (all fanOut) point(p Point) error {
	return each(all, func(o output) error { return o.point(p) })
}

func (all fanOut) profile(p Profile) error {
	return each(all, func(o output) error { return o.profile(p) })
}

func (all fanOut) ablation(a Ablation) error {
	return each(all, func(o output) error { return o.ablation(a) })
}

func (all fanOut) end() error { return each(all, output.end) }
