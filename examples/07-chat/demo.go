package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"

	"github.com/userrt/userrt/netpoll"
	"github.com/userrt/userrt/sched"
)

// What the program shows without -listen: three people, played by one task.

// conversation plays three people and returns what one of them sees.
func conversation() (seen []string, err error) {
	s, err := sched.New(sched.Config{Procs: 2})
	if err != nil {
		return nil, err
	}
	var failed error
	err = s.Run(func() { seen, failed = play() })
	return seen, errors.Join(err, failed, s.Close())
}

func play() (seen []string, err error) {
	l, err := netpoll.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	c := newChat()
	sched.Go(func() { c.serve(l) })
	ann, err := enter(l, "hall", "Ann")
	if err != nil {
		return nil, err
	}
	defer ann.Close()
	for _, say := range []struct{ who, room, text string }{
		{"Bob", "hall", "anybody here?"},
		{"Eve", "cellar", "only mice"}, // Ann does not hear that
		{"Cid", "hall", "I am"},
	} {
		conn, err := enter(l, say.room, say.who)
		if err != nil {
			return nil, err
		}
		if _, err = fmt.Fprintln(conn, say.text); err != nil {
			return nil, err
		}
		if say.room == "hall" {
			for range 2 { // that somebody comes, and what is said
				seen = append(seen, ann.next())
			}
		}
		if err = conn.Close(); err != nil {
			return nil, err
		}
		if say.room == "hall" {
			seen = append(seen, ann.next())
		}
	}
	return seen, nil
}

// guest is a client; it has read that it came in.
type guest struct {
	net.Conn
	in *bufio.Scanner
}

func enter(l net.Listener, room, name string) (*guest, error) {
	conn, err := netpoll.Dial("tcp", l.Addr().String())
	if err != nil {
		return nil, err
	}
	g := &guest{conn, bufio.NewScanner(conn)}
	if _, err = fmt.Fprintf(conn, "%s\n%s\n", room, name); err != nil {
		return nil, err
	}
	if line := g.next(); line != name+" comes" {
		return nil, fmt.Errorf("%s heard %q", name, line)
	}
	return g, nil
}

func (g *guest) next() string {
	if !g.in.Scan() {
		return "the end: " + fmt.Sprint(g.in.Err())
	}
	return g.in.Text()
}
