/*
 * --preempt full: EL1 code is preempted where interrupts are on, as in Linux with CONFIG_PREEMPT
 * (arch/arm64/kernel/entry-common.c, arm64_preempt_schedule_irq; kernel/sched/core.c). Nothing here is reached unless the
 * calls at el1_irq_call, vdso_exec_flush and vdso_exec_start are patched at boot.
 */
#include "layout.h"
#include "asm.h"

	.section .preempt.text, "ax"

/* An interrupt of EL1 code. x0: pt_regs. Whoever was interrupted gives way here when somebody else is to run. */
FUNC el1_irq_preempt
	func_enter
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	bl	handle_irq
	ldr	w1, [tsk, #TSK_PREEMPT_COUNT]
	cbnz	w1, 2f
1:	ldr	x1, [tsk, #TSK_FLAGS]
	tbz	x1, #TIF_NEED_RESCHED_BIT, 2f
	bl	preempt_schedule
	msr	daifset, #3		/* until kernel_exit_el1 has restored PSTATE */
	b	1b
2:	ldp	x29, x30, [sp], #16
	func_ret
ENDFUNC el1_irq_preempt

/* Schedules once with preemption off meanwhile; schedule leaves interrupts on. */
FUNC preempt_schedule
	func_enter
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	get_current x1
	mov	w0, #1
	str	w0, [x1, #TSK_PREEMPT_COUNT]
	bl	schedule
	get_current x1
	str	wzr, [x1, #TSK_PREEMPT_COUNT]
	ldp	x29, x30, [sp], #16
	func_ret
ENDFUNC preempt_schedule

/* The end of execve with preemption off: preempt_disable ... */
FUNC vdso_flush_guarded
	get_current x1
	mov	w0, #1
	str	w0, [x1, #TSK_PREEMPT_COUNT]
	b	vdso_flush_thread
ENDFUNC vdso_flush_guarded

/* ... to preempt_enable, which gives way when that was asked for meanwhile. x0: the task */
FUNC vdso_start_guarded
	func_enter
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	bl	vdso_start_thread
	get_current x1
	str	wzr, [x1, #TSK_PREEMPT_COUNT]
1:	ldr	x1, [x1, #TSK_FLAGS]
	tbz	x1, #TIF_NEED_RESCHED_BIT, 2f
	bl	preempt_schedule
	get_current x1
	b	1b
2:	ldp	x29, x30, [sp], #16
	func_ret
ENDFUNC vdso_start_guarded
