package locks

// Functions that do their work once. The same in Go: sync/oncefunc.go. Nothing here is ours to the race detector: what the
// returned functions share is in order by their Once.

// onceCall is what such a function shares between its calls.
type onceCall struct {
	once     Once
	returned bool
	panicked any // what the function panicked with, if it has not returned
}

// do calls f if it is the first call, and panics, this time and each time, with what f panicked with. f must let go
// of what it need not keep.
func (c *onceCall) do(f func()) {
	c.once.Do(func() {
		defer func() {
			if !c.returned {
				c.panicked = recover()
				panic(c.panicked) // at once, so that the first caller's report shows where it came from
			}
		}()
		f()
		c.returned = true
	})
	if !c.returned {
		panic(c.panicked)
	}
}

// OnceFunc returns a function that calls f the first time it is called, and does nothing any more after that. If f panics
// the function panics with the same value each time. It may be called by many at the same time.
func OnceFunc(f func()) func() {
	c := &struct {
		onceCall
		f func()
	}{f: f}
	return func() {
		c.do(func() {
			f := c.f
			c.f = nil // it need not be kept any longer
			f()
		})
	}
}

// OnceValue returns a function that returns what f returned when it was called, which it is once. If f panics the
// function panics with the same value each time. It may be called by many at the same time.
func OnceValue[T any](f func() T) func() T {
	c := &struct {
		onceCall
		f func() T
		v T
	}{f: f}
	return func() T {
		c.do(func() {
			f := c.f
			c.f = nil
			c.v = f()
		})
		return c.v
	}
}

// OnceValues is OnceValue for a function with two results.
func OnceValues[T1, T2 any](f func() (T1, T2)) func() (T1, T2) {
	c := &struct {
		onceCall
		f  func() (T1, T2)
		v1 T1
		v2 T2
	}{f: f}
	return func() (T1, T2) {
		c.do(func() {
			f := c.f
			c.f = nil
			c.v1, c.v2 = f()
		})
		return c.v1, c.v2
	}
}
