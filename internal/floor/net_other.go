//go:build !linux

// No floors of the network here.

package floor

import (
	"errors"
	"time"
)

func readWrite(int) (time.Duration, error) { return 0, errors.ErrUnsupported }

func block(int) (time.Duration, error) { return 0, errors.ErrUnsupported }

func epoll(int) (time.Duration, error) { return 0, errors.ErrUnsupported }

func conn(int) (time.Duration, error) { return 0, errors.ErrUnsupported }
