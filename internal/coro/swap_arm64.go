//go:build !race && !userrt_goroutine && !userrt_nogetg

package coro

// callCode is how runtime.coroswitch ends but for its return, in Go 1.26 and 1.27; R1 may be another register:
//
//	f9 00 c020   MOVD R0, 384(R1)             g.coroarg = c
//	b0 00 0180   ADRP page, R0
//	91 05 4000   ADD  $336, R0, R0            runtime.coroswitch_m·f
//	94 00 102b   CALL runtime.mcall
type callCode [4]uint32

// decode finds the three in b, which stands before pc.
func decode(b callCode, pc uintptr) (m, f, arg uintptr, ok bool) {
	if b[0]&0xffc0001f != 0xf9000000 || b[1]&0x9f00001f != 0x90000000 || b[2]&0xffc003ff != 0x91000000 || b[3]>>26 != 0x25 {
		return 0, 0, 0, false
	}
	arg = uintptr(b[0]>>10&0xfff) * wordSize
	pages := int32(b[1]>>5&0x7ffff<<2|b[1]>>29&3) << 11 >> 11 // 21 bits with a sign
	f = (pc-12)&^0xfff + uintptr(int64(pages)<<12) + uintptr(b[2]>>10&0xfff)
	m = pc - 4 + uintptr(int64(int32(b[3]<<6)>>6)*4)
	return m, f, arg, true
}
