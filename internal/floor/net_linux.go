// The system calls of a server and its clients, on one thread: nobody waits for anybody.

package floor

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/userrt/userrt/internal/clock"
)

var loopback = unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}

// listen returns a listening socket and its address.
func listen() (fd int, addr unix.Sockaddr, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, nil, err
	}
	if err = unix.Bind(fd, &loopback); err == nil {
		err = unix.Listen(fd, 16)
	}
	if err == nil {
		addr, err = unix.Getsockname(fd)
	}
	if err != nil {
		unix.Close(fd)
	}
	return fd, addr, err
}

// connect makes a connection to the listener fd and accepts it.
func connect(fd int, addr unix.Sockaddr) (ends [2]int, err error) {
	ends[0], err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return ends, err
	}
	if err = unix.Connect(ends[0], addr); err == nil {
		ends[1], _, err = unix.Accept4(fd, unix.SOCK_CLOEXEC)
	}
	if err != nil {
		unix.Close(ends[0])
		return ends, err
	}
	for _, end := range ends {
		err = errors.Join(err, unix.SetsockoptInt(end, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
	}
	return ends, err
}

// hangUp resets the connection, so that its port is free at once.
func hangUp(ends [2]int) error {
	return errors.Join(
		unix.SetsockoptLinger(ends[0], unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}),
		unix.Close(ends[0]), unix.Close(ends[1]))
}

// onConn calls f with the two ends of a connection, and measures what f does.
func onConn(f func(ends [2]int) error) (took time.Duration, err error) {
	fd, addr, err := listen()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	ends, err := connect(fd, addr)
	if err != nil {
		return 0, err
	}
	start := clock.Nanotime()
	err = f(ends)
	took = since(start)
	return took, errors.Join(err, hangUp(ends))
}

func readWrite(n int) (time.Duration, error) { return transfer(n, MessageSize) }

func block(n int) (time.Duration, error) { return transfer(n, BlockSize) }

// transfer writes n times size bytes at one end, and reads them at the other after each write.
func transfer(n, size int) (time.Duration, error) {
	return onConn(func(ends [2]int) error {
		out, in := make([]byte, size), make([]byte, size)
		for i := range n {
			out[size-1] = byte(i)
			for sent, got := 0, 0; got < size; {
				if sent < size {
					m, err := unix.Write(ends[0], out[sent:])
					if err != nil {
						return err
					}
					sent += m
				}
				m, err := unix.Read(ends[1], in[got:sent])
				if err != nil {
					return err
				}
				if m == 0 {
					return errClosed
				}
				got += m
			}
			if in[size-1] != byte(i) {
				return errors.New("floor: wrong bytes")
			}
		}
		return nil
	})
}

var errClosed = errors.New("floor: a connection has ended")

// epoll asks about one connection of which it is known that something is there.
func epoll(n int) (took time.Duration, err error) {
	_, err = onConn(func(ends [2]int) (err error) {
		ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, unix.Close(ep)) }()
		if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, ends[1], &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(ends[1])}); err != nil {
			return err
		}
		if _, err := unix.Write(ends[0], make([]byte, MessageSize)); err != nil {
			return err
		}
		events := make([]unix.EpollEvent, 1)
		start := clock.Nanotime()
		for range n {
			if ready, err := unix.EpollWait(ep, events, 0); err != nil || ready != 1 {
				return errors.Join(err, errors.New("floor: nothing was ready"))
			}
		}
		took = since(start)
		return nil
	})
	return took, err
}

func conn(n int) (took time.Duration, err error) {
	fd, addr, err := listen()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }()
	start := clock.Nanotime()
	for range n {
		ends, err := connect(fd, addr)
		if err == nil {
			err = hangUp(ends)
		}
		if err != nil {
			return 0, err
		}
	}
	return since(start), nil
}
