//go:build !race && !userrt_goroutine && !userrt_nogetg

#include "go_asm.h"
#include "textflag.h"

// Called as function values are: DX is the way, R14 the g, and no argument or result.

// What runtime.coroswitch does (see swap_straight.go), but that mcall's return comes straight to our caller.
TEXT straight<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ way_coro(DX), CX
	MOVQ ·coroarg(SB), BX
	MOVQ CX, (R14)(BX*1)
	MOVQ ·coroswitchM(SB), AX
	MOVQ ·mcall(SB), CX
	JMP  CX

// func byMcall() uintptr
TEXT ·byMcall(SB), NOSPLIT|NOFRAME, $0-8
	LEAQ straight<>(SB), AX
	MOVQ AX, ret+0(FP)
	RET
