/* SPDX-License-Identifier: MIT */
/*
 * Design "per-cpu-gen".
 * x0: the task that is about to run. Leaves in x1 what TPIDRRO_EL0 is to hold, in x2 this CPU's record.
 */
#include <armvdso/el1/layout.h>
#include <armvdso/el1/asm.h>
#include <armvdso/el1/Generated/calls.h>

	.text

/*
 * CPU_VDSO_OFFSET counts the writes of the register above the offset's 16 bits. The slot is filled before the register
 * changes, and only this CPU's kernel does both.
 */
FUNC vdso_update
	mrs	x2, tpidr_el1
	ldr	x3, [x2, #CPU_VDSO_SLOT]
	ldr	x1, [x2, #CPU_VDSO_OFFSET]
	fill_cpu x3
	fill_identity x3
	add	x1, x1, #(1 << VDSO_GENERATION_SHIFT)
	str	x1, [x2, #CPU_VDSO_OFFSET]
	ret
ENDFUNC vdso_update
