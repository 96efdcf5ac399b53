package nap

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Napper sleeps for one goroutine.
type Napper struct {
	fd int
	f  *os.File // nil if there is no timer descriptor: then naps are time.Sleep
	b  [8]byte  // what is read: a variable of Sleep lies on the heap under the race detector, one for each nap
}

// New returns a Napper, which wants Close.
func New() *Napper {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return &Napper{}
	}
	return &Napper{fd: fd, f: os.NewFile(uintptr(fd), "timerfd")}
}

// Sleep sleeps for d ns, at least 1.
func (n *Napper) Sleep(d int64) {
	if n.f != nil {
		spec := unix.ItimerSpec{Value: unix.NsecToTimespec(max(d, 1))}
		if unix.TimerfdSettime(n.fd, 0, &spec, nil) == nil {
			if _, err := n.f.Read(n.b[:]); err == nil {
				return
			}
		}
	}
	time.Sleep(time.Duration(d))
}

// Close releases the descriptor.
func (n *Napper) Close() {
	if n.f != nil {
		_ = n.f.Close()
	}
}
