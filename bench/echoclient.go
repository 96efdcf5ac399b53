// The client of the pairs for netpoll: a child process of the same binary, with plain net goroutines.
//
// Protocol of a round, a line each:
//
//	to the child's stdin     KIND ADDRESS CONNS REQUESTS DEPTH   so many connections, with so many requests each
//	from its stdout          ready                               each has had its first DEPTH requests, and is idle
//	to its stdin             go
//	from its stdout          NANOSECONDS                         the requests have been answered; now it hangs up
//
// "error TEXT" in place of a line of its own ends the round. The child ends when its stdin does, so none outlives
// this process.
//
// It is started once and serves both sides of all rounds, so neither gets a luckier client. Between
// rounds nobody here reads its stdout: a goroutine waiting there would make the native scheduler
// poll the network in every other pair too.

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	// clientEnv asks a new process of this binary to be the client.
	clientEnv = "USERRT_BENCH_ECHO_CLIENT"

	readyLine   = "ready"
	goLine      = "go"
	errorPrefix = "error "
)

// client is the child seen from the bench. Its methods are for one round at a time.
type client struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// start starts the child, unless it runs already.
func (c *client) start() error {
	if c.cmd != nil {
		return nil
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), clientEnv+"=1")
	cmd.Stderr = os.Stderr // a file: no goroutine is needed to copy it
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.cmd, c.in, c.out = cmd, in, bufio.NewReader(out)
	return nil
}

// stop ends the child, if it was started, and waits for it.
func (c *client) stop() error {
	if c.cmd == nil {
		return nil
	}
	err := errors.Join(c.in.Close(), c.cmd.Wait())
	c.cmd = nil
	return err
}

// pid returns the child's process id. It has been started.
func (c *client) pid() int { return c.cmd.Process.Pid }

// ask begins a round of n requests. A line fits the pipe, so this does not block.
func (c *client) ask(addr net.Addr, w load, n int) error {
	_, err := fmt.Fprintf(c.in, "%s %s %d %d %d\n", w.kind, addr, w.conns, n/w.conns, w.depth)
	return err
}

// answer is what the client says at the end of a round, and what processor time this process has taken meanwhile.
type answer struct {
	took, cpu time.Duration
	err       error
}

// answer waits for the end of the round, on a plain goroutine; ready, if not nil, is called when the connections are
// warm. If the answer is an error it closes the listener, since no more connections will come.
func (c *client) answer(l net.Listener, ready func()) (a answer) {
	defer func() {
		if a.err != nil {
			l.Close()
		}
	}()
	line, err := c.line()
	if err != nil {
		return answer{err: err}
	}
	if line != readyLine {
		return answer{err: fmt.Errorf("%q instead of %q", line, readyLine)}
	}
	if ready != nil {
		ready()
	}
	begin, cpuErr := cpuTime()
	if _, err := io.WriteString(c.in, goLine+"\n"); err != nil {
		return answer{err: err}
	}
	line, err = c.line()
	end, _ := cpuTime()
	if err != nil {
		return answer{err: err}
	}
	ns, err := strconv.ParseInt(line, 10, 64)
	return answer{took: time.Duration(ns), cpu: end - begin, err: errors.Join(err, cpuErr)}
}

// line reads a line of the child's; one that tells of an error is that error.
func (c *client) line() (string, error) {
	line, err := c.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("no answer: %w", err)
	}
	line = strings.TrimSuffix(line, "\n")
	if text, ok := strings.CutPrefix(line, errorPrefix); ok {
		return "", errors.New(text)
	}
	return line, nil
}

// askedToBeClient reports whether this process is the child.
func askedToBeClient() bool { return os.Getenv(clientEnv) != "" }

// clientMain is the child: it serves the rounds that in asks for, until in ends, and returns the exit status.
func clientMain(in io.Reader, out io.Writer) (status int) {
	lines := bufio.NewScanner(in)
	say := func(line string) error {
		_, err := io.WriteString(out, line+"\n")
		return err
	}
	for lines.Scan() {
		if err := clientRound(lines, say); err != nil {
			if err := say(errorPrefix + strings.ReplaceAll(err.Error(), "\n", "; ")); err != nil {
				return 1
			}
		}
	}
	return 0
}

// clientRound serves the round that the last line asks for. What goes wrong after its answer is the server's to notice.
func clientRound(lines *bufio.Scanner, say func(line string) error) error {
	var kind, addr string
	var conns, requests, depth int
	if _, err := fmt.Sscanf(lines.Text(), "%s %s %d %d %d", &kind, &addr, &conns, &requests, &depth); err != nil {
		return fmt.Errorf("%q: %w", lines.Text(), err)
	}
	open := drivers[kind]
	if open == nil {
		return fmt.Errorf("no kind %q", kind)
	}
	d, err := open(addr, conns, depth)
	defer d.close()
	if err != nil {
		return err
	}
	if err := d.run(depth); err != nil {
		return err
	}
	if err := say(readyLine); err != nil {
		return err
	}
	if !lines.Scan() || lines.Text() != goLine {
		return fmt.Errorf("%q instead of %q", lines.Text(), goLine)
	}
	start := time.Now()
	if err := d.run(requests); err != nil {
		return err
	}
	return say(strconv.FormatInt(time.Since(start).Nanoseconds(), 10))
}
