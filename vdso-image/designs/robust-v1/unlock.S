/* SPDX-License-Identifier: MIT */
/*
 * u32 __vdso_futex_robust_list64_try_unlock(u32 *lock, u32 tid, u64 *pending), instruction for instruction as the mails
 * of v1 and v2 list it: the window begins with the load, the futex is accessed with 64 bits, and the status of the
 * exclusive store takes the place of the TID.
 */
	.text
	.balign	16
	.globl	__vdso_futex_robust_list64_try_unlock, __vdso_robust_window_start, __vdso_robust_window_end
	.type	__vdso_futex_robust_list64_try_unlock, %function
__vdso_futex_robust_list64_try_unlock:
__vdso_robust_window_start:
	ldxr	x3, [x0]
	cmp	x1, x3
	b.ne	__vdso_robust_window_end
	stlxr	w1, xzr, [x0]
	cbnz	w1, __vdso_robust_window_start
	str	xzr, [x2]
__vdso_robust_window_end:
	mov	w0, w3
	ret
	.size	__vdso_futex_robust_list64_try_unlock, . - __vdso_futex_robust_list64_try_unlock
