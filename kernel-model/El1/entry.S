/*
 * Exceptions: vectors, saving and restoring of all registers, in the structure
 * of Linux 6.1 (arch/arm64/kernel/entry.S). The frame on the kernel stack is
 * Linux's struct pt_regs. NOPs are alternatives that no core here has: they
 * are executed as in a stock kernel.
 */
#include "layout.h"
#include "asm.h"

	.section .text.vectors, "ax"

/* Frame, and the stack-overflow check of VMAP_STACK: no register is free yet. */
.macro	kernel_ventry el, label
	.balign	128
	.if	\el == 0
	b	8801f			/* the trampoline enters behind this instruction */
	mrs	x30, tpidrro_el0
	msr	tpidrro_el0, xzr
8801:
	.endif
	sub	sp, sp, #S_FRAME_SIZE
	add	sp, sp, x0
	sub	x0, sp, x0
	tbnz	x0, #THREAD_SHIFT, stack_overflow
	sub	x0, sp, x0
	sub	sp, sp, x0
	b	\label
.endm

	.balign	2048
	.globl	vectors
vectors:
	/* Current EL with SP_EL0: never used */
	kernel_ventry 1, el1_bad
	kernel_ventry 1, el1_bad
	kernel_ventry 1, el1_bad
	kernel_ventry 1, el1_bad
	/* Current EL with SP_ELx */
	kernel_ventry 1, el1h_64_sync
	kernel_ventry 1, el1h_64_irq
	kernel_ventry 1, el1_bad
	kernel_ventry 1, el1_bad
	/* Lower EL, AArch64 */
	kernel_ventry 0, el0t_64_sync
	kernel_ventry 0, el0t_64_irq
	kernel_ventry 0, el1_bad
	kernel_ventry 0, el1_bad
	/* Lower EL, AArch32: not supported */
	kernel_ventry 0, el1_bad
	kernel_ventry 0, el1_bad
	kernel_ventry 0, el1_bad
	kernel_ventry 0, el1_bad

	.text

/* Speculative store bypass: cores without SSBS look whether firmware must be called. */
.macro	apply_ssbd tmp1, tmp2
8881:	b 8811f
	alternative ALT_SSBD_FIRMWARE, nop
	ldr_this_cpu \tmp2, CPU_SSBD_CALLBACK, \tmp1
	cbz	\tmp2, 8811f
	hvc	#HVC_PANIC		/* no firmware here asks for it */
8811:
.endm

.macro	nops count
	.rept	\count
	nop
	.endr
