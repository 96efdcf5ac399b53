// What the client does, kind by kind: plain goroutines and package net, for both sides of a pair. netserve.go has
// the server of each.

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// A driver is the client's end of a round: so many connections, or what makes them.
type driver struct {
	n int // how many
	// request makes requests one after the other on connection i, and checks the answers.
	request func(i, requests int) error
	close   func() // ends them all; may be called again, and while requests are under way
}

// drivers open connections to addr. A driver that comes with an error can be closed.
var drivers = map[string]func(addr string, conns, depth int) (driver, error){
	"echo":   openEcho,
	"blocks": openBlocks,
	"accept": openAccept,
	"http":   openHTTP,
}

// run makes requests on all connections at once. The first error closes them all, so that no other waits for ever.
func (d driver) run(requests int) error {
	ended := make(chan error, d.n)
	for i := range d.n {
		go func() { ended <- d.request(i, requests) }()
	}
	var first error
	for range d.n {
		if err := <-ended; err != nil && first == nil {
			first = err
			d.close()
		}
	}
	return first
}

// dialAll opens conns connections for a driver.
func dialAll(addr string, conns int) (open []net.Conn, d driver, err error) {
	d.n = conns
	d.close = func() {
		for _, c := range open {
			c.Close()
		}
	}
	for range conns {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return open, d, err
		}
		open = append(open, c)
	}
	return open, d, nil
}

func openEcho(addr string, conns, depth int) (driver, error) {
	open, d, err := dialAll(addr, conns)
	d.request = func(i, requests int) error { return exchange(open[i], i, requests, depth) }
	return d, err
}

// exchange sends messages, depth at a time, each time after the ones before have come back, and checks every byte. A
// message holds the connection's and its own number, so that no two of a run are equal.
func exchange(c net.Conn, conn, messages, depth int) error {
	sent, got := make([]byte, depth*messageSize), make([]byte, depth*messageSize)
	for i := range sent {
		sent[i] = byte(i)
	}
	r, err := newRequester(c, sent, got)
	if err != nil {
		return err
	}
	for i := 0; i < messages; i += depth {
		for j := range depth {
			binary.LittleEndian.PutUint64(sent[j*messageSize:], uint64(conn))
			binary.LittleEndian.PutUint64(sent[j*messageSize+8:], uint64(i+j))
		}
		if err := r.roundTrip(); err != nil {
			return fmt.Errorf("answer %d of connection %d: %w", i, conn, err)
		}
		if !bytes.Equal(got, sent) {
			return fmt.Errorf("answer %d of connection %d: got %x, sent %x", i, conn, got, sent)
		}
	}
	return nil
}

func openBlocks(addr string, conns, _ int) (driver, error) {
	open, d, err := dialAll(addr, conns)
	seen := make([]int64, conns)
	d.request = func(i, requests int) error { return readBlocks(open[i], &seen[i], requests) }
	return d, err
}

// readBlocks asks for blocks and checks the numbers of those that come: seen is the next one's.
func readBlocks(c net.Conn, seen *int64, blocks int) error {
	message := make([]byte, messageSize)
	binary.LittleEndian.PutUint64(message, uint64(blocks))
	if _, err := c.Write(message); err != nil {
		return err
	}
	got, want := make([]byte, blockSize), make([]byte, blockSize)
	for range blocks {
		if _, err := io.ReadFull(c, got); err != nil {
			return fmt.Errorf("block %d: %w", *seen, err)
		}
		stampBlock(want, *seen)
		if !bytes.Equal(got, want) {
			return fmt.Errorf("block %d: wrong bytes", *seen)
		}
		*seen++
	}
	return nil
}

// openAccept opens none: each request is a connection. One is reset at its end, so that its port is free at once.
func openAccept(addr string, conns, _ int) (driver, error) {
	request := func(i int) error {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.(*net.TCPConn).SetLinger(0); err != nil {
			return err
		}
		return exchange(c, i, 1, 1)
	}
	return driver{
		n: conns,
		request: func(i, requests int) error {
			for range requests {
				if err := request(i); err != nil {
					return err
				}
			}
			return nil
		},
		close: func() {}, // a request ends with the server, by whom it fails
	}, nil
}

// openHTTP gives each connection a transport, so that none has two and all are there from the first request on.
func openHTTP(addr string, conns, _ int) (driver, error) {
	transports := make([]*http.Transport, conns)
	for i := range transports {
		transports[i] = &http.Transport{MaxConnsPerHost: 1, DisableCompression: true}
	}
	var once sync.Once
	closed := make(chan struct{})
	d := driver{n: conns}
	d.request = func(i, requests int) error { return getAll(transports[i], addr, requests, closed) }
	d.close = func() {
		once.Do(func() { close(closed) })
		for _, t := range transports {
			t.CloseIdleConnections()
		}
	}
	return d, nil
}

// getAll makes requests until closed, and checks the answers.
func getAll(t *http.Transport, addr string, requests int, closed chan struct{}) error {
	req, err := http.NewRequest(http.MethodGet, "http://"+addr+"/", nil)
	if err != nil {
		return err
	}
	var got strings.Builder
	for range requests {
		select {
		case <-closed:
			return net.ErrClosed
		default:
		}
		resp, err := t.RoundTrip(req)
		if err != nil {
			return err
		}
		got.Reset()
		_, err = io.Copy(&got, resp.Body)
		resp.Body.Close()
		if err != nil {
			return err
		}
		if got.String() != httpBody || resp.StatusCode != http.StatusOK {
			return fmt.Errorf("answer %s, %q", resp.Status, got.String())
		}
	}
	return nil
}
