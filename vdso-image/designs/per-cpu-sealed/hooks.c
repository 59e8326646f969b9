/* SPDX-License-Identifier: MIT */
/* What the kernel does for this design. Its own code runs with the user's APGAKey, which it does not use itself. */
#include <armvdso/hooks.h>
#include "data.h"

/* Whether this CPU has PACGA (ID_AA64ISAR1_EL1.GPA, GPI). A kernel would have a static key for it. */
static int can_seal(void)
{
	vdso_u64 features;

	__asm__("mrs %0, id_aa64isar1_el1" : "=r"(features));
	return (features >> 24 & 0xff) != 0;
}

static vdso_u64 sealed(vdso_u32 plain, vdso_u64 word, vdso_u64 value)
{
	vdso_u64 cipher = plain ^ sealed_stream(value, word);

	return cipher | sealed_signature(cipher, word, value);
}

/*
 * A switch, execve, or vdso_refresh_task. The register's next value is known before it is written, and nobody has it
 * yet: words that are half done do not open.
 */
VDSO_UPDATE(task, cpu)
{
	vdso_u64 *slot = (vdso_u64 *)cpu->vdso_slot;
	vdso_u64 value;

	if (!can_seal())
		return 0;
	value = cpu->vdso_offset += SEALED_OFFSET + 1;
	for (vdso_u64 word = VDSO_PID; word <= VDSO_SID; word++)
		slot[word] = sealed(vdso_word_of(task, word), word, value);
	slot[SEALED_WORD(cpu)] = sealed(cpu->number, SEALED_WORD(cpu), value);
	slot[SEALED_WORD(node)] = sealed(cpu->node, SEALED_WORD(node), value);
	return value;
}

/* Another CPU has not this task's key: what nobody can open asks the kernel, until the task's CPU has sealed it anew. */
void vdso_word_changed(struct vdso_task *task, struct vdso_cpu *cpu, enum vdso_word word)
{
	if (cpu)
		VDSO_WRITE(((vdso_u64 *)cpu->vdso_slot)[word], 0);
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