.endm

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
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29
	mov	x\n, xzr
	.endr
	mrs	x21, sp_el0
	ldr_this_cpu tsk, CPU_CURRENT, x20
	msr	sp_el0, tsk
	ldr	x19, [tsk, #TSK_FLAGS]
	tbz	x19, #TIF_SINGLESTEP_BIT, 8821f
	hvc	#HVC_PANIC		/* nobody sets the bit */
8821:	ldr	x0, [tsk, #TSK_SCTLR_USER]
	b	8822f			/* no MTE: no asynchronous tag fault to look for */
8822:	apply_ssbd x22, x23
	nops	10			/* pointer authentication: the kernel's key */
	nops	3			/* MTE: isb, b; address authentication: isb */
	.else
	add	x21, sp, #S_FRAME_SIZE
	get_current tsk
	.endif
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	stp	x30, x21, [sp, #16 * 15]
	.if	\el == 0
	stp	xzr, xzr, [sp, #S_STACKFRAME]
	.else
	stp	x29, x22, [sp, #S_STACKFRAME]
	.endif
	add	x29, sp, #S_STACKFRAME
	stp	x22, x23, [sp, #S_PC]
	mov	w21, #-1
	str	w21, [sp, #S_SYSCALLNO]
.endm

.macro	load_registers
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
.endm

FUNC el0t_64_sync
	kernel_entry 0
	mov	x0, sp
	bl	el0t_64_sync_handler
	b	ret_to_user
ENDFUNC el0t_64_sync

/* Everything is decided: registers, and out. */
	.globl	ret_to_user
	.type	ret_to_user, %function
ret_to_user:
	ldr	x19, [tsk, #TSK_FLAGS]
	tbz	x19, #TIF_SINGLESTEP_BIT, 1f
	hvc	#HVC_PANIC
1:	ldp	x21, x22, [sp, #S_PC]
	ldr	x23, [sp, #S_SP]
	msr	sp_el0, x23
	tst	x22, #0x10		/* a 32-bit task? */
	b.eq	3f
	nop				/* erratum 845719, 32-bit tasks only */
3:	/*
	 * Pointer authentication: the user's key, NOPs without it. A kernel that
	 * writes TPIDRRO_EL0 again on every return (--kernel reload) does so here.
	 */
	ldr	x0, [tsk, #TSK_SCTLR_USER]
8881:	nop
	alternative ALT_RELOAD, mrs x0, tpidr_el1
8881:	nop
	alternative ALT_RELOAD, ldr x0, [x0, #CPU_VDSO_REGISTER]
	patch_site vdso_reload_write
8881:	nop
	alternative ALT_RELOAD, msr tpidrro_el0, x0
	nops	9
	nops	1			/* MTE: the user's tags */
	apply_ssbd x0, x1
	msr	elr_el1, x21
	msr	spsr_el1, x22
	load_registers
8881:	b	5f
	alternative ALT_KPTI, nop
	/* Through the trampoline: x29 rests in FAR_EL1, x30 and SP are restored there. */
	nops	5
	b.ne	4f
	msr	far_el1, x29
	movz	x30, #((TRAMP_VALIAS >> 32) & 0xffff), lsl #32
	movk	x30, #((TRAMP_VALIAS >> 16) & 0xffff), lsl #16
	movk	x30, #((TRAMP_VALIAS >> 48) & 0xffff), lsl #48
	add	x30, x30, #((TRAMP_VALIAS >> 12) & 0xf), lsl #12
	br	x30
4:	hvc	#HVC_PANIC		/* a 32-bit task: not supported */
5:	ldr	x30, [sp, #16 * 15]
	add	sp, sp, #S_FRAME_SIZE
	nops	2			/* erratum 1508412; straight-line speculation */
	eret
	.size	ret_to_user, . - ret_to_user

/* The synchronous exceptions of EL0, by class. x0: pt_regs */
FUNC el0t_64_sync_handler
	noinstr_enter
	stp	x29, x30, [sp, #-16]!
	mov	x4, x0
	mov	x29, sp
	mrs	x2, esr_el1
	lsr	w1, w2, #26
	cmp	w1, #0x24		/* aborts of data; those of instructions, and calls, are below */
	b.hi	.Lel0_sync_other
	cmp	w1, #0x24		/* never above here: the compiled switch asks twice, and so are its cycles */
	b.ls	2f
.Lel0_sync_other:
	mov	x0, x4
	bl	el0_fault
1:	ldp	x29, x30, [sp], #16
	func_ret
2:	adrp	x0, .Lel0_sync_classes
	add	x0, x0, :lo12:.Lel0_sync_classes
	ldrb	w0, [x0, w1, uxtw]
	adr	x3, .Lel0_sync_other
	add	x0, x3, w0, uxtb #2
	br	x0
.Lel0_sync_svc:
	mov	x0, x4
	bl	el0_svc
	b	1b
ENDFUNC el0t_64_sync_handler

/* x0: pt_regs */
FUNC el0_svc
	noinstr_enter
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	str	x19, [sp, #16]
	mov	x19, x0
	/* enter_from_user_mode */
	nop				/* context tracking is off */
	nop				/* no MTE: PSTATE.TCO stays */
	mrs	x0, sp_el0
	nop
	nop				/* no SVE state to discard */
	bl	cortex_a76_erratum_1463225_svc_handler
	mov	x0, x19
	bl	do_el0_svc
	/* exit_to_user_mode */
	msr	daifset, #0xf
	mrs	x2, sp_el0
	ldr	x1, [x2, #TSK_FLAGS]
	tst	x1, #TIF_WORK_MASK
	b.ne	5f
3:	nop				/* context tracking */
	ldr	x19, [sp, #16]
	ldp	x29, x30, [sp], #32
	func_ret
5:	bl	do_notify_resume
	b	3b
ENDFUNC el0_svc

/* A single-stepped SVC of a Cortex-A76 needs care; others leave at once. */
FUNC cortex_a76_erratum_1463225_svc_handler
	mov	x9, x30
	nop
	mrs	x0, sp_el0
	ldr	x0, [x0, #TSK_FLAGS]
	tst	x0, #(1 << TIF_SINGLESTEP_BIT)
	b.ne	1f
	ret
1:	hvc	#HVC_PANIC
ENDFUNC cortex_a76_erratum_1463225_svc_handler

/* A fault. x0: pt_regs, x2: ESR */
FUNC el0_fault
	noinstr_enter
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	nop
	mov	x1, x2
	mrs	x2, far_el1
	msr	daif, xzr
	hvc	#HVC_FAULT
	cmp	x0, #ACT_SCHEDULE
	b.ne	1f
	bl	schedule
1:	bl	exit_to_user_mode
	ldp	x29, x30, [sp], #16
	func_ret
ENDFUNC el0_fault

/* Interrupts are off afterwards and no work is left. */
FUNC exit_to_user_mode
	noinstr_enter
	msr	daifset, #0xf
	mrs	x2, sp_el0
	ldr	x1, [x2, #TSK_FLAGS]
	tst	x1, #TIF_WORK_MASK
	b.ne	do_notify_resume
	func_ret
ENDFUNC exit_to_user_mode

/* Reschedules and lets the model do what is pending, until nothing is. */
FUNC do_notify_resume
	func_enter
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
1:	ldr	x1, [tsk, #TSK_FLAGS]
	tbz	x1, #TIF_NEED_RESCHED_BIT, 2f
	/* Where tasks may ask for longer time slices: rseq_slice_or_schedule. */
	patch_site slice_schedule_call
	bl	schedule
	b	3f
2:	tbz	x1, #TIF_VDSO_BIT, 5f
	bl	vdso_refresh_thread
	b	3f
5:	tst	x1, #TIF_WORK_MASK
	b.eq	4f
	ldr	x0, [tsk, #TSK_STACK_TOP]
	sub	x0, x0, #S_FRAME_SIZE
	/* Where rseq's work is executed: rseq_resume_work. */
	patch_site notify_work_call
	hvc	#HVC_WORK
	cmp	x0, #ACT_SCHEDULE
	b.ne	3f
	bl	schedule
3:	msr	daifset, #0xf
	b	1b
4:	ldp	x29, x30, [sp], #16
	func_ret
ENDFUNC do_notify_resume

FUNC el0t_64_irq
	kernel_entry 0
	mov	x0, sp
	bl	el0t_64_irq_handler
	b	ret_to_user
ENDFUNC el0t_64_irq

FUNC el0t_64_irq_handler
	noinstr_enter
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	/* rseq_note_user_irq_entry */
	patch_site slice_irq_entry
	nop				/* context tracking */
	bl	handle_irq
	/* rseq_irq_exit */
	patch_site slice_irq_exit
	bl	exit_to_user_mode
	ldp	x29, x30, [sp], #16
	func_ret
ENDFUNC el0t_64_irq_handler

.macro	kernel_exit_el1
	ldp	x21, x22, [sp, #S_PC]
	msr	elr_el1, x21
	msr	spsr_el1, x22
	load_registers
	ldr	x30, [sp, #16 * 15]
	add	sp, sp, #S_FRAME_SIZE
	nop				/* erratum 1508412 */
	eret
.endm

FUNC el1h_64_irq
	kernel_entry 1
	mov	x0, sp
	/* In a preemptible kernel: el1_irq_preempt. */
	patch_site el1_irq_call
	bl	handle_irq
	kernel_exit_el1
ENDFUNC el1h_64_irq

/* A fault of EL1 code: a user address that is not there yet, or a bad one. */
FUNC el1h_64_sync
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
1:	kernel_exit_el1
2:	mov	x0, sp
	mov	x1, x25
	mov	x2, x26
	hvc	#HVC_PANIC
	b	.
ENDFUNC el1h_64_sync

FUNC el1_bad
	kernel_entry 1
	mov	x0, sp
	mrs	x1, esr_el1
	mrs	x2, far_el1
	hvc	#HVC_PANIC
	b	.
ENDFUNC el1_bad

/* SP left the kernel stack. */
FUNC stack_overflow
	mrs	x1, esr_el1
	mrs	x2, far_el1
	hvc	#HVC_PANIC
	b	.
ENDFUNC stack_overflow

FUNC __stack_chk_fail
	mov	x0, sp
	mov	x1, #0
	mov	x2, #0
	hvc	#HVC_PANIC
	b	.
ENDFUNC __stack_chk_fail

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

/* First code of a new task; cpu_switch_to "returned" here with x0 = previous. */
FUNC ret_from_fork
	hvc	#HVC_SWITCHED
	get_current tsk
	bl	exit_to_user_mode
	b	ret_to_user
ENDFUNC ret_from_fork

/* First code of the first process: the end of its execve (flush_thread, start_thread). */
FUNC ret_from_exec
	hvc	#HVC_SWITCHED
	get_current tsk
	/* Patched to a branch to ret_from_exec_out when the design has no per-CPU slot. */
	patch_site vdso_init_key
	nop
	bl	vdso_flush_thread
	get_current x0
	bl	vdso_start_thread
	patch_target ret_from_exec_out
	bl	exit_to_user_mode
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
	/* With KPTI the trampoline selects the vectors of EL0, otherwise these stay. */
	adrp	x2, vectors
	add	x2, x2, :lo12:vectors
8881:	ldr x2, [x0, #CPU_VECTOR]
	alternative ALT_KPTI, nop
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

	.section .rodata, "a"
/* By exception class: distance of its case from .Lel0_sync_other, in instructions */
.Lel0_sync_classes:
	.skip	0x15
	.byte	(.Lel0_sync_svc - .Lel0_sync_other) / 4		/* 0x15: SVC */
	.skip	0x24 - 0x15
