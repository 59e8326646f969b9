/*
 * The guest of "armvdso check". It does nothing by itself: every task waits at
 * park, and the checker sets its registers to make it call a function of the
 * vDSO (returning to park), make a system call (svc_stub), or read and write
 * memory (peek, poke) or the register (set_register). The signal handler runs a list of steps that the checker
 * wrote to script: system calls and function calls, in the victim's own context.
 * Built by build.sh with clang-19 and ld.lld-19.
 */
	.text
	.globl	_start, park, svc_stub, peek, poke, set_register, handler
_start:
	b	park

svc_stub:
	svc	#0
park:
	b	park

peek:
	ldr	w0, [x0]
	b	park

poke:
	str	w1, [x0]
	b	park

set_register:
	msr	tpidrro_el0, x0
	b	park

/*
 * A step is eight words: kind, number or function, five arguments, result.
 * kind 0: end; 1: system call; 2: function call; 3: system call after which the
 * child (result 0) goes on with child_script.
 */
handler:
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	adrp	x19, script
	add	x19, x19, :lo12:script
1:	ldr	x20, [x19]
	cbz	x20, 5f
	ldp	x8, x0, [x19, #8]
	ldp	x1, x2, [x19, #24]
	ldp	x3, x4, [x19, #40]
	cmp	x20, #2
	b.eq	2f
	svc	#0
	b	3f
2:	blr	x8
3:	str	x0, [x19, #56]
	cmp	x20, #3
	b.ne	4f
	cbnz	x0, 4f
	adrp	x19, child_script
	add	x19, x19, :lo12:child_script
	b	1b
4:	add	x19, x19, #64
	b	1b
5:	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #32
	ret

	.data
	.balign	4096
	.globl	script, child_script, buffers, rseq_area, scratch, victim_stack, sibling_stack
script:
	.fill	16 * 8, 8, 0
child_script:
	.fill	16 * 8, 8, 0
/* Where the functions write: one buffer of 64 bytes for each of several calls. */
buffers:
	.fill	8 * 8, 8, 0
/* struct rseq of the victim, registered as C libraries do */
	.balign	32
rseq_area:
	.fill	8, 8, 0
scratch:
	.fill	64, 8, 0
	.balign	16
	.fill	1024, 8, 0
sibling_stack:
	.fill	2048, 8, 0
victim_stack:
	.quad	0
