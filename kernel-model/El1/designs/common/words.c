/* SPDX-License-Identifier: MIT */
#include <armvdso/hooks.h>
#include <vdso/datapage.h>

/* The slot's words are in the order of enum vdso_word. */
static void store(vdso_u64 slot, struct vdso_task *task, enum vdso_word word)
{
	VDSO_WRITE((&((struct vdso_per_cpu_data *)slot)->pid)[word], vdso_word_of(task, word));
}

/*
 * One word, at once, in the slot of the CPU that runs the task, whichever this is: a reader needs no protection from
 * it. A CPU that fills its slot at this moment does it again before its next instruction in EL0.
 */
void vdso_word_changed(struct vdso_task *task, struct vdso_cpu *cpu, enum vdso_word word)
{
	if (!cpu)
		return;
	store(cpu->vdso_slot, task, word);
	vdso_refresh_task(task);
}

void vdso_credentials_changed(struct vdso_task *task, struct vdso_cpu *cpu)
{
	(void)cpu;
	vdso_refresh_task(task);
}

void vdso_namespace_entered(struct vdso_task *task, struct vdso_cpu *cpu)
{
	(void)cpu;
	vdso_refresh_task(task);
}
