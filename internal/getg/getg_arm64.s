//go:build !userrt_nogetg

#include "textflag.h"

// func Get() uintptr
TEXT ·Get(SB), NOSPLIT|NOFRAME, $0-8
	MOVD g, ret+0(FP)
	RET
