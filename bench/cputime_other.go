//go:build !unix

// How much processor time this process has taken: not known here, where netpoll has no poller either.

package main

import (
	"errors"
	"time"
)

func cpuTime() (time.Duration, error) { return 0, errors.ErrUnsupported }
