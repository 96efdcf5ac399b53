//go:build linux && (amd64 || 386) && go1.26 && !go1.28 && !race && !userrt_nofence

// Where locks become calm: the fence exists, the processor keeps stores in order, and the compiler is one that is known to keep Unlock's stores before the
// load that follows them. TestUnlockLooksLast tells of another that does not.

package locks

const calms = true
