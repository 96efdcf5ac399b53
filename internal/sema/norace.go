//go:build !race

package sema

func acquired(*Sema) {}

func releases(*Sema) {}
