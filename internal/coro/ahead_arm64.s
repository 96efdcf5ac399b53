//go:build go1.26 && !go1.28 && !userrt_goroutine && !userrt_nogetg && !race

#include "go_asm.h"
#include "textflag.h"

// func FetchAhead(line unsafe.Pointer, far, mid, near *Stack)
TEXT ·FetchAhead(SB), NOSPLIT|NOFRAME, $0-32
	MOVD line+0(FP), R0
	PRFM (R0), PLDL1KEEP
	MOVD far+8(FP), R0
	CBZ  R0, mid
	PRFM (R0), PLDL1KEEP
	PRFM 64(R0), PLDL1KEEP

mid:
	MOVD mid+16(FP), R0
	CBZ  R0, near
	MOVD Stack_at(R0), R1
	PRFM (R1), PLDL1KEEP
	MOVD Stack_key(R0), R1
	PRFM (R1), PLDL1KEEP
	PRFM 64(R1), PLDL1KEEP
	PRFM 128(R1), PLDL1KEEP
	PRFM 192(R1), PLDL1KEEP
	PRFM 384(R1), PLDL1KEEP
	MOVD $const_fibonacci, R2
	MUL  R2, R1
	LSR  $(64-const_frontBits), R1
	LSL  $4, R1
	MOVD $·front(SB), R2
	ADD  R2, R1
	PRFM (R1), PLDL1KEEP

near:
	MOVD  near+24(FP), R0
	CBZ   R0, done
	MOVD  Stack_at(R0), R1
	MOVD  way_coro(R1), R2
	PRFM  (R2), PLDL1KEEP
	MOVD  Stack_key(R0), R1
	MOVD  const_gSP(R1), R2
	PRFM  (R2), PLDL1KEEP
	PRFM  64(R2), PLDL1KEEP
	PRFM  128(R2), PLDL1KEEP
	PRFM  192(R2), PLDL1KEEP

done:
	RET
