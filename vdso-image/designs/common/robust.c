/* SPDX-License-Identifier: MIT */
/*
 * What the kernel does for an unlock of a robust futex in the vDSO: a task that is about to take a signal inside of the
 * window between the unlock and the store that says so has that store made for it (futex_fixup_robust_unlock in
 * kernel/entry/common.c). Where the window is, and how it is known that the futex is unlocked, is in window.h.
 */
#include <armvdso/hooks.h>
#include <armvdso/image.h>

#include "window.h"

void vdso_signal_pending(struct vdso_task *task, struct vdso_cpu *cpu, struct vdso_regs *regs)
{
	vdso_u64 at = regs->pc - task->image;

	(void)cpu;
	if (!task->image || at < VDSO_IMAGE___vdso_robust_window_start || at >= VDSO_IMAGE___vdso_robust_window_end)
		return;
	if (ROBUST_UNLOCKED(regs))
		vdso_put_user(regs->x[2], 0);
}

/* struct robust_list_head (include/uapi/linux/futex.h), in the buffer; a mutex of nobody else in the page. */
struct robust_head {
	vdso_u64 list, futex_offset, pending;
};

struct robust_mutex {
	vdso_u64 unused[2];
	vdso_u32 futex, beside;
	vdso_u64 padding, node;
};

#define FUTEX_OWNER_DIED	0x40000000u

/* The owner has taken the mutex off its list, which is empty now, and is about to unlock it. */
VDSO_BEFORE(robust_unlock)
{
	struct robust_head *head = buffer;
	struct robust_mutex *mutex = page;

	(void)cpu;
	mutex->futex = task->tid;
	head->list = buffer_address;
	head->futex_offset = __builtin_offsetof(struct robust_mutex, futex) - __builtin_offsetof(struct robust_mutex, node);
	head->pending = page_address + __builtin_offsetof(struct robust_mutex, node);
}

/* Unlocked, and nothing pending; the answer is what the futex was. */
VDSO_AFTER(robust_unlock)
{
	const struct robust_head *head = buffer;
	const struct robust_mutex *mutex = page;

	(void)cpu;
	if ((vdso_u32)answer != task->tid)
		return 1;
	return mutex->futex ? 2 : head->pending ? 3 : 0;
}

/* Who takes the mutex now, and knows of no other user, may free it. */
VDSO_FREE(robust_unlock)
{
	(void)buffer;
	return ((const struct robust_mutex *)page)->futex == 0;
}

/* Unlocked stays unlocked. What the dead thread held must say that its owner died, or those who wait do so for ever. */
VDSO_DEAD(robust_unlock)
{
	vdso_u32 futex = ((const struct robust_mutex *)page)->futex;

	(void)tid;
	(void)buffer;
	return given_up ? futex != 0 : futex == FUTEX_OWNER_DIED ? 0 : 4;
}
