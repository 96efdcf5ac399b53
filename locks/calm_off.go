//go:build !(linux && (amd64 || 386) && go1.26 && !go1.28 && !race && !userrt_nofence)

// Where no lock becomes calm.

package locks

const calms = false
