//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// What package net's types have and ours do not.

// absent are the methods of package net's types that ours lack, or have in another form, by why.
var absent = map[string]string{
	"they return a type of package net's": "TCPListener.AcceptTCP UnixListener.AcceptUnix",
	"no connection here is one":           "TCPConn.MultipathTCP",
	"io.Copy does as much without":        "TCPConn.WriteTo",
	"they are for datagrams": "UnixConn(unix).ReadFromUnix UnixConn(unix).WriteTo UnixConn(unix).WriteToUnix " +
		"UnixConn(unix).ReadFrom", // ours is io.ReaderFrom's
}

func TestMethodsAreNets(t *testing.T) {
	missing := map[string]bool{}
	for _, names := range absent {
		for _, name := range strings.Fields(names) {
			missing[name] = true
		}
	}
	for _, c := range []struct {
		name         string
		theirs, ours reflect.Type
	}{
		{"TCPConn", reflect.TypeFor[*net.TCPConn](), reflect.TypeFor[*tcpConn]()},
		{"UDPConn", reflect.TypeFor[*net.UDPConn](), reflect.TypeFor[*udpConn]()},
		{"UnixConn(unix)", reflect.TypeFor[*net.UnixConn](), reflect.TypeFor[*unixConn]()},
		{"UnixConn(unixgram)", reflect.TypeFor[*net.UnixConn](), reflect.TypeFor[*unixgramConn]()},
		{"TCPListener", reflect.TypeFor[*net.TCPListener](), reflect.TypeFor[*listener]()},
		{"UnixListener", reflect.TypeFor[*net.UnixListener](), reflect.TypeFor[*listener]()},
	} {
		for i := range c.theirs.NumMethod() {
			m := c.theirs.Method(i)
			name := c.name + "." + m.Name
			ours, ok := c.ours.MethodByName(m.Name)
			if ok && signature(ours) == signature(m) {
				require.False(t, missing[name], "%s is there", name)
				continue
			}
			require.True(t, missing[name], "%s is not there", name)
			delete(missing, name)
		}
	}
	require.Empty(t, missing, "methods that package net does not have")
}

// signature is m's type without its receiver.
func signature(m reflect.Method) string {
	_, rest, _ := strings.Cut(m.Type.String(), m.Type.In(0).String())
	return strings.TrimPrefix(rest, ", ")
}

// TestUnixgramHalfClose: who sends to a closed half, or by one, is told; what was there before is still read.
func TestUnixgramHalfClose(t *testing.T) {
	s := scheduler(t, 1)
	for _, listen := range []func(network, address string) (net.PacketConn, error){net.ListenPacket, ListenPacket} {
		(&group{s: s}).run(task, func() {
			dir := t.TempDir()
			a, err := listen("unixgram", filepath.Join(dir, "a"))
			require.NoError(t, err)
			b, err := listen("unixgram", filepath.Join(dir, "b"))
			require.NoError(t, err)
			type halves interface {
				CloseRead() error
				CloseWrite() error
			}
			_, err = a.WriteTo([]byte("x"), b.LocalAddr())
			require.NoError(t, err)
			require.NoError(t, b.(halves).CloseRead())
			_, err = a.WriteTo([]byte("y"), b.LocalAddr())
			require.ErrorIs(t, err, unix.EPIPE)
			buf := make([]byte, 2)
			n, _, err := b.ReadFrom(buf)
			require.NoError(t, err)
			require.Equal(t, "x", string(buf[:n]))
			require.NoError(t, b.(halves).CloseWrite())
			_, err = b.WriteTo([]byte("z"), a.LocalAddr())
			require.ErrorIs(t, err, unix.EPIPE)
			require.NoError(t, a.Close())
			require.NoError(t, b.Close())
			require.ErrorIs(t, b.(halves).CloseRead(), net.ErrClosed)
			require.ErrorIs(t, b.(halves).CloseWrite(), net.ErrClosed)
		})
	}
}

// TestUnlinkOnClose: a listener's socket file goes with it, unless told not to.
func TestUnlinkOnClose(t *testing.T) {
	s := scheduler(t, 1)
	for _, p := range []party{native, task} {
		(&group{s: s}).run(p, func() {
			path := filepath.Join(t.TempDir(), "s")
			for _, unlink := range []bool{true, false} {
				l, err := p.listen("unix", path)
				require.NoError(t, err)
				u := l.(interface{ SetUnlinkOnClose(unlink bool) })
				u.SetUnlinkOnClose(false)
				u.SetUnlinkOnClose(unlink)
				require.NoError(t, l.Close())
				_, err = os.Lstat(path)
				require.Equal(t, unlink, os.IsNotExist(err))
			}
		})
	}
}
