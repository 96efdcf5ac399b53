//go:build go1.26 && !go1.28 && !userrt_goroutine && !userrt_nogetg && !race

#include "go_asm.h"
#include "textflag.h"

// func FetchAhead(line unsafe.Pointer, far, mid, near *Stack)
TEXT ·FetchAhead(SB), NOSPLIT|NOFRAME, $0-32
	MOVQ       line+0(FP), AX
	PREFETCHT0 (AX)
	MOVQ       far+8(FP), AX
	TESTQ      AX, AX
	JZ         mid
	PREFETCHT0 (AX)
	PREFETCHT0 64(AX)

mid:
	MOVQ       mid+16(FP), AX
	TESTQ      AX, AX
	JZ         near
	MOVQ       Stack_at(AX), BX
	PREFETCHT0 (BX)
	MOVQ       Stack_key(AX), BX
	PREFETCHT0 (BX)
	PREFETCHT0 64(BX)
	PREFETCHT0 128(BX)
	PREFETCHT0 192(BX)
	PREFETCHT0 384(BX)
	MOVQ       $const_fibonacci, CX
	IMULQ      CX, BX
	SHRQ       $(64-const_frontBits), BX
	SHLQ       $4, BX
	LEAQ       ·front(SB), CX
	PREFETCHT0 (CX)(BX*1)

near:
	MOVQ       near+24(FP), AX
	TESTQ      AX, AX
	JZ         done
	MOVQ       Stack_at(AX), BX
	MOVQ       way_coro(BX), CX
	PREFETCHT0 (CX)
	MOVQ       Stack_key(AX), BX
	MOVQ       const_gSP(BX), CX
	PREFETCHT0 (CX)
	PREFETCHT0 64(CX)
	PREFETCHT0 128(CX)
	PREFETCHT0 192(CX)

done:
	RET
