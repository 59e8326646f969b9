/* SPDX-License-Identifier: MIT */
#include <armvdso/hooks.h>
#include <vdso/datapage.h>

/* The slot's words are in the order of enum vdso_word. */
static void store(vdso_u64 slot, struct vdso_task *task, enum vdso_word word)
{
	VDSO_WRITE((&((struct vdso_per_cpu_data *)slot)->pid)[word], vdso_word_of(task, word));
}

void vdso_word_changed(struct vdso_task *task, struct vdso_cpu *cpu, enum vdso_word word)
{
	(void)cpu;
	if (!task->vdso_slot)
		return;
	store(task->vdso_slot, task, word);
	vdso_refresh_task(task);
}

/* A slot is filled when something has changed, not at each switch. */
static void refresh(struct vdso_task *task)
{
	if (task->vdso_slot)
		vdso_refresh_task(task);
}

void vdso_credentials_changed(struct vdso_task *task, struct vdso_cpu *cpu)
{
	(void)cpu;
	refresh(task);
}

void vdso_namespace_entered(struct vdso_task *task, struct vdso_cpu *cpu)
{
	(void)cpu;
	refresh(task);
}
