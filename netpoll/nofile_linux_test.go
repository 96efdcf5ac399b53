package netpoll

import (
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/testsched"
	"github.com/userrt/userrt/sched"
)

// No descriptor left, at each moment at which one is asked for: every call is made with none, then with one, then with
// two, until it succeeds. Before that each says what happened, leaves nothing open and takes nothing away.

// withFree calls fn while the process can open n more descriptors.
func withFree(t *testing.T, n int, fn func()) {
	t.Helper()
	limit := 3 // unix.Poll refuses more descriptors than the limit, and asks for one
	for free := 0; free < n; limit++ {
		if _, err := unix.FcntlInt(uintptr(limit), unix.F_GETFD, 0); err == unix.EBADF {
			free++
		}
	}
	var old unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &old))
	low := old
	low.Cur = uint64(limit)
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &low))
	defer func() { require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &old)) }()
	fn()
}

// scarce is a call that needs descriptors.
type scarce struct {
	op   string // in its *net.OpError; "": it returns a *fs.PathError
	asks int    // for how many descriptors it asks, apart from the poller's
	// prepare returns the call, which is made once for each number of descriptors, and what checks that nothing was lost
	// in those that failed.
	prepare func(t *testing.T, g *group, p party) (call func() (io.Closer, error), good func(c io.Closer))
}

func fine(io.Closer) {}

// monitored returns when s has the descriptor that its monitor sleeps with: the monitor, which starts with the first task, asks for it in its own time.
func monitored(t *testing.T, s *sched.Scheduler) {
	t.Helper()
	before := len(openKinds(t, "anon_inode:[timerfd]"))
	(&group{s: s}).run(task, func() {})
	testsched.Until(t, func() bool { return len(openKinds(t, "anon_inode:[timerfd]")) > before }, "a descriptor to sleep with")
}

// dialling returns the calls of Dial to address.
func dialling(network string, address func(t *testing.T) string) scarce {
	return scarce{"dial", 1, func(t *testing.T, _ *group, p party) (func() (io.Closer, error), func(io.Closer)) {
		to := address(t)
		return func() (io.Closer, error) { return p.dial(network, to) }, fine
	}}
}

var scarcities = map[string]scarce{
	"listen": {"listen", 1, func(_ *testing.T, _ *group, p party) (func() (io.Closer, error), func(io.Closer)) {
		return func() (io.Closer, error) { return p.listen("tcp", "127.0.0.1:0") }, fine
	}},
	"listen everywhere": {"listen", 1, func(t *testing.T, _ *group, p party) (func() (io.Closer, error), func(io.Closer)) {
		dualStackKnown.Store(nil)
		return func() (io.Closer, error) { return p.listen("tcp", ":0") }, func(c io.Closer) {
			want := natively("tcp", ":0")(t)
			host, _, err := net.SplitHostPort(c.(net.Listener).Addr().String())
			require.NoError(t, err)
			wantHost, _, err := net.SplitHostPort(want)
			require.NoError(t, err)
			require.Equal(t, wantHost, host)
		}
	}},
	"listen unix": {"listen", 1, func(t *testing.T, _ *group, p party) (func() (io.Closer, error), func(io.Closer)) {
		path := filepath.Join(t.TempDir(), "s") // the same each time: a failure does not leave it behind
		return func() (io.Closer, error) { return p.listen("unix", path) }, fine
	}},
	"listen udp": {"listen", 1, func(*testing.T, *group, party) (func() (io.Closer, error), func(io.Closer)) {
		return func() (io.Closer, error) { return ListenPacket("udp", "127.0.0.1:0") }, fine
	}},
	"listen unixgram": {"listen", 1, func(t *testing.T, _ *group, _ party) (func() (io.Closer, error), func(io.Closer)) {
		path := filepath.Join(t.TempDir(), "s")
		return func() (io.Closer, error) { return ListenPacket("unixgram", path) }, fine
	}},
	"dial":      dialling("tcp", natively("tcp", "127.0.0.1:0")),
	"dial unix": dialling("unix", func(t *testing.T) string { return natively("unix", filepath.Join(t.TempDir(), "s"))(t) }),
	"dial udp":  dialling("udp", func(*testing.T) string { return "127.0.0.1:9" }),
	// Who accepts on a listener of another scheduler's makes connections of his own one's: without a poller he takes none.
	"accept": {"accept", 1, func(t *testing.T, _ *group, _ party) (func() (io.Closer, error), func(io.Closer)) {
		other, err := sched.New(sched.Config{Procs: 1})
		require.NoError(t, err)
		monitored(t, other)
		l := (&group{s: other}).listener(t, task)
		t.Cleanup(func() {
			require.NoError(t, l.Close())
			require.NoError(t, other.Close())
		})
		c, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		return func() (io.Closer, error) { return l.Accept() }, func(accepted io.Closer) {
			_, err := c.Write([]byte("x"))
			require.NoError(t, err)
			_, err = accepted.(net.Conn).Read(make([]byte, 1))
			require.NoError(t, err)
			require.NoError(t, c.Close())
		}
	}},
	"file": {"file", 1, func(t *testing.T, g *group, p party) (func() (io.Closer, error), func(io.Closer)) {
		l := g.listener(t, p).(*listener)
		t.Cleanup(func() { require.NoError(t, l.Close()) })
		return func() (io.Closer, error) { return l.File() }, fine
	}},
	"open": {"", 0, func(t *testing.T, _ *group, _ party) (func() (io.Closer, error), func(io.Closer)) {
		fds := pipe(t)
		t.Cleanup(func() { require.NoError(t, unix.Close(fds[1])) })
		return func() (io.Closer, error) {
			f, err := Open(fds[0], "in")
			if err != nil {
				flags, e := unix.FcntlInt(uintptr(fds[0]), unix.F_GETFL, 0)
				require.NoError(t, e)
				require.Zero(t, flags&unix.O_NONBLOCK, "it is its owner's still, as it was")
			}
			return f, err
		}, fine
	}},
}

