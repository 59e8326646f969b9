/* SPDX-License-Identifier: MIT */
/*
 * Design "rseq".
 * x0: the task that is about to run. Leaves in x1 what TPIDRRO_EL0 is to hold, in x2 this CPU's record.
 */
#include <armvdso/el1/layout.h>
#include <armvdso/el1/asm.h>

	.text

FUNC vdso_update
	mrs	x2, tpidr_el1
	ldr	x1, [x0, #TSK_VDSO_OWN]
	ret
ENDFUNC vdso_update
