/* SPDX-License-Identifier: MIT */
#include <armvdso/hooks.h>
#include <vdso/datapage.h>

/* Odd at once, so that the task asks the kernel until its CPU has filled the slot again. */
static void invalidate(struct vdso_cpu *cpu)
{
	vdso_u32 *seq = &((struct vdso_per_cpu_data *)cpu->vdso_slot)->seq;

	VDSO_WRITE(*seq, (VDSO_READ(*seq) + 1) | 1);
}

static void changed(struct vdso_task *task, struct vdso_cpu *cpu)
{
	if (!cpu)
		return;
	invalidate(cpu);
	vdso_refresh_task(task);
}

void vdso_credentials_changed(struct vdso_task *task, struct vdso_cpu *cpu)
{
	changed(task, cpu);
}

void vdso_namespace_entered(struct vdso_task *task, struct vdso_cpu *cpu)
{
	changed(task, cpu);
}

void vdso_word_changed(struct vdso_task *task, struct vdso_cpu *cpu, enum vdso_word word)
{
	(void)word;
	changed(task, cpu);
}

void vdso_cpu_offline(struct vdso_cpu *cpu)
{
	invalidate(cpu);
}
