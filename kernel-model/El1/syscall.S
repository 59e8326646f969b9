/*
 * System calls: the way from el0_svc to the body and back, in the structure of
 * Linux 6.1 (arch/arm64/kernel/syscall.c). The short calls that the project
 * compares have their bodies in ids.S and clocks.S; the others end in
 * __arm64_sys_model, which asks the kernel model.
 */
#include "layout.h"
#include "asm.h"
#include "Generated/calls.h"

#define ENOSYS	38

	.text

/* x0: pt_regs */
FUNC do_el0_svc
	func_enter
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	nop				/* no SVE */
	ldr	w1, [x0, #8 * 8]
	mov	w2, #NR_SYSCALLS
	adrp	x3, sys_call_table
	add	x3, x3, :lo12:sys_call_table
	bl	el0_svc_common
	ldp	x29, x30, [sp], #16
	func_ret
ENDFUNC do_el0_svc

/* x0: pt_regs, w1: number, w2: how many there are, x3: table */
FUNC el0_svc_common
	func_enter
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	mov	x19, x0
	mrs	x20, sp_el0
	ldr	x4, [x20, #TSK_FLAGS]
	ldr	x5, [x0, #S_X0]
	str	x5, [x0, #S_ORIG_X0]
	str	w1, [x0, #S_SYSCALLNO]
	msr	daif, xzr
	tbnz	w4, #TIF_MTE_ASYNC_FAULT_BIT, 4f
	tst	x4, #(1 << TIF_SYSCALL_TRACE_BIT)
	b.ne	2f
	bl	invoke_syscall
	/* What traces may have come meanwhile: look again with interrupts off. */
	msr	daifset, #0xf
	ldr	x4, [x20, #TSK_FLAGS]
	and	x4, x4, #(1 << TIF_SYSCALL_TRACE_BIT)
	cbz	x4, 1f
	msr	daif, xzr
1:	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #32
	func_ret
2:	/* Traced (--strace): the model sees every call. */
	mov	x0, x19
	bl	__arm64_sys_model
	str	x0, [x19, #S_X0]
	b	1b
4:	hvc	#HVC_PANIC		/* nobody sets the bit */
ENDFUNC el0_svc_common

/* x0: pt_regs, w1: number, w2: how many, x3: table */
FUNC invoke_syscall
	func_enter
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	mov	x19, x0
	/* add_random_kstack_offset: this call's frames begin up to 1 KiB lower; no stack protector in such a function */
8881:	b 1f
	alternative ALT_RANDOM_STACK, nop
	mrs	x0, sp_el0
	ldr	w4, [x0, #TSK_KSTACK_OFFSET]
	and	x4, x4, #0x3ff
	add	x4, x4, #15
	and	x4, x4, #0x7f0
	sub	sp, sp, x4
	mov	x0, sp			/* the space is used, as the compiler sees it */
1:	cmp	w1, w2
	b.hs	4f
	/* array_index_nospec */
	mov	w2, w2
	mov	w1, w1
	cmp	x1, x2
	sbc	x0, xzr, xzr
	csdb
	and	x1, x1, x0
	mov	x0, x19
	ldr	x1, [x3, x1, lsl #3]
	blr	x1
2:	/* syscall_set_return_value: 32 bits for a 32-bit task */
	mrs	x1, sp_el0
	ldr	x2, [x1, #TSK_FLAGS]
	and	x1, x0, #0xffffffff
	tst	x2, #(1 << TIF_32BIT_BIT)
	csel	x0, x1, x0, ne
	str	x0, [x19, #S_X0]
	/* choose_random_kstack_offset: the next call's */
8881:	b 3f
	alternative ALT_RANDOM_STACK, nop
	mrs	x20, sp_el0
	ldr	w19, [x20, #TSK_KSTACK_OFFSET]
	bl	get_random_u16
	and	w0, w0, #0xffff
	ror	w19, w19, #5
	eor	w0, w0, w19
	str	w0, [x20, #TSK_KSTACK_OFFSET]
3:	mov	sp, x29
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #32
	func_ret
4:	/* No such call, unless the task is a 32-bit one with calls of its own. */
	mrs	x6, sp_el0
	ldr	x6, [x6, #TSK_FLAGS]
	tbnz	x6, #TIF_32BIT_BIT, 5f
	bl	sys_ni_syscall
	b	2b
5:	hvc	#HVC_PANIC
ENDFUNC invoke_syscall

FUNC sys_ni_syscall
	func_enter
	mov	x0, #-ENOSYS
	func_ret
ENDFUNC sys_ni_syscall

/*
 * A call whose body is in the kernel model. x0: pt_regs -> x0: its result.
 * A body that must wait is run again after the task has slept.
 */
FUNC __arm64_sys_model
	func_enter
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	str	x19, [sp, #16]
	mov	x19, x0
1:	/* Patched to a call that looks at the thread's page, where user space may write to it. */
	patch_site vdso_request_key
	mov	x0, x19
	hvc	#HVC_SYSCALL
	cbz	x0, el0_svc_out
	cmp	x0, #ACT_EXEC
	b.eq	2f
	bl	schedule
	b	1b
2:	/* Patched to a branch to el0_svc_out when the design has no per-CPU slot. */
	patch_site vdso_exec_key
	nop
	/* In a preemptible kernel whose design guards its update: vdso_flush_guarded and vdso_start_guarded. */
	patch_site vdso_exec_flush
	bl	vdso_flush_thread
	get_current x0
	patch_site vdso_exec_start
	bl	vdso_start_thread
	patch_target el0_svc_out
	ldr	x0, [x19, #S_X0]
	ldr	x19, [sp, #16]
	ldp	x29, x30, [sp], #32
	func_ret
ENDFUNC __arm64_sys_model

/* -> x0: PSTATE.DAIF before; interrupts are masked afterwards */
FUNC arch_local_irq_save
	noinstr_enter
	mrs	x0, daif
	and	w1, w0, #0x80
	cbz	w1, 1f
	func_ret
1:	nop				/* interrupt priority masking, */
	mov	x1, #0x60		/* which would take this value */
	msr	daifset, #3
	func_ret
ENDFUNC arch_local_irq_save

/* A random number from this CPU's batch; an empty batch is filled anew. -> w0 */
FUNC get_random_u16
	func_enter
	sub	sp, sp, #64
	mrs	x0, sp_el0
	add	x0, x0, #TSK_CANARY
	stp	x29, x30, [sp, #16]
	add	x29, sp, #16
	ldr	x1, [x0]
	str	x1, [sp, #8]
	mov	x1, #0
	strh	wzr, [sp, #6]		/* the number: locals begin as zero */
	nop				/* the generator is seeded: a static branch */
	stp	x19, x20, [sp, #32]
	movz	x19, #(CPU_BATCH_ENTROPY & ~0xfff)
	movk	x19, #0, lsl #16
	add	x19, x19, #(CPU_BATCH_ENTROPY & 0xfff)
	str	x21, [sp, #48]
	bl	arch_local_irq_save
	mov	x20, x0
	mrs	x1, tpidr_el1
	add	x19, x19, x1
	adrp	x2, base_crng
	add	x2, x2, :lo12:base_crng
	ldr	w1, [x19, #(CPU_BATCH_POSITION - CPU_BATCH_ENTROPY)]
	ldr	x21, [x2]
	cmp	w1, #(CPU_BATCH_ENTRIES - 1)
	b.hi	1f
	ldr	x0, [x19, #(CPU_BATCH_GENERATION - CPU_BATCH_ENTROPY)]
	add	w2, w1, #1
	cmp	x0, x21
	b.eq	2f
1:	str	x21, [x19, #(CPU_BATCH_GENERATION - CPU_BATCH_ENTROPY)]
	hvc	#HVC_RANDOM
	mov	w1, #0
	mov	w2, #1
2:	ubfiz	x1, x1, #1, #32
	ldrh	w0, [x19, x1]
	strh	w0, [sp, #6]
	strh	wzr, [x19, x1]
	str	w2, [x19, #(CPU_BATCH_POSITION - CPU_BATCH_ENTROPY)]
	msr	daif, x20
	ldp	x19, x20, [sp, #32]
	ldr	x21, [sp, #48]
	ldrh	w0, [sp, #6]
	canary_check x1, x2, [sp, #8]
	ldp	x29, x30, [sp, #16]
	add	sp, sp, #64
	func_ret
ENDFUNC get_random_u16

/* One access of 2^\bit bytes from x1 to the user's x6, and on, if \bytes has the bit. */
.macro	copy_part bytes, bit, load, store, data
	tbz	\bytes, #\bit, 7705f
	\load	\data, [x1], #(1 << \bit)
	USER	9f, \store \data, [x6]
	add	x6, x6, #(1 << \bit)
7705:
.endm

/*
 * x0: user address, x1: source, x2: bytes -> x0: bytes that could not be
 * copied. Unprivileged stores, so PAN stays on.
 */
FUNC __arch_copy_to_user
	hint	#120
	add	x5, x0, x2
	mov	x6, x0
	cmp	x2, #16
	b.lo	5f
	/* The source is aligned first, by one access of each size. Linux leaves an aligned one alone; here three bits that are 0 are tested. */
	neg	x4, x1
	ands	x4, x4, #15
	b.eq	6f
	sub	x2, x2, x4
	copy_part w4, 0, ldrb, sttrb, w7
6:	copy_part w4, 1, ldrh, sttrh, w7
	copy_part w4, 2, ldr, sttr, w7
	copy_part w4, 3, ldr, sttr, x7
1:	cmp	x2, #64
	b.ge	8f
2:	ands	x4, x2, #0x30
	b.eq	5f
	cmp	w4, #0x20
	b.eq	3f
	b.lt	4f
	ldp	x7, x8, [x1], #16
	USER	9f, sttr x7, [x6]
	USER	9f, sttr x8, [x6, #8]
	add	x6, x6, #16
3:	ldp	x7, x8, [x1], #16
	USER	9f, sttr x7, [x6]
	USER	9f, sttr x8, [x6, #8]
	add	x6, x6, #16
4:	ldp	x7, x8, [x1], #16
	USER	9f, sttr x7, [x6]
	USER	9f, sttr x8, [x6, #8]
	add	x6, x6, #16
5:	copy_part w2, 3, ldr, sttr, x7
	copy_part w2, 2, ldr, sttr, w7
	copy_part w2, 1, ldrh, sttrh, w7
	tbz	w2, #0, 54f
	ldrb	w7, [x1]
	USER	9f, sttrb w7, [x6]
54:	mov	x0, #0
	func_ret
8:	ldp	x7, x8, [x1], #16
	USER	9f, sttr x7, [x6]
	USER	9f, sttr x8, [x6, #8]
	add	x6, x6, #16
	sub	x2, x2, #16
	b	1b
9:	sub	x0, x5, x6
	func_ret
ENDFUNC __arch_copy_to_user

	.section .rodata, "a"
.macro	models from, to
	.rept	\to - \from
	.quad	__arm64_sys_model
	.endr
.endm
	.balign	64
	.globl	sys_call_table
sys_call_table:
	sys_call_rows
	.size	sys_call_table, . - sys_call_table
