//go:build (amd64 || arm64) && !userrt_nogetg

package callerpc

// Known says that Get finds the caller in this build.
const Known = true

// Get returns the address to which the function that calls Get will return; 0 if that is not known.
// As a return address it lies behind the call: runtime.CallersFrames takes it as it is.
func Get() uintptr
