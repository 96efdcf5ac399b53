//go:build !linux || userrt_nofence

// Systems without the service.

package fence

// Exists reports whether the service may come to exist here.
const Exists = false

func request() {}

// Heavy does nothing here and says so.
func Heavy() bool { return false }
