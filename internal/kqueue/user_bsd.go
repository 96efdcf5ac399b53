//go:build darwin || dragonfly || freebsd

package kqueue

import "golang.org/x/sys/unix"

// Events that a program makes itself: x/sys does not know them on NetBSD and OpenBSD.

// User is the filter of events that are nobody's but the program's, and Trigger the fflag of a change that makes one.
const (
	User    = unix.EVFILT_USER
	Trigger = unix.NOTE_TRIGGER
)
