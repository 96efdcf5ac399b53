package waitgroup

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

func TestDumpDescribesWaitGroups(t *testing.T) {
	s, err := sched.New(sched.Config{Procs: 2})
	require.NoError(t, err)
	var wg WaitGroup
	wg.Add(3)
	s.Go(wg.Wait)
	var b strings.Builder
	testsched.Until(t, func() bool {
		b.Reset()
		require.NoError(t, s.Dump(&b))
		return strings.Contains(b.String(), "[sync.WaitGroup.Wait]")
	}, "a waiting task")
	require.Regexp(t, `\ntask \d+ \[sync\.WaitGroup\.Wait\]:\n\twaits for WaitGroup 0x[0-9a-f]+ counter 3 waiters 1\n`, b.String())
	wg.Add(-3)
	require.NoError(t, s.Close())
}
