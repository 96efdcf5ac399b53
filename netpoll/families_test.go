//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/clock"
)

// A name with an address of each family, from the resolver's answer to the connection.

// bothFamilies is a name that twoFamilies makes known: it is 127.0.0.1 and ::1.
const bothFamilies = "both-families.test."

// twoFamilies makes the resolver ask a server that knows every name, by the addresses of this machine.
func twoFamilies(t *testing.T) {
	old := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = old })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			for answerQuestion(theirs) == nil {
			}
		}()
		return ours, nil
	}}
}

// answerQuestion answers one question (RFC 1035, 4.1); messages have their lengths before them.
func answerQuestion(c net.Conn) error {
	var size [2]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return err
	}
	asked := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(c, asked); err != nil {
		return err
	}
	const header, typeAAAA = 12, 28
	end := header + bytes.IndexByte(asked[header:], 0) + 1 // of the name; type and class follow
	question := asked[header : end+4]
	address := net.IPv4(127, 0, 0, 1).To4()
	if binary.BigEndian.Uint16(asked[end:]) == typeAAAA {
		address = net.IPv6loopback
	}
	reply := append([]byte{}, asked[:2]...)
	reply = append(reply, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0) // an answer, to one question
	reply = append(reply, question...)
	reply = append(reply, 0xc0, header) // the name that stands there
	reply = append(reply, question[len(question)-4:]...)
	reply = append(reply, 0, 0, 0, 60, 0, byte(len(address))) // for a minute
	reply = append(reply, address...)
	_, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
	return err
}

// familyPort is what there is at one port of ::1 and of 127.0.0.1: whatever opens a port by an address, 0 meaning any, and says which.
type familyPort func(t *testing.T, ip string, port string) (address string)

func listening(t *testing.T, ip, port string) string {
	return natively("tcp", net.JoinHostPort(ip, port))(t)
}

// TestNameOfBothFamilies: the resolver puts ::1 first; 127.0.0.1 comes to help at once when that refuses, after a delay when it is silent, and
// of two that refuse the first is told of. All is as with package net.
func TestNameOfBothFamilies(t *testing.T) {
	if !haveIPv6() {
		t.Skip("no ::1 here")
	}
	twoFamilies(t)
	for name, c := range map[string]struct {
		v6, v4  familyPort
		network string
		won     string // who answers; of two who do the first, before the delay is over
		waits   bool
	}{
		"both answer":          {v6: listening, v4: listening, network: "tcp", won: "::1"},
		"the first refuses":    {v6: closedPort, v4: listening, network: "tcp", won: "127.0.0.1"},
		"the first is silent":  {v6: silentPort, v4: listening, network: "tcp", won: "127.0.0.1", waits: true},
		"the second is silent": {v6: listening, v4: silentPort, network: "tcp", won: "::1"},
		"both refuse":          {v6: closedPort, v4: closedPort, network: "tcp"},
		"tcp4":                 {v6: listening, v4: listening, network: "tcp4", won: "127.0.0.1"},
		"tcp6":                 {v6: listening, v4: listening, network: "tcp6", won: "::1"},
	} {
		for _, p := range []party{task, goroutine} {
			if c.waits && p.name != "task" {
				continue // one delay is enough
			}
			t.Run(name+"/"+p.name, func(t *testing.T) {
				s := scheduler(t, 2)
				_, port, err := net.SplitHostPort(c.v4(t, "127.0.0.1", "0"))
				require.NoError(t, err)
				c.v6(t, "::1", port)
				address := net.JoinHostPort(bothFamilies, port)
				theirs := make(chan error, 1)
				go func() {
					conn, err := net.Dial(c.network, address)
					if err == nil {
						err = conn.Close()
					}
					theirs <- err
				}()
				(&group{s: s}).run(p, func() {
					start := clock.Nanotime()
					conn, err := p.dial(c.network, address)
					took := time.Duration(clock.Nanotime() - start)
					if c.won == "" {
						sameError(t, <-theirs, err)
						return
					}
					require.NoError(t, err)
					require.NoError(t, <-theirs)
					if name != "both answer" || took < fallbackDelay {
						require.Equal(t, net.JoinHostPort(c.won, port), conn.RemoteAddr().String())
					}
					if c.waits {
						require.GreaterOrEqual(t, took, fallbackDelay)
					}
					require.NoError(t, conn.Close())
				})
			})
		}
	}
}

// TestListenByNameOfBothFamilies: one who needs one address takes IPv4's, as package net does.
func TestListenByNameOfBothFamilies(t *testing.T) {
	if !haveIPv6() {
		t.Skip("no ::1 here")
	}
	twoFamilies(t)
	s := scheduler(t, 1)
	for _, p := range []party{native, task} {
		(&group{s: s}).run(p, func() {
			for network, want := range map[string]string{"tcp": "127.0.0.1", "tcp6": "::1"} {
				l, err := p.listen(network, bothFamilies+":0")
				require.NoError(t, err)
				require.Equal(t, want, l.Addr().(*net.TCPAddr).IP.String())
				require.NoError(t, l.Close())
			}
			for network, want := range map[string]string{"udp": "127.0.0.1", "udp6": "::1"} {
				c, err := p.listenPacket(network, bothFamilies+":0")
				require.NoError(t, err)
				require.Equal(t, want, c.LocalAddr().(*net.UDPAddr).IP.String())
				require.NoError(t, c.Close())
			}
			c, err := p.dial("udp", bothFamilies+":9") // not side by side
			require.NoError(t, err)
			require.Equal(t, "[::1]:9", c.RemoteAddr().String())
			require.NoError(t, c.Close())
		})
	}
}
