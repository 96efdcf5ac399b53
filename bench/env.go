// What machine and what Go the numbers belong to, and what else the machine was doing.
//
// Nothing here identifies a machine or a person: no names of hosts or users, no addresses, no paths.
//
// Go's counterpart: the goos, goarch, pkg and cpu lines of testing/benchmark.go, RunBenchmarks,
// whose processor name comes from internal/sysinfo/sysinfo.go, CPUName.

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Env is the surroundings of a run, read before anything is measured.
type Env struct {
	CPU        string  `json:"cpu"`        // model, "unknown" where the system does not tell
	Cores      int     `json:"cores"`      // logical, that this process may use
	Go         string  `json:"go"`         // version, system and architecture
	GOMAXPROCS int     `json:"gomaxprocs"` // as found; the rounds set their own
	Kernel     string  `json:"kernel"`
	Governor   string  `json:"governor"` // who sets the clock rate: "none" where nobody does, "unknown" where the system does not tell
	Virtual    string  `json:"virtual"`  // "yes" in a virtual machine, "no", or "unknown"
	Load       float64 `json:"load"`     // processes running or about to, an average of the last minute; -1 when unknown
	Userrt     string  `json:"userrt"`   // version or revision
	Start      string  `json:"start"`    // when, RFC 3339, UTC
	Round      string  `json:"round"`    // how long a round should last
	Bound      string  `json:"bound"`    // "yes" where both sides of a turn run on the same processor at -procs 1, or "no"
}

// readEnv asks the system.
func readEnv() Env {
	return Env{
		CPU:        cpuModel(),
		Cores:      runtime.NumCPU(),
		Go:         runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
		GOMAXPROCS: runtime.GOMAXPROCS(0),
		Kernel:     orUnknown(firstLineOf("uname", "-sr")),
		Governor:   governor("/sys/devices/system/cpu"),
		Virtual:    virtual(),
		Load:       loadAverage(),
		Userrt:     revision(),
		Start:      time.Now().UTC().Format(time.RFC3339),
		Round:      roundTarget.String(),
		Bound:      bound(),
	}
}

// bound says whether rounds are bound to a processor.
func bound() string {
	if bindRounds(Pair{}, 1).cpus == nil {
		return "no"
	}
	return "yes"
}

// busy reports whether so much else was running that it will show: half a processor and more.
func (e Env) busy() bool { return e.Load >= 0.5 }

// cpuModel returns the processor's name: from /proc on linux, from sysctl on the BSDs and darwin,
// from the environment on windows.
func cpuModel() string {
	if runtime.GOOS == "windows" {
		return orUnknown(os.Getenv("PROCESSOR_IDENTIFIER"))
	}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		return orUnknown(cpuInfo(string(info), "model name"))
	}
	if name := firstLineOf("sysctl", "-n", "machdep.cpu.brand_string"); name != "" {
		return name
	}
	return orUnknown(firstLineOf("sysctl", "-n", "hw.model"))
}

// cpuInfo returns the first value of a key in the text of /proc/cpuinfo, or "".
func cpuInfo(text, key string) string {
	for line := range strings.Lines(text) {
		k, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(k) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// governor returns the cpufreq governors below dir, /sys/devices/system/cpu, each once.
func governor(dir string) string {
	if runtime.GOOS != "linux" {
		return "unknown"
	}
	files, _ := filepath.Glob(filepath.Join(dir, "cpu[0-9]*", "cpufreq", "scaling_governor")) // the pattern is a good one
	var found []string
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			found = append(found, strings.TrimSpace(string(text)))
		}
	}
	if len(found) == 0 {
		return "none"
	}
	slices.Sort(found)
	return strings.Join(slices.Compact(found), ", ")
}

// virtual says whether a hypervisor is below: by the flag that x86 processors show to its guests, or as the BSDs and darwin
// tell.
func virtual() string {
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		return hypervisorFlag(string(info))
	}
	switch firstLineOf("sysctl", "-n", "kern.hv_vmm_present") { // darwin
	case "1":
		return "yes"
	case "0":
		return "no"
	}
	switch firstLineOf("sysctl", "-n", "kern.vm_guest") { // freebsd
	case "":
		return "unknown"
	case "none":
		return "no"
	}
	return "yes"
}

// hypervisorFlag looks for the flag in the text of /proc/cpuinfo; processors other than x86 have no line of flags.
func hypervisorFlag(text string) string {
	flags := strings.Fields(cpuInfo(text, "flags"))
	switch {
	case len(flags) == 0:
		return "unknown"
	case slices.Contains(flags, "hypervisor"):
		return "yes"
	}
	return "no"
}

// loadAverage returns the average of the last minute.
func loadAverage() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		text = []byte(strings.Trim(firstLineOf("sysctl", "-n", "vm.loadavg"), "{} "))
	}
	return parseLoad(string(text))
}

func parseLoad(text string) float64 {
	first, _, _ := strings.Cut(text, " ")
	v, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return -1
	}
	return v
}

// revision returns the version of this module, or what revision it was built from. `go run` puts none into the program: then it
// is asked of git where this file lies, if the source is still there.
func revision() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		if rev := revisionOf(info); rev != "" {
			return rev
		}
	}
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		return "unknown"
	}
	return orUnknown(firstLineOf("git", "-C", filepath.Dir(file), "describe", "--always", "--dirty", "--exclude=*"))
}

// revisionOf returns the revision, or else the version, that a program was built from: "" if neither is known.
func revisionOf(info *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	rev := settings["vcs.revision"]
	switch {
	case rev == "" && info.Main.Version == "(devel)":
		return ""
	case rev == "":
		return info.Main.Version
	}
	rev = rev[:min(len(rev), 12)]
	if settings["vcs.modified"] == "true" {
		rev += "-dirty"
	}
	return rev
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
