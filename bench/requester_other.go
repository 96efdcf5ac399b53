//go:build !linux

// A request and its answer by Conn.Write and Conn.Read; requester_linux.go makes one system call fewer.

package main

import (
	"io"
	"net"
)

// A requester writes a request to a connection and reads the answer.
type requester struct {
	conn      net.Conn
	sent, got []byte
}

// newRequester returns a requester that sends what is in sent and puts answers into got.
func newRequester(c net.Conn, sent, got []byte) (*requester, error) {
	return &requester{c, sent, got}, nil
}

// roundTrip writes all of r.sent and fills r.got.
func (r *requester) roundTrip() error {
	if _, err := r.conn.Write(r.sent); err != nil {
		return err
	}
	_, err := io.ReadFull(r.conn, r.got)
	return err
}
