package nocopy

import (
	"os/exec"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func vet(t *testing.T, dir string) (out string, err error) {
	t.Helper()
	b, err := exec.CommandContext(t.Context(), "go", "vet", "-copylocks", dir).CombinedOutput()
	return string(b), err
}

func TestVetSeesCopies(t *testing.T) {
	out, err := vet(t, "./testdata/copies")
	require.Error(t, err)
	require.Contains(t, out, "byValue passes lock by value")
	require.Contains(t, out, "assignment copies lock value to assigned")
	require.Contains(t, out, "call of byValue copies lock value")
}

func TestVetAcceptsPointers(t *testing.T) {
	out, err := vet(t, "./testdata/pointers")
	require.NoError(t, err, out)
}

func TestTakesNoSpace(t *testing.T) {
	type marked struct {
		_ NoCopy
		_ int64
	}
	require.EqualValues(t, 8, unsafe.Sizeof(marked{}))
}
