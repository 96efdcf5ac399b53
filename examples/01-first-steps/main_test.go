package main

func Example() {
	main()
	// Output:
	// squared: 1
	// squared: 4
	// squared: 9
	// squared: 16
	// squared: 25
	// sum of 1 to 1000 by a tree of forked calls: 500500
	// answers from the echo server: 10
}
