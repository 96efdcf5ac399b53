package netpoll

import (
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/hb"
	"github.com/userrt/userrt/sched"
)

// From a file to a socket without this process in between. The same in Go: net/sendfile.go, sendFile;
// internal/poll/sendfile_unix.go, SendFile.

// sendfileMax is the most that one call sends, in bytes: after that other tasks may have their turn.
const sendfileMax = 1 << 20

// sendFile sends what r has left if that is a regular file, or a limited piece of one. handled is false when it is
// not, or the kernel cannot do it, and nothing has been sent.
func (c *streamConn) sendFile(r io.Reader) (n int64, handled bool, err error) {
	left := int64(1<<63 - 1)
	limited, ok := r.(*io.LimitedReader)
	if ok {
		left, r = limited.N, limited.R
		if left <= 0 {
			return 0, true, nil
		}
	}
	// Not *os.File: io.Copy asks a file's own WriteTo first, and that hands us the file in a wrapper.
	file, ok := r.(interface {
		syscall.Conn
		Stat() (os.FileInfo, error)
	})
	if !ok {
		return 0, false, nil
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return 0, false, nil
	}
	src, err := file.SyscallConn()
	if err != nil {
		return 0, false, nil
	}
	n, handled, err = c.fd.sendFile(src, left)
	if limited != nil {
		limited.N -= n
	}
	return n, handled, err
}

// sendFile sends at most left bytes from src, from where that stands. Errors as write's.
func (f *pollFD) sendFile(src syscall.RawConn, left int64) (n int64, handled bool, err error) {
	if hb.On {
		hb.Enter()
		defer hb.Leave()
	}
	if err := f.lock(writing); err != nil {
		return 0, true, err
	}
	defer f.unlock(writing)
	if err := f.pd.prepare(&f.pd.w); err != nil {
		return 0, true, err
	}
	for n < left {
		m, err := sendfileOnce(f.sysfd, src, int(min(left-n, sendfileMax)))
		n += int64(m)
		errno, isErrno := err.(unix.Errno)
		switch {
		case err == nil && m == 0:
			return n, true, nil // the file's end
		case err == nil:
			giveWay()
		case !isErrno:
			return n, true, err
		case n == 0 && (errno == unix.EINVAL || errno == unix.ENOSYS || errno == unix.EOPNOTSUPP || errno == unix.EPERM):
			return 0, false, nil
		default:
			if err := f.retry("sendfile", errno, &f.pd.w); err != nil {
				return n, true, err
			}
		}
	}
	return n, true, nil
}

// sendfileOnce is the system call, which may wait for the disk.
func sendfileOnce(sysfd int, src syscall.RawConn, count int) (n int, err error) {
	if hb.On {
		hb.Out()
		defer hb.Back()
	}
	raceSending(nil)
	sched.Block(func() {
		controlErr := src.Control(func(fd uintptr) { n, err = unix.Sendfile(sysfd, int(fd), nil, count) })
		if controlErr != nil {
			err = controlErr
		}
	})
	return max(n, 0), err
}
