/* SPDX-License-Identifier: MIT */
/*
 * u32 __vdso_futex_robust_list64_try_unlock(u32 *lock, u32 tid, u64 *pending), instruction for instruction as the mail
 * of v3 lists it: the window is the last store alone.
 */
	.text
	.balign	16
	.globl	__vdso_futex_robust_list64_try_unlock, __vdso_robust_window_start, __vdso_robust_window_end
	.type	__vdso_futex_robust_list64_try_unlock, %function
__vdso_futex_robust_list64_try_unlock:
	ldxr	w8, [x0]
	cmp	w1, w8
	b.ne	__vdso_robust_window_end
	stlxr	w9, wzr, [x0]
	cbnz	w9, __vdso_futex_robust_list64_try_unlock
__vdso_robust_window_start:
	str	xzr, [x2]
__vdso_robust_window_end:
	mov	w0, w8
	ret
	.size	__vdso_futex_robust_list64_try_unlock, . - __vdso_futex_robust_list64_try_unlock
