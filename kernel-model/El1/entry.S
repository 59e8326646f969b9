/*
 * Exceptions: vectors, saving and restoring of all registers, dispatch.
 * The frame on the kernel stack is Linux's struct pt_regs.
 */
#include "layout.h"
#include "asm.h"

	.section .text.vectors, "ax"

.macro	ventry label
	.balign	128
	sub	sp, sp, #S_FRAME_SIZE
	b	\label
.endm

	.balign	2048
	.globl	vectors
vectors:
	/* Current EL with SP_EL0: never used */
	ventry	el1_bad
	ventry	el1_bad
	ventry	el1_bad
	ventry	el1_bad
	/* Current EL with SP_ELx */
	ventry	el1_sync
	ventry	el1_irq
	ventry	el1_bad
	ventry	el1_bad
	/* Lower EL, AArch64 */
	ventry	el0_sync
	ventry	el0_irq
	ventry	el1_bad
	ventry	el1_bad
	/* Lower EL, AArch32: not supported */
	ventry	el1_bad
	ventry	el1_bad
	ventry	el1_bad
	ventry	el1_bad

	.text

.macro	kernel_entry el
	stp	x0, x1, [sp, #16 * 0]
	stp	x2, x3, [sp, #16 * 1]
	stp	x4, x5, [sp, #16 * 2]
	stp	x6, x7, [sp, #16 * 3]
	stp	x8, x9, [sp, #16 * 4]
	stp	x10, x11, [sp, #16 * 5]
	stp	x12, x13, [sp, #16 * 6]
	stp	x14, x15, [sp, #16 * 7]
	stp	x16, x17, [sp, #16 * 8]
	stp	x18, x19, [sp, #16 * 9]
	stp	x20, x21, [sp, #16 * 10]
	stp	x22, x23, [sp, #16 * 11]
	stp	x24, x25, [sp, #16 * 12]
	stp	x26, x27, [sp, #16 * 13]
	stp	x28, x29, [sp, #16 * 14]
	.if	\el == 0
	mrs	x21, sp_el0
	/* The kernel stack's top page boundary leads to the task through the per-CPU record. */
	mrs	x28, tpidr_el1
	ldr	x28, [x28, #CPU_CURRENT]
	msr	sp_el0, x28
	.else
	add	x21, sp, #S_FRAME_SIZE
	get_current x28
	.endif
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	stp	x30, x21, [sp, #16 * 15]
	stp	x22, x23, [sp, #S_PC]
	stp	x29, x22, [sp, #S_STACKFRAME]
	add	x29, sp, #S_STACKFRAME
	mov	w21, #-1
	str	w21, [sp, #S_SYSCALLNO]
.endm

.macro	kernel_exit el
	ldp	x21, x22, [sp, #S_PC]
	.if	\el == 0
	ldr	x23, [sp, #S_SP]
	msr	sp_el0, x23
	.endif
	msr	elr_el1, x21
	msr	spsr_el1, x22
	ldp	x0, x1, [sp, #16 * 0]
	ldp	x2, x3, [sp, #16 * 1]
	ldp	x4, x5, [sp, #16 * 2]
	ldp	x6, x7, [sp, #16 * 3]
	ldp	x8, x9, [sp, #16 * 4]
	ldp	x10, x11, [sp, #16 * 5]
	ldp	x12, x13, [sp, #16 * 6]
	ldp	x14, x15, [sp, #16 * 7]
	ldp	x16, x17, [sp, #16 * 8]
	ldp	x18, x19, [sp, #16 * 9]
	ldp	x20, x21, [sp, #16 * 10]
	ldp	x22, x23, [sp, #16 * 11]
	ldp	x24, x25, [sp, #16 * 12]
	ldp	x26, x27, [sp, #16 * 13]
	ldp	x28, x29, [sp, #16 * 14]
	ldr	x30, [sp, #16 * 15]
	add	sp, sp, #S_FRAME_SIZE
	eret
.endm

FUNC el0_sync
	kernel_entry 0
	mrs	x25, esr_el1
	lsr	x24, x25, #26
	cmp	x24, #0x15		/* SVC64 */
	b.ne	1f
	mov	x0, sp
	bl	el0_svc
	b	ret_to_user
1:	mov	x0, sp
	mov	x1, x25
	mrs	x2, far_el1
	hvc	#HVC_FAULT
	cmp	x0, #ACT_SCHEDULE
	b.ne	ret_to_user
	bl	schedule
	b	ret_to_user
ENDFUNC el0_sync

FUNC el0_irq
	kernel_entry 0
	mov	x0, sp
	bl	handle_irq
	b	ret_to_user
ENDFUNC el0_irq

FUNC el1_irq
	kernel_entry 1
	mov	x0, sp
	bl	handle_irq
	kernel_exit 1
ENDFUNC el1_irq

/* A fault of EL1 code: a user address that is not there yet, or a bad one. */
FUNC el1_sync
	kernel_entry 1
	mrs	x25, esr_el1
	mrs	x26, far_el1
	lsr	x24, x25, #26
	cmp	x24, #0x25		/* Data Abort, same EL */
	b.ne	2f
	mov	x0, sp
	mov	x1, x25
	mov	x2, x26
	hvc	#HVC_KERNEL_FAULT
	cbz	x0, 1f
	ldr	x0, [sp, #S_PC]
	bl	search_extable
	cbz	x0, 2f
	str	x0, [sp, #S_PC]
1:	kernel_exit 1
2:	mov	x0, sp
	mov	x1, x25
	mov	x2, x26
	hvc	#HVC_PANIC
	b	.
ENDFUNC el1_sync

FUNC el1_bad
	kernel_entry 1
	mov	x0, sp
	mrs	x1, esr_el1
	mrs	x2, far_el1
	hvc	#HVC_PANIC
	b	.
ENDFUNC el1_bad

/* x0: faulting PC -> x0: fix-up address or 0 */
FUNC search_extable
	adrp	x1, __start___ex_table
	add	x1, x1, :lo12:__start___ex_table
	adrp	x2, __stop___ex_table
	add	x2, x2, :lo12:__stop___ex_table
1:	cmp	x1, x2
	b.hs	3f
	ldrsw	x3, [x1]
	add	x3, x3, x1
	cmp	x3, x0
	b.eq	2f
	add	x1, x1, #8
	b	1b
2:	ldrsw	x3, [x1, #4]
	add	x0, x1, x3
	add	x0, x0, #4
	ret
3:	mov	x0, #0
	ret
ENDFUNC search_extable

/* x0: pt_regs. Acknowledges and handles every pending interrupt. */
FUNC handle_irq
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	str	x19, [sp, #16]
	mov	x19, x0
1:	mrs	x0, icc_iar1_el1
	isb
	cmp	x0, #1020
	b.hs	2f
	stp	x0, x19, [sp, #-16]!
	mov	x1, x19
	hvc	#HVC_IRQ
	ldp	x0, x19, [sp], #16
	msr	icc_eoir1_el1, x0
	isb
	b	1b
2:	ldr	x19, [sp, #16]
	ldp	x29, x30, [sp], #32
	ret
ENDFUNC handle_irq

/* Back to EL0: pending work first, with interrupts masked for the last look. */
FUNC ret_to_user
	msr	daifset, #3
	get_current x28
	ldr	x19, [x28, #TSK_FLAGS]
	tst	x19, #TIF_WORK_MASK
	b.ne	1f
	kernel_exit 0
1:	tbz	x19, #TIF_NEED_RESCHED_BIT, 2f
	bl	schedule
	b	ret_to_user
2:	tbz	x19, #TIF_VDSO_BIT, 3f
	bl	vdso_refresh_thread
	b	ret_to_user
3:	mov	x0, sp
	hvc	#HVC_WORK
	cmp	x0, #ACT_SCHEDULE
	b.ne	ret_to_user
	bl	schedule
	b	ret_to_user
ENDFUNC ret_to_user

/* First code of a new task; cpu_switch_to "returned" here with x0 = previous. */
FUNC ret_from_fork
	hvc	#HVC_SWITCHED
	b	ret_to_user
ENDFUNC ret_from_fork

/* First code of the first process: the end of its execve (flush_thread, start_thread). */
FUNC ret_from_exec
	hvc	#HVC_SWITCHED
	/* Patched to a branch to ret_to_user when the design has no per-CPU slot. */
	.globl	vdso_init_key
vdso_init_key:
	nop
	bl	vdso_flush_thread
	get_current x0
	bl	vdso_start_thread
	b	ret_to_user
ENDFUNC ret_from_exec

/*
 * A CPU starts here. x0: per-CPU record, x1: its idle task.
 * TTBR1_EL1, TCR_EL1 and the kernel mapping are set up already.
 */
FUNC cpu_start
	msr	tpidr_el1, x0
	msr	sp_el0, x1
	str	x1, [x0, #CPU_CURRENT]
	ldr	x2, [x1, #TSK_STACK_TOP]
	mov	sp, x2
	mov	x29, #0
	mov	x30, #0
	adrp	x2, vectors
	add	x2, x2, :lo12:vectors
	msr	vbar_el1, x2
	mov	x2, #(3 << 20)		/* FPEN: no trap */
	msr	cpacr_el1, x2
	mov	x2, #2			/* EL0VCTEN */
	msr	cntkctl_el1, x2
	msr	tpidrro_el0, xzr
	mov	x2, #0xf0
	msr	icc_pmr_el1, x2
	isb
	b	cpu_idle
ENDFUNC cpu_start

/* The idle task: sleeps until an interrupt brings work. */
FUNC cpu_idle
	get_current x28
1:	msr	daifset, #3
	ldr	x19, [x28, #TSK_FLAGS]
	tbnz	x19, #TIF_NEED_RESCHED_BIT, 2f
	dsb	sy
	wfi
	msr	daifclr, #3
	isb
	b	1b
2:	bl	schedule
	msr	daifclr, #3
	b	1b
ENDFUNC cpu_idle
