// What go vet says of copies.

package locks

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestVetSeesCopies checks a package that copies each of the types, and one that does not.
func TestVetSeesCopies(t *testing.T) {
	const head = "package p\n\nimport \"github.com/userrt/userrt/locks\"\n\n"
	vet := func(source string) (string, error) {
		file := filepath.Join(t.TempDir(), "p.go")
		require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
		out, err := exec.CommandContext(t.Context(), "go", "vet", "-copylocks", file).CombinedOutput()
		return string(out), err
	}
	types := []string{"Mutex", "RWMutex", "Cond", "Once", "Semaphore"}
	var pointers, values strings.Builder
	for _, name := range types {
		fmt.Fprintf(&pointers, "func by%sPointer(l *locks.%s) *locks.%s { return l }\n", name, name, name)
		fmt.Fprintf(&values, "func by%s(l locks.%s) { _ = &l }\n", name, name)
	}
	out, err := vet(head + pointers.String())
	require.NoError(t, err, out)
	out, err = vet(head + values.String())
	require.Error(t, err)
	for _, name := range types {
		require.Contains(t, out, fmt.Sprintf("by%s passes lock by value: github.com/userrt/userrt/locks.%s", name, name))
	}
}
