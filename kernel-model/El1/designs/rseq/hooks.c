/* SPDX-License-Identifier: MIT */
#include <armvdso/hooks.h>

/* The area is the thread's own, filled by the kernel before the return to EL0. */
void vdso_rseq_changed(struct vdso_task *task, struct vdso_cpu *cpu, vdso_u64 area)
{
	(void)cpu;
	task->vdso_own = area;
	vdso_refresh_task(task);
}
