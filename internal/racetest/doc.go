// Package racetest checks what `go test -race` tells users of userrt: that a race between two tasks is reported, that
// what is ordered is not, and that userrt's own inside never is. It holds tests only, and those only in builds
// with the race detector.
//
// scenarios_test.go runs small programs, each in a process of its own: those of races_test.go must be reported,
// those of ordered_*_test.go, one for each edge that userrt promises, must not. goroot_test.go does the same
// with the test cases of the race detector itself, which generate_test.go and rewrite_test.go put onto userrt; its
// verdicts that differ from Go's stand in differences_test.go and in docs/reliability.md.
//
// The same in Go: runtime/race/race_test.go.
package racetest
