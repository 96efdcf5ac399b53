//go:build !userrt_nogetg

#include "textflag.h"

// BP is the frame pointer of whoever calls Get, since Get has no frame: there lies the frame pointer
// of the one before, and above it the return address.

// func Get() uintptr
TEXT ·Get(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ 8(BP), AX
	MOVQ AX, ret+0(FP)
	RET
