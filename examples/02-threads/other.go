//go:build !linux

// Command 02-threads elsewhere: what a thread costs is read from Linux's /proc.
package main

import "fmt"

func main() {
	fmt.Println("02-threads measures what threads cost by the files below /proc of Linux; on this system there is nothing to see.")
}
