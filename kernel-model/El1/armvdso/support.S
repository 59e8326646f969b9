/* SPDX-License-Identifier: MIT */
/* What is between the kernel's EL1 code and hooks in C; part of every design's hooks. */
#include <armvdso/el1/layout.h>

	.text

/* x0: next task, x19: the one that is left, x20: next task. The last instruction is written at boot. */
	.weak	vdso_leave
	.globl	__vdso_leave
	.type	__vdso_leave, %function
	.balign	16
__vdso_leave:
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	mov	x0, x19
	ldr	x1, [x19, #TSK_STACK_TOP]
	sub	x1, x1, #S_FRAME_SIZE
	bl	vdso_leave
	mov	x0, x20
	ldp	x29, x30, [sp], #16
	.globl	__vdso_leave_end
__vdso_leave_end:
	brk	#0
	.size	__vdso_leave, . - __vdso_leave

/* x1: what TPIDRRO_EL0 will hold, for an exit to EL0 that writes it again. Leaves x1 alone. */
	.globl	__vdso_keep_register
	.type	__vdso_keep_register, %function
	.balign	16
__vdso_keep_register:
	mrs	x2, tpidr_el1
	str	x1, [x2, #CPU_VDSO_REGISTER]
	ret
	.size	__vdso_keep_register, . - __vdso_keep_register

/* The compiler may ask for these two. */
	.weak	memcpy
	.type	memcpy, %function
	.balign	16
memcpy:
	mov	x3, x0
1:	cbz	x2, 2f
	ldrb	w4, [x1], #1
	strb	w4, [x3], #1
	sub	x2, x2, #1
	b	1b
2:	ret
	.size	memcpy, . - memcpy

	.weak	memset
	.type	memset, %function
	.balign	16
memset:
	mov	x3, x0
1:	cbz	x2, 2f
	strb	w1, [x3], #1
	sub	x2, x2, #1
	b	1b
2:	ret
	.size	memset, . - memset
