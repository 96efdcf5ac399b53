package netpoll

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// names is one way to do what is done with names of unix sockets, and keeps what comes of it.
type names struct {
	party
	log []string
}

func (n *names) note(what string, addrs ...net.Addr) {
	for _, a := range addrs {
		what += fmt.Sprintf(" %#v", a)
	}
	n.log = append(n.log, what)
}

// failed notes err, if there is one.
func (n *names) failed(err error) bool {
	if err != nil {
		n.note(err.Error())
	}
	return err != nil
}

// stream listens at name and connects to it.
func (n *names) stream(t *testing.T, name string) {
	l, err := n.listen("unix", name)
	if n.failed(err) {
		return
	}
	n.note("listener", l.Addr())
	c, err := n.dial("unix", name)
	require.NoError(t, err)
	d, err := l.Accept()
	require.NoError(t, err)
	n.note("ends", c.LocalAddr(), c.RemoteAddr(), d.LocalAddr(), d.RemoteAddr())
	require.NoError(t, c.Close())
	require.NoError(t, d.Close())
	require.NoError(t, l.Close())
}

// datagrams sends in each way to one who is called name, and answers to what he sees as the sender's address.
func (n *names) datagrams(t *testing.T, name string) {
	server, err := n.listenPacket("unixgram", name)
	if n.failed(err) {
		return
	}
	n.note("server", server.LocalAddr())
	c, err := n.dial("unixgram", name)
	require.NoError(t, err)
	n.note("ends", c.LocalAddr(), c.RemoteAddr())
	require.NoError(t, c.Close())
	to, b := &net.UnixAddr{Name: name, Net: "unixgram"}, make([]byte, 1)
	for _, called := range []string{"\x00%d", "@%d-sender\x00inside"} {
		sender, err := n.listenPacket("unixgram", fmt.Sprintf(called, os.Getpid()))
		require.NoError(t, err)
		if _, err = sender.WriteTo(b, to); !n.failed(err) {
			_, from, err := server.ReadFrom(b)
			require.NoError(t, err)
			n.note("WriteTo from", from)
			if _, err = server.WriteTo(b, from); !n.failed(err) {
				_, from, err = sender.ReadFrom(b)
				require.NoError(t, err)
				n.note("answer from", from)
			}
		}
		if _, _, err = sender.(unixMsg).WriteMsgUnix(b, nil, to); !n.failed(err) {
			_, _, _, from, err := server.(unixMsg).ReadMsgUnix(b, nil)
			require.NoError(t, err)
			n.note("WriteMsgUnix from", from)
		}
		require.NoError(t, sender.Close())
	}
	require.NoError(t, server.Close())
}

// TestUnixNamesAreNets: what is a name, how long it may be, and how it is spelled in an address.
func TestUnixNamesAreNets(t *testing.T) {
	t.Chdir(t.TempDir())
	s := scheduler(t, 1)
	own := fmt.Sprint("userrt-", os.Getpid()) // one name space for all processes
	full := own + strings.Repeat("n", 107-len(own))
	for i, name := range []string{
		"@" + own, "\x00" + own, "@" + full, "\x00" + full, "@n" + full, "\x00n" + full, full, "n" + full,
		"@" + own + "\x00inside", own + "\x00inside", "@" + own + "-end\x00",
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			theirs, ours := &names{party: native}, &names{party: task}
			for _, n := range []*names{theirs, ours} {
				(&group{s: s}).run(task, func() {
					n.stream(t, name)
					n.datagrams(t, name)
				})
				left, err := filepath.Glob("*")
				require.NoError(t, err)
				for _, name := range left {
					require.NoError(t, os.Remove(name))
				}
			}
			require.NotEmpty(t, ours.log)
			require.Equal(t, theirs.log, ours.log)
		})
	}
}
