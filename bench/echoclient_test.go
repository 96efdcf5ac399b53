// The client against servers that misbehave: each round must end, with an error that says why.

package main

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnswerLine(t *testing.T) {
	require.Equal(t, "1500\n", formatAnswer(answer{took: 1500}))
	require.Equal(t, answer{took: 1500}, parseAnswer("1500\n"))
	line := formatAnswer(answer{err: errors.New("one\ntwo")})
	require.Equal(t, "error one; two\n", line)
	require.EqualError(t, parseAnswer(line).err, "one; two")
	require.Error(t, parseAnswer("").err)
	require.Error(t, parseAnswer("soon\n").err)
}

// TestClientMain speaks the protocol with the client's main function in this process.
func TestClientMain(t *testing.T) {
	l := listen(t)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				io.Copy(conn, conn)
				conn.Close()
			}()
		}
	}()
	var out strings.Builder
	in := l.Addr().String() + " 3 5\nnonsense\n" + l.Addr().String() + " 1 1\n"
	require.Equal(t, 0, clientMain(strings.NewReader(in), &out))
	lines := strings.SplitAfter(out.String(), "\n")
	require.Len(t, lines, 4)
	require.NoError(t, parseAnswer(lines[0]).err)
	require.Positive(t, parseAnswer(lines[0]).took)
	require.Error(t, parseAnswer(lines[1]).err)
	require.NoError(t, parseAnswer(lines[2]).err)
}

// TestClientFindsWrongEcho lets one byte be wrong on one connection, late.
func TestClientFindsWrongEcho(t *testing.T) {
	l := listen(t)
	go func() {
		for first := true; ; first = false {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serveWrongly(conn, first)
		}
	}()
	_, err := drive(l.Addr().String(), 4, 10)
	require.ErrorContains(t, err, "answer 2 of connection ")
	require.ErrorContains(t, err, "got ")
}

// serveWrongly echoes, but spoils the fourth message (the third after the warm-up) when told to.
func serveWrongly(conn net.Conn, spoil bool) {
	defer conn.Close()
	buf := make([]byte, messageSize)
	for i := 0; ; i++ {
		if _, err := io.ReadFull(conn, buf); err != nil {
			return
		}
		if spoil && i == warmUps+2 {
			buf[messageSize-1]++
		}
		if _, err := conn.Write(buf); err != nil {
			return
		}
	}
}

// TestEchoRoundEndsOnClientError gives the child an address that nobody listens on: the round
// must end with the client's error, not wait in Accept for ever.
func TestEchoRoundEndsOnClientError(t *testing.T) {
	c := new(client)
	require.NoError(t, c.start())
	l := listen(t)
	free := listen(t)
	addr := free.Addr()
	require.NoError(t, free.Close())
	require.NoError(t, c.ask(addr, echoConns, 1))
	answers := make(chan answer, 1)
	go func() { answers <- c.answer(l) }()
	_, err := l.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
	require.ErrorContains(t, (<-answers).err, "refused")
	require.NoError(t, c.stop())
}

// TestEchoRoundEndsWhenClientDies ends the child in a round that would last minutes, or just before.
func TestEchoRoundEndsWhenClientDies(t *testing.T) {
	c := new(client)
	require.NoError(t, c.start())
	child := c.cmd.Process
	ended := make(chan error, 1)
	go func() {
		_, err := runNative(func(r *Round) error { return echoNative(r, c) }, echoConns*1_000_000)
		ended <- err
	}()
	require.NoError(t, child.Kill())
	require.Regexp(t, "client: no answer|broken pipe", <-ended)
	require.Error(t, c.stop(), "killed")
}

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", echoAddress)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}
