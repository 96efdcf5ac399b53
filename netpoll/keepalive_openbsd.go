package netpoll

// Keep-alive's times, which OpenBSD has for the whole machine only (sysctl net.inet.tcp.keepidle and its like).
// The same in Go: net/tcpsockopt_openbsd.go.

const (
	optKeepIdle     = 0
	optKeepInterval = 0
	optKeepCount    = 0
)
