/* SPDX-License-Identifier: MIT */
/*
 * Where a signal handler returns to. Unwinders know it by these two instructions, byte for byte, so there
 * is no call frame information, which they would then believe instead, and no landing pad.
 */
#include <asm/vdso/unistd.h>

	.text
	.balign	16
	/* An unwinder looks up the return address less one: this NOP, which must be in no other function. */
	nop
	.globl	__kernel_rt_sigreturn
__kernel_rt_sigreturn:
	mov	x8, #__NR_rt_sigreturn
	svc	#0
	.size	__kernel_rt_sigreturn, . - __kernel_rt_sigreturn
