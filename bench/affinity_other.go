//go:build !linux

// On which processors a thread may run: not known here.

package main

import "errors"

func cpusOf(int) ([]int, error) { return nil, errors.ErrUnsupported }

func bindThread(int, []int) error { return errors.ErrUnsupported }
