/* SPDX-License-Identifier: MIT */
/* The talk has no hooks beyond switch and execve: each of these is what fix=NAME adds. */
#include <armvdso/hooks.h>
#include <vdso/datapage.h>

/* The slot's words are in the order of enum vdso_word. */
static void store(struct vdso_cpu *cpu, struct vdso_task *task, enum vdso_word word)
{
	VDSO_WRITE((&((struct vdso_per_cpu_data *)cpu->vdso_slot)->pid)[word], vdso_word_of(task, word));
}

void vdso_credentials_changed__fix_cred(struct vdso_task *task, struct vdso_cpu *cpu)
{
	(void)cpu;
	vdso_refresh_task(task);
}

void vdso_id_maps_changed__fix_cred(struct vdso_task *task, struct vdso_cpu *cpu)
{
	if (!cpu)
		return;
	for (enum vdso_word word = VDSO_UID; word <= VDSO_EGID; word++)
		store(cpu, task, word);
	vdso_refresh_task(task);
}

/* Without fix=cred, IDs that another map gives come here too: they are not this fix's. */
void vdso_word_changed__fix_reparent(struct vdso_task *task, struct vdso_cpu *cpu, enum vdso_word word)
{
	if (!cpu || (word >= VDSO_UID && word <= VDSO_EGID))
		return;
	store(cpu, task, word);
	vdso_refresh_task(task);
}
