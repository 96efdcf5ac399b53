// Each point is measured by a child process of this binary. A process that has had a million goroutines is another one: the runtime
// forgets none of them, and its collector looks at each; what came after would be measured with that weight, on both sides.

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"time"
)

// pointEnv asks a new process of this binary to measure a point: its value is the name, and the values of -procs, -count and -time.
const pointEnv = "USERRT_BENCH_POINT"

// pointAnswer is what the child prints: a Result, or what was wrong.
type pointAnswer struct {
	Result      Result
	Err         string
	Unsupported bool // Err is an errors.ErrUnsupported
}

// measure has a child measure p.
func (p point) measure(procs, count int, target time.Duration) (Point, error) {
	exe, err := os.Executable()
	if err != nil {
		return Point{}, err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d %d", pointEnv, p.pair.Name, procs, count, target))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	var a pointAnswer
	if err == nil {
		err = json.Unmarshal(out, &a)
	}
	switch {
	case err != nil:
		err = fmt.Errorf("measuring %s in a child process: %w", p.pair.Name, err)
	case a.Unsupported:
		err = fmt.Errorf("%s: %w", a.Err, errors.ErrUnsupported)
	case a.Err != "":
		err = errors.New(a.Err)
	}
	return Point{Series: p.series.name, Of: p.series.of, Size: p.size, Result: a.Result}, err
}

func askedToMeasurePoint() bool { return os.Getenv(pointEnv) != "" }

// pointMain is main of the child.
func pointMain(stdout, stderr io.Writer) (status int) {
	var name string
	var procs, count int
	var target time.Duration
	_, err := fmt.Sscan(os.Getenv(pointEnv), &name, &procs, &count, &target)
	chosen := points(allSeries(), regexp.MustCompile("^"+regexp.QuoteMeta(name)+"$"))
	os.Unsetenv(pointEnv) // this process has children too
	if err != nil || procs < 1 || count < 1 || len(chosen) != 1 {
		fmt.Fprintf(stderr, "bench: %s=%q\n", pointEnv, name)
		return 2
	}
	p := chosen[0].pair.asked(count, target)
	var a pointAnswer
	a.Result, err = measure(p, procs, count, func(int) {})
	if p.Close != nil {
		err = errors.Join(err, p.Close())
	}
	if err != nil {
		a = pointAnswer{Err: err.Error(), Unsupported: errors.Is(err, errors.ErrUnsupported)}
	}
	if err := json.NewEncoder(stdout).Encode(a); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}
