// Package waitgroup is sync.WaitGroup for tasks: Wait parks the task, not the thread. Tasks and plain
// goroutines may use the same WaitGroup.
package waitgroup
