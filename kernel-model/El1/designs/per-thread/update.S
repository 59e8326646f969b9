/* SPDX-License-Identifier: MIT */
/*
 * Design "per-thread".
 * x0: the task that is about to run. Leaves in x1 what TPIDRRO_EL0 is to hold, in x2 this CPU's record.
 */
#include <armvdso/el1/layout.h>
#include <armvdso/el1/asm.h>
#include <armvdso/el1/Generated/calls.h>

	.text

/* All of the thread's slot (execve, refresh), and what a switch changes of it. */
FUNC vdso_update
	mrs	x2, tpidr_el1
	ldr	x3, [x0, #TSK_VDSO_SLOT]
	ldr	x1, [x0, #TSK_VDSO_REGISTER]
	cbz	x3, 1f
	ldr	x4, [x2, #CPU_NUMBER]		/* and the node: the reader takes both at once */
	str	x4, [x3, #SLOT_CPU]
	fill_identity x3
1:	ret
ENDFUNC vdso_update

FUNC vdso_switch
	mrs	x2, tpidr_el1
	ldr	x3, [x0, #TSK_VDSO_SLOT]
	ldr	x1, [x0, #TSK_VDSO_REGISTER]
	cbz	x3, 1f
	ldr	x4, [x2, #CPU_NUMBER]
	str	x4, [x3, #SLOT_CPU]
1:	ret
ENDFUNC vdso_switch
