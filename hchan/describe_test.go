package hchan

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
)

// A dump says of a task that waits on a channel what the channel is like, of whatever type.
func TestDumpDescribesChannels(t *testing.T) {
	s := testsched.New(t, 2)
	var ints *Chan[int]
	full := Make[[40]string](2)
	empty := Make[struct{}](7)
	ints = Make[int](0)
	full.Send([40]string{})
	full.Send([40]string{})
	s.Go(func() { full.Send([40]string{}) })
	s.Go(func() { empty.Recv() })
	s.Go(func() { ints.Recv() })
	untilWaiting(t, full, 0, 1)
	untilWaiting(t, empty, 1, 0)
	untilWaiting(t, ints, 1, 0)
	var b strings.Builder
	require.NoError(t, s.Dump(&b))
	require.Regexp(t, `\ntask \d+ \[chan send\]:\n\twaits for chan 0x[0-9a-f]+ cap 2 len 2\n`, b.String())
	require.Regexp(t, `\ntask \d+ \[chan receive\]:\n\twaits for chan 0x[0-9a-f]+ cap 7 len 0\n`, b.String())
	require.Regexp(t, `\ntask \d+ \[chan receive\]:\n\twaits for chan 0x[0-9a-f]+ cap 0 len 0\n`, b.String())
	require.NoError(t, s.Close())
}
