/* SPDX-License-Identifier: MIT */
/*
 * Design "per-cpu-fixup".
 * x0: the task that is about to run. Leaves in x1 what TPIDRRO_EL0 is to hold, in x2 this CPU's record.
 */
#include <armvdso/el1/layout.h>
#include <armvdso/el1/asm.h>
#include <armvdso/el1/Generated/calls.h>

	.text

FUNC vdso_update
	mrs	x2, tpidr_el1
	ldr	x3, [x2, #CPU_VDSO_SLOT]
	ldr	x1, [x2, #CPU_VDSO_OFFSET]
	fill_cpu x3
	fill_identity x3
	ret
ENDFUNC vdso_update
