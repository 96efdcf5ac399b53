// The client of netpoll/echo: a child process of the same binary, with plain net goroutines.
//
// Protocol, one line each way and round: "ADDRESS CONNS MESSAGES" on the child's stdin asks for so
// many connections with so many messages each; "NANOSECONDS" or "error TEXT" on its stdout
// answers. The child ends when its stdin does, so none outlives this process.
//
// It is started once and serves both sides of all rounds, so neither gets a luckier client. Between
// rounds nobody here reads its stdout: a goroutine waiting there would make the native scheduler
// poll the network in every other pair too.

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
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
	// warmUps is how many messages each connection exchanges before the clock starts: after one,
	// the server has accepted it and its task runs.
	warmUps = 1
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

// ask begins a round. A line fits the pipe, so this does not block.
func (c *client) ask(addr net.Addr, conns, messages int) error {
	_, err := fmt.Fprintf(c.in, "%s %d %d\n", addr, conns, messages)
	return err
}

// answer waits for the end of the round, on a plain goroutine. If that is an error it closes the
// listener, since no more connections will come.
func (c *client) answer(l net.Listener) answer {
	line, err := c.out.ReadString('\n')
	a := parseAnswer(line)
	if err != nil {
		a = answer{err: fmt.Errorf("no answer: %w", err)}
	}
	if a.err != nil {
		l.Close()
	}
	return a
}

// parseAnswer reads what formatAnswer wrote.
func parseAnswer(line string) answer {
	line = strings.TrimSuffix(line, "\n")
	if text, ok := strings.CutPrefix(line, "error "); ok {
		return answer{err: errors.New(text)}
	}
	ns, err := strconv.ParseInt(line, 10, 64)
	return answer{took: time.Duration(ns), err: err}
}

// formatAnswer makes one line of an answer.
func formatAnswer(a answer) string {
	if a.err != nil {
		return "error " + strings.ReplaceAll(a.err.Error(), "\n", "; ") + "\n"
	}
	return strconv.FormatInt(a.took.Nanoseconds(), 10) + "\n"
}

// askedToBeClient reports whether this process is the child.
func askedToBeClient() bool { return os.Getenv(clientEnv) != "" }

// clientMain is the child: it answers each line of in on out, until in ends, and returns the exit
// status.
func clientMain(in io.Reader, out io.Writer) (status int) {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var addr string
		var conns, messages int
		_, err := fmt.Sscanf(lines.Text(), "%s %d %d", &addr, &conns, &messages)
		var took time.Duration
		if err == nil {
			took, err = drive(addr, conns, messages)
		}
		if _, err := io.WriteString(out, formatAnswer(answer{took, err})); err != nil {
			return 1
		}
	}
	return 0
}

// drive opens the connections, warms them up, and returns how long it took until each had
// exchanged its messages, all at the same time.
func drive(addr string, conns, messages int) (time.Duration, error) {
	open := make([]net.Conn, 0, conns)
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	for range conns {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return 0, err
		}
		open = append(open, c)
	}
	if _, err := exchangeAll(open, warmUps); err != nil {
		return 0, err
	}
	return exchangeAll(open, messages)
}

// exchangeAll runs exchange on all connections at once. The first error closes them all, so that
// no other exchange waits for ever.
func exchangeAll(conns []net.Conn, messages int) (time.Duration, error) {
	ended := make(chan error, len(conns))
	start := time.Now()
	for i, c := range conns {
		go func() { ended <- exchange(c, i, messages) }()
	}
	var first error
	for range conns {
		if err := <-ended; err != nil && first == nil {
			first = err
			for _, c := range conns {
				c.Close()
			}
		}
	}
	return time.Since(start), first
}

// exchange sends messages, each when the one before has come back, and checks every byte. A
// message holds the connection's and its own number, so that no two of a round are equal.
func exchange(c net.Conn, conn, messages int) error {
	sent, got := make([]byte, messageSize), make([]byte, messageSize)
	for i := 16; i < messageSize; i++ {
		sent[i] = byte(i)
	}
	binary.LittleEndian.PutUint64(sent, uint64(conn))
	for i := range messages {
		binary.LittleEndian.PutUint64(sent[8:], uint64(i))
		if _, err := c.Write(sent); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, got); err != nil {
			return fmt.Errorf("answer %d of connection %d: %w", i, conn, err)
		}
		if !bytes.Equal(got, sent) {
			return fmt.Errorf("answer %d of connection %d: got %x, sent %x", i, conn, got, sent)
		}
	}
	return nil
}
