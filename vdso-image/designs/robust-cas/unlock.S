/* SPDX-License-Identifier: MIT */
/*
 * u32 __vdso_futex_robust_list64_try_unlock(u32 *lock, u32 tid, u64 *pending) with one atomic instruction: no exclusive
 * access that an interrupt could break off, so no loop, and a debugger can step through. Behind it W4 says in each
 * instruction of the window whether the futex is unlocked.
 */
	.arch_extension lse
	.text
	.balign	16
	.globl	__vdso_futex_robust_list64_try_unlock, __vdso_robust_window_start, __vdso_robust_window_end
	.type	__vdso_futex_robust_list64_try_unlock, %function
__vdso_futex_robust_list64_try_unlock:
	mov	w4, w1
	casl	w4, wzr, [x0]
__vdso_robust_window_start:
	cmp	w4, w1
	b.ne	__vdso_robust_window_end
	str	xzr, [x2]
__vdso_robust_window_end:
	mov	w0, w4
	ret
	.size	__vdso_futex_robust_list64_try_unlock, . - __vdso_futex_robust_list64_try_unlock
