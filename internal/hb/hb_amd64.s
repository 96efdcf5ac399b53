//go:build race && linux && amd64 && go1.26 && !go1.28 && !userrt_nogetg && !userrt_nohb

// Calls of the race detector's runtime, and memory access that it does not see. The same in Go:
// runtime/race_amd64.s, racecall.

#include "textflag.h"

// Where the runtime keeps what a call on the system stack needs: g.m, m.g0, m.gsignal is not needed since a
// signal handler never gets here, g.sched.sp. On these offsets assemblers and debuggers rely as well.
#define g_m 48
#define m_g0 0
#define g_sched_sp 56

// func call(fn, a, b, c, d uintptr)
TEXT ·call(SB), NOSPLIT, $0-40
	MOVQ	fn+0(FP), AX
	MOVQ	a+8(FP), DI
	MOVQ	b+16(FP), SI
	MOVQ	c+24(FP), DX
	MOVQ	d+32(FP), CX
	MOVQ	(TLS), R14
	MOVQ	g_m(R14), R13
	MOVQ	SP, R12 // kept by the callee
	MOVQ	m_g0(R13), R10
	CMPQ	R10, R14
	JE	call
	MOVQ	g_sched_sp(R10), SP
call:
	ANDQ	$~15, SP
	CALL	AX
	MOVQ	R12, SP
	RET

// func startFn() uintptr
TEXT ·startFn(SB), NOSPLIT, $0-8
	MOVQ	$__tsan_go_start(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// func endFn() uintptr
TEXT ·endFn(SB), NOSPLIT, $0-8
	MOVQ	$__tsan_go_end(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// func mallocFn() uintptr
TEXT ·mallocFn(SB), NOSPLIT, $0-8
	MOVQ	$__tsan_malloc(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// func load(p *uintptr) uintptr
TEXT ·load(SB), NOSPLIT, $0-16
	MOVQ	p+0(FP), AX
	MOVQ	(AX), AX
	MOVQ	AX, ret+8(FP)
	RET

// func store(p *uintptr, v uintptr)
TEXT ·store(SB), NOSPLIT, $0-16
	MOVQ	p+0(FP), AX
	MOVQ	v+8(FP), BX
	XCHGQ	BX, (AX)
	RET

// func cas(p *uintptr, old, new uintptr) bool
TEXT ·cas(SB), NOSPLIT, $0-25
	MOVQ	p+0(FP), BX
	MOVQ	old+8(FP), AX
	MOVQ	new+16(FP), CX
	LOCK
	CMPXCHGQ	CX, (BX)
	SETEQ	ret+24(FP)
	RET

// func callerFP() uintptr
// The frame pointer of the function that has called our caller: its frame lies below.
TEXT ·callerFP(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ	(BP), AX
	MOVQ	AX, ret+0(FP)
	RET
