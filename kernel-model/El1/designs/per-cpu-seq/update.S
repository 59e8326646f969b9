/* SPDX-License-Identifier: MIT */
/*
 * Design "per-cpu-seq".
 * x0: the task that is about to run. Leaves in x1 what TPIDRRO_EL0 is to hold, in x2 this CPU's record.
 */
#include <armvdso/el1/layout.h>
#include <armvdso/el1/asm.h>
#include <armvdso/el1/Generated/calls.h>

	.text

/* The sequence is odd while the slot changes, and stays odd for a task outside of the first PID and user namespaces. */
FUNC vdso_update
	mrs	x2, tpidr_el1
	ldr	x3, [x2, #CPU_VDSO_SLOT]
	ldr	w6, [x3, #SLOT_SEQ]
	add	w6, w6, #1
	orr	w6, w6, #1
	str	w6, [x3, #SLOT_SEQ]
	ldr	x1, [x2, #CPU_VDSO_OFFSET]
	ldr	w7, [x0, #TSK_VDSO_FOREIGN]
	cbnz	w7, 1f
	dmb	ishst
	fill_cpu x3
	fill_identity x3
	dmb	ishst
	add	w6, w6, #1
	str	w6, [x3, #SLOT_SEQ]
1:	ret
ENDFUNC vdso_update
