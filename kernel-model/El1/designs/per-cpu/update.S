/* SPDX-License-Identifier: MIT */
/*
 * Design "per-cpu", as on the slides. pid, tid and ppid are task_tgid_vnr and its like: numbers in the PID
 * namespace of current, which at a switch is still the previous task. egid is filled from task_gid. What the slides do
 * not have is filled as the task sees it.
 * x0: the task that is about to run. Leaves in x1 what TPIDRRO_EL0 is to hold, in x2 this CPU's record.
 */
#include <armvdso/el1/layout.h>
#include <armvdso/el1/asm.h>
#include <armvdso/el1/Generated/calls.h>

	.text

FUNC vdso_update
	mrs	x2, tpidr_el1
	ldr	x1, [x2, #CPU_VDSO_OFFSET]
	cbz	x1, 1f
	ldr	x3, [x2, #CPU_VDSO_SLOT]
	fill_cpu x3
	fix_site vdso_numbers
	nop
	get_current x6
	ldp	x7, x8, [x6, #TSK_PIDNS]	/* namespace, level */
	ldr	x9, [x0, #TSK_PIDNS_LEVEL]
	mov	x10, #0
	mov	w11, #0
	cmp	x8, x9
	b.hi	2f
	mov	x12, #NUMBERS_SIZE
	madd	x12, x8, x12, x0
	add	x12, x12, #TSK_NUMBERS
	ldr	x13, [x12, #NUMBERS_NS]
	cmp	x13, x7
	b.ne	2f
	ldr	x10, [x12, #NUMBERS_TGID]	/* and TID */
	ldr	w11, [x12, #NUMBERS_PPID]
2:	str	x10, [x3, #SLOT_PID]
	ldp	w4, w5, [x0, #TSK_UID]
	stp	w4, w5, [x3, #SLOT_UID]
	ldr	w4, [x0, #TSK_GID]
	fix_site vdso_egid
	ldr	w5, [x0, #TSK_GID]
	stp	w4, w5, [x3, #SLOT_GID]
	str	w11, [x3, #SLOT_PPID]
	fill_further x3
1:	ret
3:	ldr	x10, [x0, #TSK_PID]		/* and TID */
	ldr	w11, [x0, #TSK_PPID]
	b	2b
	/* What stands in place of an instruction above when that defect is mended. */
	fix_site vdso_numbers__fix_ns
	b	3b
	fix_site vdso_egid__fix_egid
	ldr	w5, [x0, #TSK_EGID]
ENDFUNC vdso_update
