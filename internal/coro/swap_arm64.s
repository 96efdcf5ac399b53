//go:build !race && !userrt_goroutine && !userrt_nogetg

#include "go_asm.h"
#include "textflag.h"

// Called as a function value is: R26 is the way, and LR where to return to; no argument or result.

// What runtime.coroswitch does (see swap_straight.go), but that mcall's return comes straight to our caller.
TEXT straight<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVD way_coro(R26), R1
	MOVD ·coroarg(SB), R2
	ADD  g, R2
	MOVD R1, (R2)
	MOVD ·coroswitchM(SB), R0
	MOVD ·mcall(SB), R1
	JMP  (R1)

// func byMcall() uintptr
TEXT ·byMcall(SB), NOSPLIT|NOFRAME, $0-8
	MOVD $straight<>(SB), R0
	MOVD R0, ret+0(FP)
	RET
