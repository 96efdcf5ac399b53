// What is read of the surroundings, from texts as systems have them.

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEnv(t *testing.T) {
	env := readEnv()
	require.NotEmpty(t, env.CPU)
	require.Equal(t, runtime.NumCPU(), env.Cores)
	require.Contains(t, env.Go, runtime.GOOS+"/"+runtime.GOARCH)
	require.Contains(t, []string{"yes", "no", "unknown"}, env.Virtual)
	require.NotEmpty(t, env.Governor)
	require.NotEmpty(t, env.Kernel)
	require.Equal(t, "10ms", env.Round)
	start, err := time.Parse(time.RFC3339, env.Start)
	require.NoError(t, err)
	require.Equal(t, time.UTC, start.Location())
	if runtime.GOOS == "linux" {
		require.GreaterOrEqual(t, env.Load, 0.0)
	}
}

// TestEnvNamesNobody looks for what would tell whose machine it was.
func TestEnvNamesNobody(t *testing.T) {
	text, err := json.Marshal(readEnv())
	require.NoError(t, err)
	secrets := []string{os.Getenv("HOSTNAME"), os.Getenv("HOME")}
	if host, err := os.Hostname(); err == nil && host != "localhost" {
		secrets = append(secrets, host)
	}
	for _, secret := range secrets {
		if len(secret) > 3 {
			require.NotContains(t, string(text), secret)
		}
	}
}

func TestGovernor(t *testing.T) {
	if runtime.GOOS != "linux" {
		require.Equal(t, "unknown", governor(t.TempDir()))
		return
	}
	dir := t.TempDir()
	require.Equal(t, "none", governor(dir))
	set := func(cpu, value string) {
		folder := filepath.Join(dir, cpu, "cpufreq")
		require.NoError(t, os.MkdirAll(folder, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(folder, "scaling_governor"), []byte(value+"\n"), 0o600))
	}
	set("cpu0", "schedutil")
	set("cpu1", "schedutil")
	require.Equal(t, "schedutil", governor(dir))
	set("cpu11", "performance")
	set("cpufreq", "none of a processor's")
	require.Equal(t, "performance, schedutil", governor(dir))
}

func TestProcessorText(t *testing.T) {
	const amd = "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu vme hypervisor sse2\n\nprocessor\t: 1\nmodel name\t: other\n"
	require.Equal(t, "AMD EPYC", cpuInfo(amd, "model name"))
	require.Empty(t, cpuInfo(amd, "model"))
	require.Equal(t, "yes", hypervisorFlag(amd))
	require.Equal(t, "no", hypervisorFlag("flags : fpu nohypervisor\n"))
	require.Equal(t, "unknown", hypervisorFlag("Features : fp asimd\n"), "arm64 has no such line")
}

func TestLoad(t *testing.T) {
	for text, want := range map[string]float64{"1.95 1.50 2.48 1/120 27796\n": 1.95, "0.00 0.01": 0, "2.5": 2.5, "": -1, "many": -1} {
		require.Equal(t, want, parseLoad(text), text)
	}
	require.Equal(t, "unknown", loadLine(Env{Load: -1, Start: "now"}))
	require.Equal(t, "unknown", loadLine(Env{}), "a file of an older version")
	require.Equal(t, "0.49", loadLine(Env{Load: 0.49, Cores: 2, Start: "now"}))
	require.Equal(t, "1.50: something else was at work on the 2 cores, so expect wide intervals", loadLine(Env{Load: 1.5, Cores: 2, Start: "now"}))
}

func TestRevision(t *testing.T) {
	info := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	rev := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}
	require.Equal(t, "0123456789ab", revisionOf(info("v0.0.0-2026", rev, debug.BuildSetting{Key: "vcs.modified", Value: "false"})))
	require.Equal(t, "0123456789ab-dirty", revisionOf(info("(devel)", rev, debug.BuildSetting{Key: "vcs.modified", Value: "true"})))
	require.Equal(t, "v1.2.3", revisionOf(info("v1.2.3")))
	require.Empty(t, revisionOf(info("(devel)")))
	require.NotEmpty(t, revision())
}
