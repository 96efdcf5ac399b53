//go:build !race && !userrt_goroutine && !userrt_nogetg

package coro

import "encoding/binary"

// callCode is how runtime.coroswitch ends but for its return, in Go 1.26 and 1.27; CX may be another register:
//
//	48 89 81 80010000   MOVQ AX, 0x180(CX)             g.coroarg = c
//	48 8d 05 rel        LEAQ runtime.coroswitch_m·f, AX
//	e8 rel              CALL runtime.mcall
type callCode [19]byte

// decode finds the three in b, which stands before pc.
func decode(b callCode, pc uintptr) (m, f, arg uintptr, ok bool) {
	store := (b[0] == 0x48 || b[0] == 0x49) && b[1] == 0x89 && b[2]&^7 == 0x80 && b[2] != 0x84
	lea := b[7] == 0x48 && b[8] == 0x8d && b[9] == 0x05
	if !store || !lea || b[14] != 0xe8 {
		return 0, 0, 0, false
	}
	number := func(at int) uintptr { return uintptr(int32(binary.LittleEndian.Uint32(b[at:]))) }
	return pc + number(15), pc - 5 + number(10), number(3), true
}