const nofileVar = "USERRT_TEST_NOFILE"

// TestWithoutDescriptors has a process of its own: in another one, Default and package net may open something meanwhile.
func TestWithoutDescriptors(t *testing.T) {
	if os.Getenv(nofileVar) == "" {
		cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), nofileVar+"=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "PASS: "+t.Name()+"/open/goroutine")
		return
	}
	watch(t)
	natively("tcp", "127.0.0.1:0")(t) // with package net's poller, without which the runtime ends the process
	t.Run("Default's first", func(t *testing.T) {
		before := openFDs(t)
		calls := failing(t, "listen", goroutine, &group{}, func() (io.Closer, error) { return Listen("tcp", "127.0.0.1:0") }, fine)
		require.Equal(t, "socket", calls[0])
		require.Greater(t, len(calls), 1)
		require.Len(t, openFDs(t), len(before)+len(calls)-1, "its poller")
	})
	for name, c := range scarcities {
		for _, p := range []party{task, goroutine} {
			t.Run(name+"/"+p.name, func(t *testing.T) {
				s := scheduler(t, 2)
				monitored(t, s)
				g := &group{s: s}
				call, good := c.prepare(t, g, p)
				calls := failing(t, c.op, p, g, call, good)
				if fresh := p.name == "task" && c.op != "file"; fresh {
					require.Greater(t, len(calls), c.asks, "%v: the scheduler has its first poller", calls)
				} else {
					require.Len(t, calls, c.asks, "%v", calls)
				}
			})
		}
	}
}

// failing makes call with more and more descriptors free until it succeeds, hands the result to good and closes it. It
// returns the system calls that failed.
func failing(t *testing.T, op string, p party, g *group, call func() (io.Closer, error), good func(io.Closer)) (calls []string) {
	before := openFDs(t)
	for free := 0; ; free++ {
		require.Less(t, free, 10, "%v", calls)
		var c io.Closer
		var err error
		withFree(t, free, func() { g.run(p, func() { c, err = call() }) })
		if err == nil {
			good(c)
			require.NoError(t, c.Close())
			return calls
		}
		require.ErrorIs(t, err, unix.EMFILE)
		var sys *os.SyscallError
		require.ErrorAs(t, err, &sys)
		require.Equal(t, unix.EMFILE, sys.Err)
		calls = append(calls, sys.Syscall)
		if op == "" {
			require.IsType(t, new(fs.PathError), err)
		} else {
			require.IsType(t, new(net.OpError), err)
			require.Equal(t, op, err.(*net.OpError).Op)
		}
		if sys.Syscall != acceptCall { // which comes when the poller is there
			require.Equal(t, before, openFDs(t))
		}
	}
}
