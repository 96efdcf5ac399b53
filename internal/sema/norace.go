// What package sync tells the race detector, left out.

//go:build !race

package sema

func acquired(*Sema) {}

func releases(*Sema) {}
