package main

func Example() {
	main()
	// Output:
	// counted after the counter's function has returned: 3
	// a variable for each iteration: [0 1 2]
	// one variable for the loop: [3 3 3]
}
