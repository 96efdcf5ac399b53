//go:build !userrt_nogetg

#include "textflag.h"

// R29 is the frame pointer of whoever calls Get, since Get has no frame: there lies the frame pointer
// of the one before, and above it the return address.

// func Get() uintptr
TEXT ·Get(SB), NOSPLIT|NOFRAME, $0-8
	MOVD 8(R29), R0
	MOVD R0, ret+0(FP)
	RET
