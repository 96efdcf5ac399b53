//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/netpoll"
)

func TestConversation(t *testing.T) {
	for range 20 {
		testsched.Within(t, func() {
			seen, err := conversation()
			require.NoError(t, err)
			require.Equal(t, []string{
				"Bob comes", "Bob: anybody here?", "Bob goes", "Cid comes", "Cid: I am", "Cid goes",
			}, seen)
		})
	}
}

// Who does not read is shown the door, and the others go on talking.
func TestSlowMemberGoes(t *testing.T) {
	s := testsched.New(t, 2)
	testsched.Within(t, func() {
		require.NoError(t, s.Run(func() {
			l, err := netpoll.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			c := newChat()
			s.Go(func() { c.serve(l) })
			slow, err := enter(l, "hall", "slow")
			require.NoError(t, err)
			a, err := enter(l, "hall", "a")
			require.NoError(t, err)
			const lines = 1000
			long := strings.Repeat("x", 60_000) // all together more than the kernel keeps for slow
			for range lines {
				_, err := fmt.Fprintln(a, long)
				require.NoError(t, err)
				require.Contains(t, a.next(), long)
			}
			n := 0
			for slow.in.Scan() {
				n++
			}
			require.Less(t, n, lines)
			require.NoError(t, slow.Close())
			require.NoError(t, a.Close())
			require.NoError(t, l.Close())
		}))
	})
	testsched.Close(t, s)
}
