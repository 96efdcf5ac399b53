// A chat server whose rooms are channels.
//
// You will see: three people talk in a room, one leaves. A room is a task and a channel: everything that happens in it, who comes,
// goes and says what, comes through that channel, so the list of members needs no lock. Each member has a task that
// reads from the connection and one that writes what its own channel brings. A member who does not read fast enough is
// shown the door: TrySend says that the channel is full, and the others need not wait. With -listen the server
// stays: go run ./examples/07-chat -listen localhost:7777, then nc localhost 7777 in two windows. The first line names
// the room, the second you.
//
// Concepts: sharing by communicating, ownership, a task per connection, back-pressure.
// Read next: docs/tour.md, "7"; hchan/send.go.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"net"
	"sync"

	"github.com/userrt/userrt/hchan"
	"github.com/userrt/userrt/netpoll"
	"github.com/userrt/userrt/sched"
)

// backlog is how many lines a member may be behind.
const backlog = 64

func main() {
	listen := flag.String("listen", "", "serve at this address until interrupted")
	flag.Parse()
	if *listen == "" {
		lines, err := conversation()
		if err != nil {
			log.Fatal(err)
		}
		for _, line := range lines {
			fmt.Println(line)
		}
		return
	}
	l, err := netpoll.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	if err := sched.Default().Run(func() { newChat().serve(l) }); err != nil {
		log.Fatal(err)
	}
}

// chat is the rooms by name.
type chat struct {
	mu    sync.Mutex
	rooms map[string]room
}

// room is the channel into a room's task.
type room = *hchan.Chan[event]

// event is something that happens in a room: who comes if joined, who goes if left, or else says text.
type event struct {
	who          *member
	joined, left bool
	text         string
}

// member is somebody in a room. Only the room sends to out, and closes it.
type member struct {
	name string
	out  *hchan.Chan[string]
}

func newChat() *chat { return &chat{rooms: map[string]room{}} }

func (c *chat) serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		sched.Go(func() {
			defer conn.Close()
			c.talk(conn)
		})
	}
}

// room returns the room of that name, which the first call opens.
func (c *chat) room(name string) room {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[name]
	if r == nil {
		r = hchan.Make[event](0)
		c.rooms[name] = r
		sched.Go(func() { keep(r) })
	}
	return r
}

// keep is a room's task: it alone knows who is in.
func keep(r room) {
	members := map[*member]bool{}
	for e := range r.All() {
		line := e.who.name + ": " + e.text
		switch {
		case e.joined:
			members[e.who] = true
			line = e.who.name + " comes"
		case !members[e.who]:
			continue // was shown the door
		case e.left:
			delete(members, e.who)
			e.who.out.Close()
			line = e.who.name + " goes"
		}
		for m := range members {
			if !m.out.TrySend(line) {
				delete(members, m)
				m.out.Close()
			}
		}
	}
}

// talk is one member's connection.
func (c *chat) talk(conn net.Conn) {
	in := bufio.NewScanner(conn)
	if !in.Scan() {
		return
	}
	r := c.room(in.Text())
	if !in.Scan() {
		return
	}
	me := &member{name: in.Text(), out: hchan.Make[string](backlog)}
	r.Send(event{who: me, joined: true})
	writer := sched.Spawn(func() (struct{}, error) {
		defer conn.Close() // ends the reading too
		for line := range me.out.All() {
			if _, err := fmt.Fprintln(conn, line); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	for in.Scan() {
		r.Send(event{who: me, text: in.Text()})
	}
	r.Send(event{who: me, left: true})
	_, _ = writer.Wait()
}
