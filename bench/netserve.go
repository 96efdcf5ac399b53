// What the servers of the pairs for netpoll do with a connection. It is the same code on both sides: a net.Conn is
// all that it knows.

package main

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"syscall"
)

// A handler serves a connection until the client ends it, and returns how many requests there were.
type handler func(conn net.Conn) (requests int64, err error)

// handlers are the kinds of server; netdrive.go has the client of each.
var handlers = map[string]handler{
	"echo":   echo,
	"accept": echoUntilReset,
	"blocks": sendBlocks,
}

// echo sends back what comes, message by message.
func echo(conn net.Conn) (n int64, err error) {
	buf := make([]byte, messageSize)
	for {
		if _, err := io.ReadFull(conn, buf); err != nil {
			if errors.Is(err, io.EOF) { // between two messages
				return n, nil
			}
			return n, err
		}
		if _, err := conn.Write(buf); err != nil {
			return n, err
		}
		n++
	}
}

// echoUntilReset is echo for a client that resets the connection, so that its port is free at once.
func echoUntilReset(conn net.Conn) (n int64, err error) {
	n, err = echo(conn)
	if errors.Is(err, syscall.ECONNRESET) {
		err = nil
	}
	return n, err
}

// sendBlocks reads messages that ask for a number of blocks, and writes so many. The blocks of a connection are
// numbered.
func sendBlocks(conn net.Conn) (n int64, err error) {
	message, block := make([]byte, messageSize), make([]byte, blockSize)
	for {
		if _, err := io.ReadFull(conn, message); err != nil {
			if errors.Is(err, io.EOF) {
				return n, nil
			}
			return n, err
		}
		for range binary.LittleEndian.Uint64(message) {
			stampBlock(block, n)
			if _, err := conn.Write(block); err != nil {
				return n, err
			}
			n++
		}
	}
}

// stampBlock writes a block's number to its beginning and end.
func stampBlock(block []byte, number int64) {
	binary.LittleEndian.PutUint64(block, uint64(number))
	binary.LittleEndian.PutUint64(block[len(block)-8:], uint64(number))
}
