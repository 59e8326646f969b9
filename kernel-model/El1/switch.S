/*
 * Switching between tasks: schedule, __switch_to, cpu_switch_to.
 */
#include "layout.h"
#include "asm.h"

	.text

/* Asks the kernel model for the next task and switches to it. */
FUNC schedule
	/* Of func_enter: the NOP masks interrupts in a preemptible kernel, the hint before RET unmasks them. */
	mov	x9, x30
	patch_site schedule_masks
	nop
	hint	#120
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	hvc	#HVC_SCHEDULE
	mov	x19, x0
	get_current x20
	cmp	x20, x19
	b.eq	2f
	/* context_switch: the address space, unless the next one is a kernel thread */
	ldr	x0, [x19, #TSK_TTBR0]
	cbz	x0, 1f
	ldr	x1, [x19, #TSK_ASID]
	bl	cpu_do_switch_mm
1:	mov	x0, x20
	mov	x1, x19
	/* Where rseq's work is executed: rseq_context_switch. */
	patch_site context_switch_call
	bl	__switch_to
	/* finish_task_switch */
	hvc	#HVC_SWITCHED
2:	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #32
	patch_site schedule_unmasks
	func_ret
ENDFUNC schedule

/* x0: previous task, x1: next task -> x0: previous task, on the next one's stack. The order of the steps is Linux's. */
FUNC __switch_to
	func_enter
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	mov	x19, x0
	mov	x20, x1
	bl	fpsimd_thread_switch
	/* tls_thread_switch */
	mrs	x2, tpidr_el0
	str	x2, [x19, #TSK_TP_VALUE]
	ldr	x3, [x20, #TSK_FLAGS]
	tbnz	x3, #TIF_32BIT_BIT, 9f
	ldr	x2, [x20, #TSK_TP_VALUE]
	msr	tpidr_el0, x2
	mov	x0, x20
	bl	hw_breakpoint_thread_switch
	nop				/* CONTEXTIDR_EL1 holds no PID */
	/* entry_task_switch */
	mrs	x3, tpidr_el1
	str	x20, [x3, #CPU_CURRENT]
	/* Patched to a branch to 2f when the design has no per-CPU slot. */
	patch_site vdso_switch_key
	nop
	mov	x0, x20
	patch_site vdso_switch_site
	bl	vdso_switch_thread
	patch_target vdso_switch_skip
	/* ssbs_thread_switch: cores without SSBS, and tasks that keep it, need nothing */
	ldr	x2, [x20, #TSK_FLAGS]
	nop
	ldr	x3, [x20, #TSK_TTBR0]
	cbz	x3, 1f
	b	1f
	nop
1:	b	2f			/* erratum 1418040: other cores */
	nop
2:	nop				/* pointer authentication keys: the model's affair */
	dsb	ish
	b	3f			/* no MTE */
	nop
3:	ldr	x2, [x19, #TSK_SCTLR_USER]
	ldr	x3, [x20, #TSK_SCTLR_USER]
	cmp	x2, x3
	b.ne	9f
	mov	x0, x19
	mov	x1, x20
	bl	cpu_switch_to
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #32
	func_ret
9:	hvc	#HVC_PANIC		/* no task differs there */
ENDFUNC __switch_to

/* x0: next task. Breakpoints and watchpoints change only when one of the two is being debugged. */
FUNC hw_breakpoint_thread_switch
	func_enter
	mrs	x1, sp_el0
	ldr	x2, [x1, #TSK_DEBUG]
	ldr	x3, [x0, #TSK_DEBUG]
	cmp	w2, w3
	b.ne	1f
	lsr	x2, x2, #32
	lsr	x3, x3, #32
	cmp	w2, w3
	b.ne	1f
	func_ret
1:	hvc	#HVC_PANIC		/* nobody is debugged */
ENDFUNC hw_breakpoint_thread_switch

/* x0: the next task's TTBR0, x1: its ASID, in bits 63 to 48. The ASID is in TTBR1_EL1 (TCR_EL1.A1). */
FUNC cpu_do_switch_mm
	func_enter
	mrs	x2, ttbr1_el1
	and	x2, x2, #0xffffffffffff
	orr	x2, x2, x1
	msr	ttbr1_el1, x2
	msr	ttbr0_el1, x0
	isb
	nop				/* instruction cache maintenance of another vendor's core */
	func_ret
ENDFUNC cpu_do_switch_mm

/* Callee-saved registers and the stack; sp_el0 is the current task. */
FUNC cpu_switch_to
	add	x8, x0, #TSK_CONTEXT
	mov	x9, sp
	stp	x19, x20, [x8], #16
	stp	x21, x22, [x8], #16
	stp	x23, x24, [x8], #16
	stp	x25, x26, [x8], #16
	stp	x27, x28, [x8], #16
	stp	x29, x9, [x8], #16
	str	x30, [x8]
	add	x8, x1, #TSK_CONTEXT
	ldp	x19, x20, [x8], #16
	ldp	x21, x22, [x8], #16
	ldp	x23, x24, [x8], #16
	ldp	x25, x26, [x8], #16
	ldp	x27, x28, [x8], #16
	ldp	x29, x9, [x8], #16
	ldr	x30, [x8]
	mov	sp, x9
	msr	sp_el0, x1
	ret
ENDFUNC cpu_switch_to

/* x0: previous, x1: next. Saves and loads V0-V31, FPSR, FPCR; a kernel thread has none. */
FUNC fpsimd_thread_switch
	ldr	x2, [x0, #TSK_TTBR0]
	cbz	x2, 1f
	add	x8, x0, #TSK_FPSIMD
	stp	q0, q1, [x8, #16 * 0]
	stp	q2, q3, [x8, #16 * 2]
	stp	q4, q5, [x8, #16 * 4]
	stp	q6, q7, [x8, #16 * 6]
	stp	q8, q9, [x8, #16 * 8]
	stp	q10, q11, [x8, #16 * 10]
	stp	q12, q13, [x8, #16 * 12]
	stp	q14, q15, [x8, #16 * 14]
	stp	q16, q17, [x8, #16 * 16]
	stp	q18, q19, [x8, #16 * 18]
	stp	q20, q21, [x8, #16 * 20]
	stp	q22, q23, [x8, #16 * 22]
	stp	q24, q25, [x8, #16 * 24]
	stp	q26, q27, [x8, #16 * 26]
	stp	q28, q29, [x8, #16 * 28]
	stp	q30, q31, [x8, #16 * 30]
	mrs	x9, fpsr
	mrs	x10, fpcr
	str	w9, [x0, #TSK_FPSR]
	str	w10, [x0, #TSK_FPCR]
1:	ldr	x2, [x1, #TSK_TTBR0]
	cbz	x2, 2f
	add	x8, x1, #TSK_FPSIMD
	ldp	q0, q1, [x8, #16 * 0]
	ldp	q2, q3, [x8, #16 * 2]
	ldp	q4, q5, [x8, #16 * 4]
	ldp	q6, q7, [x8, #16 * 6]
	ldp	q8, q9, [x8, #16 * 8]
	ldp	q10, q11, [x8, #16 * 10]
	ldp	q12, q13, [x8, #16 * 12]
	ldp	q14, q15, [x8, #16 * 14]
	ldp	q16, q17, [x8, #16 * 16]
	ldp	q18, q19, [x8, #16 * 18]
	ldp	q20, q21, [x8, #16 * 20]
	ldp	q22, q23, [x8, #16 * 22]
	ldp	q24, q25, [x8, #16 * 24]
	ldp	q26, q27, [x8, #16 * 26]
	ldp	q28, q29, [x8, #16 * 28]
	ldp	q30, q31, [x8, #16 * 30]
	ldr	w9, [x1, #TSK_FPSR]
	ldr	w10, [x1, #TSK_FPCR]
	msr	fpsr, x9
	msr	fpcr, x10
2:	ret
ENDFUNC fpsimd_thread_switch
