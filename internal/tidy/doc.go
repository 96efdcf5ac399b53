// Package tidy checks facts about this repository that rot when nobody looks: which package imports
// which, that the places in Go's source named by comments exist, that exported names are explained,
// that links lead somewhere and that the code in the documents compiles. It holds tests only;
// `go test ./internal/tidy` runs them. Taste stays with review.
//
// tree_test.go reads the tree, each other file holds checks of one kind, and checks_test.go runs them all:
// once over the repository, once over small trees with a known fault, so that no check passes because it
// finds nothing.
//
// Go checks its own layers in the same way: go/build/deps_test.go, TestDependencies.
package tidy
