// The client against servers that misbehave: each round must end, with an error that says why.

package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAnswer gives the bench's side all kinds of client.
func TestAnswer(t *testing.T) {
	for _, c := range []struct{ lines, want string }{
		{"ready\n1500\n", ""},
		{"error one; two\n", "one; two"},
		{"ready\nerror late\n", "late"},
		{"1500\n", "\"1500\" instead of \"ready\""},
		{"ready\nsoon\n", "invalid syntax"},
		{"ready\n", "no answer: EOF"},
		{"", "no answer: EOF"},
	} {
		var said bytes.Buffer
		ready := 0
		l := listen(t)
		a := (&client{in: writeOnly{&said}, out: bufio.NewReader(strings.NewReader(c.lines))}).answer(l, func() { ready++ })
		if strings.HasPrefix(c.lines, "ready\n") {
			require.Equal(t, "go\n", said.String())
			require.Equal(t, 1, ready)
		}
		if c.want == "" {
			require.NoError(t, a.err)
			require.Equal(t, 1500*time.Nanosecond, a.took)
			require.GreaterOrEqual(t, a.cpu, time.Duration(0))
			continue
		}
		require.ErrorContains(t, a.err, c.want)
		_, err := l.Accept()
		require.ErrorIs(t, err, net.ErrClosed)
	}
}

// writeOnly is a pipe's end.
type writeOnly struct{ io.Writer }

func (writeOnly) Close() error { return nil }

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
	in := "echo " + l.Addr().String() + " 3 5 1\ngo\nnonsense\nnone " + l.Addr().String() + " 1 1 1\n" +
		"echo " + l.Addr().String() + " 2 8 4\ngo\necho " + l.Addr().String() + " 1 1 1\nstop\n"
	require.Equal(t, 0, clientMain(strings.NewReader(in), &out))
	require.Regexp(t, `^ready\n[1-9]\d*\nerror "nonsense": .*\nerror no kind "none"\nready\n[1-9]\d*\nready\nerror "stop" instead of "go"\n$`, out.String())
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
	var out strings.Builder
	clientMain(strings.NewReader("echo "+l.Addr().String()+" 4 10 1\ngo\n"), &out)
	err := errors.New(out.String())
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
		if spoil && i == 1+2 {
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
	require.NoError(t, c.ask(addr, echo64, 64))
	answers := make(chan answer, 1)
	go func() { answers <- c.answer(l, nil) }()
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
		_, err := runNative(func(r *Round) error { return serveNative(r, c, echo64) }, echo64.conns*1_000_000)
		ended <- err
	}()
	require.NoError(t, child.Kill())
	require.Regexp(t, "client: no answer|broken pipe", <-ended)
	require.Error(t, c.stop(), "killed")
}

// TestClientFindsWrongBlocksAndPages has servers that give the right number of bytes.
func TestClientFindsWrongBlocksAndPages(t *testing.T) {
	for kind, serve := range map[string]func(l net.Listener){
		"blocks": func(l net.Listener) {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			_, _ = io.ReadFull(c, make([]byte, messageSize))
			block := make([]byte, blockSize)
			stampBlock(block, 0)
			block[blockSize/2]++
			_, _ = c.Write(block)
			_, _ = io.Copy(io.Discard, c)
		},
		"http": func(l net.Listener) {
			_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, httpBody[:len(httpBody)-1]+"!")
			}))
		},
	} {
		l := listen(t)
		go serve(l)
		var out strings.Builder
		clientMain(strings.NewReader(kind+" "+l.Addr().String()+" 1 1 1\n"), &out)
		require.Regexp(t, `^error (block 0: wrong bytes|answer 200 OK, ".*!")\n$`, out.String(), kind)
	}
}

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", echoAddress)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}
