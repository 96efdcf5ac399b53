//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package netpoll

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/sched"
)

// resolveBy makes dial the default resolver's way to its servers.
func resolveBy(t *testing.T, dial func(ctx context.Context) error) {
	old := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = old })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return nil, dial(ctx)
	}}
}

// The only P is free while a name is looked up: the resolver waits for another task to run.
func TestUnresolvableName(t *testing.T) {
	s := scheduler(t, 1)
	errNoServer := errors.New("no server")
	asked, other := make(chan struct{}, 100), make(chan struct{})
	resolveBy(t, func(context.Context) error {
		asked <- struct{}{}
		<-other
		return errNoServer
	})
	g := &group{s: s}
	for _, call := range []func() error{
		func() error { _, err := Dial("tcp", "no-such-host.invalid:80"); return err },
		func() error { _, err := Listen("tcp", "no-such-host.invalid:0"); return err },
	} {
		g.start(task, func() {
			err := call()
			var op *net.OpError
			require.ErrorAs(t, err, &op)
			require.Nil(t, op.Addr)
			require.IsType(t, new(net.DNSError), op.Err)
			require.Contains(t, op.Err.(*net.DNSError).Name, "no-such-host.invalid")
		})
	}
	<-asked
	g.start(task, func() { close(other) })
	g.wg.Wait()
}

func TestResolverErrorsAreNets(t *testing.T) {
	s := scheduler(t, 2)
	resolveBy(t, func(context.Context) error { return errors.New("no server") })
	for _, network := range []string{"tcp", "tcp4", "tcp6"} {
		_, wantDial := net.Dial(network, "no-such-host.invalid:80")
		_, wantListen := net.Listen(network, "no-such-host.invalid:80")
		(&group{s: s}).run(task, func() {
			_, err := Dial(network, "no-such-host.invalid:80")
			sameError(t, wantDial, err)
			_, err = Listen(network, "no-such-host.invalid:80")
			sameError(t, wantListen, err)
		})
	}
}

// A task that is unwound does not leave its look-up behind.
func TestUnwoundLookup(t *testing.T) {
	scheduler(t, 1)
	asked, cancelled := make(chan struct{}, 100), make(chan struct{}, 100)
	resolveBy(t, func(ctx context.Context) error {
		asked <- struct{}{}
		<-ctx.Done()
		cancelled <- struct{}{}
		return ctx.Err()
	})
	s, err := sched.New(sched.Config{Procs: 1})
	require.NoError(t, err)
	s.Go(func() {
		_, err := Dial("tcp", "no-such-host.invalid:80")
		require.Fail(t, "came back", "%v", err)
	})
	<-asked
	require.NoError(t, s.Close())
	<-cancelled
}

func TestLocalhostByName(t *testing.T) {
	s := scheduler(t, 1)
	g := &group{s: s}
	g.run(task, func() {
		l, err := Listen("tcp4", "localhost:0")
		require.NoError(t, err)
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		require.NoError(t, err)
		c, err := Dial("tcp", "localhost:"+port)
		require.NoError(t, err)
		defer c.Close()
		require.Equal(t, l.Addr().String(), c.RemoteAddr().String())
	})
}
