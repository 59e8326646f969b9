/*
 * The per-CPU vDSO data of the talk: vdso_per_cpu_update and its three callers.
 * The slot of this CPU is filled from the task's record, then TPIDRRO_EL0 gets
 * the offset. egid is filled from gid, as on the slide (task_gid twice).
 */
#include "layout.h"
#include "asm.h"

	.text

/* x0: task, x1: offset; leaves them alone */
FUNC vdso_per_cpu_update
	cbz	x1, 1f
	mrs	x2, tpidr_el1
	ldr	x3, [x2, #CPU_VDSO_SLOT]
	ldr	w4, [x2, #CPU_NUMBER]
	ldr	w5, [x2, #CPU_NODE]
	stp	w4, w5, [x3, #SLOT_CPU]
	ldp	w4, w5, [x0, #TSK_TGID]
	stp	w4, w5, [x3, #SLOT_PID]
	ldp	w4, w5, [x0, #TSK_UID]
	stp	w4, w5, [x3, #SLOT_UID]
	ldr	w4, [x0, #TSK_GID]
	/* Patched to load TSK_EGID when this defect is switched off. */
	.globl	vdso_egid_key
vdso_egid_key:
	ldr	w5, [x0, #TSK_GID]
	stp	w4, w5, [x3, #SLOT_GID]
	ldr	w4, [x0, #TSK_PPID]
	str	w4, [x3, #SLOT_PPID]
1:	ret
ENDFUNC vdso_per_cpu_update

/* x0: the task that is about to run (execve) */
FUNC vdso_per_cpu_start_thread
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	mrs	x2, tpidr_el1
	ldr	x1, [x2, #CPU_VDSO_OFFSET]
	bl	vdso_per_cpu_update
	msr	tpidrro_el0, x1
	ldp	x29, x30, [sp], #16
	ret
ENDFUNC vdso_per_cpu_start_thread

/* x0: the task that is about to run (context switch) */
FUNC vdso_per_cpu_switch_thread
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	mrs	x2, tpidr_el1
	ldr	x1, [x2, #CPU_VDSO_OFFSET]
	bl	vdso_per_cpu_update
	msr	tpidrro_el0, x1
	ldp	x29, x30, [sp], #16
	ret
ENDFUNC vdso_per_cpu_switch_thread

FUNC vdso_per_cpu_flush_thread
	msr	tpidrro_el0, xzr
	ret
ENDFUNC vdso_per_cpu_flush_thread
