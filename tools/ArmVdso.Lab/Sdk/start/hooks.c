/* What the kernel does for this design. */
#include <armvdso/hooks.h>
#include "data.h"

/* A switch, execve, or vdso_refresh_task: the slot first, then the register. Only this CPU writes both. */
VDSO_UPDATE(task, cpu)
{
	struct own_slot *slot = (struct own_slot *)cpu->vdso_slot;

	slot->cpu = cpu->number;
	slot->pid = task->pid;
	cpu->vdso_offset += OWN_OFFSET + 1;
	return cpu->vdso_offset;
}

/* In another PID namespace it has another number. */
void vdso_namespace_entered(struct vdso_task *task, struct vdso_cpu *cpu)
{
	(void)cpu;
	vdso_refresh_task(task);
}
