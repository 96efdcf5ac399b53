// What machine and what Go the numbers belong to.
//
// Go's counterpart: the goos, goarch, pkg and cpu lines of testing/benchmark.go, RunBenchmarks,
// whose processor name comes from internal/sysinfo/sysinfo.go, CPUName.

package main

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// Env is the surroundings of a run, read before anything is measured.
type Env struct {
	CPU        string `json:"cpu"`        // model, "unknown" where the system does not tell
	Cores      int    `json:"cores"`      // logical, that this process may use
	Go         string `json:"go"`         // version, system and architecture
	GOMAXPROCS int    `json:"gomaxprocs"` // as found; the rounds set their own
	Kernel     string `json:"kernel"`
}

// readEnv asks the system.
func readEnv() Env {
	return Env{
		CPU:        cpuModel(),
		Cores:      runtime.NumCPU(),
		Go:         runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
		GOMAXPROCS: runtime.GOMAXPROCS(0),
		Kernel:     orUnknown(firstLineOf("uname", "-sr")),
	}
}

// cpuModel returns the processor's name: from /proc on linux, from sysctl on the BSDs and darwin,
// from the environment on windows.
func cpuModel() string {
	if runtime.GOOS == "windows" {
		return orUnknown(os.Getenv("PROCESSOR_IDENTIFIER"))
	}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			key, value, _ := strings.Cut(line, ":")
			if strings.TrimSpace(key) == "model name" {
				return strings.TrimSpace(value)
			}
		}
		return "unknown"
	}
	if name := firstLineOf("sysctl", "-n", "machdep.cpu.brand_string"); name != "" {
		return name
	}
	return orUnknown(firstLineOf("sysctl", "-n", "hw.model"))
}

// firstLineOf runs a command and returns the first line that it prints, or "" when it fails.
func firstLineOf(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}

// orUnknown names what could not be found out.
func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
