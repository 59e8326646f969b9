/* SPDX-License-Identifier: MIT */
/*
 * u32 __vdso_futex_robust_list64_try_unlock(u32 *lock, u32 tid, u64 *pending), in the order of accesses, with the window
 * and the register of the status as in the trees that the kernel test robot built after v3.
 */
	.text
	.balign	16
	.globl	__vdso_futex_robust_list64_try_unlock, __vdso_robust_window_start, __vdso_robust_window_end
	.type	__vdso_futex_robust_list64_try_unlock, %function
__vdso_futex_robust_list64_try_unlock:
	prfm	pstl1strm, [x0]
1:	ldxr	w4, [x0]
	cmp	w1, w4
	b.ne	__vdso_robust_window_end
	stlxr	w3, wzr, [x0]
__vdso_robust_window_start:
	cbnz	w3, 1b
	str	xzr, [x2]
__vdso_robust_window_end:
	mov	w0, w4
	ret
	.size	__vdso_futex_robust_list64_try_unlock, . - __vdso_futex_robust_list64_try_unlock
