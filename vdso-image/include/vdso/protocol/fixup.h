/* SPDX-License-Identifier: MIT */
/*
 * Design "per-cpu-fixup". As in "per-cpu" the slot is found and read with no second look; but these few
 * instructions are a range of which the image has a table (section .vdso_fixup). A kernel that takes the CPU
 * from a task inside of a range moves its PC back to the start, or, when the task was moved back already and
 * did not get out (a debugger steps through it), to where the system call is made. So no instruction of the
 * range may change what the range needs at its start: it writes its own two registers only.
 *
 * The register holds the byte offset of this CPU's slot.
 */
#ifndef VDSO_PROTOCOL_FIXUP_H
#define VDSO_PROTOCOL_FIXUP_H

#include <asm/vdso/fixup.h>
#include <vdso/datapage.h>

#define vdso_slot_read(value, field, fallback) \
	do { \
		u32 __value; \
	\
		__arch_vdso_slot_load("w", __value, &_vdso_data, __builtin_offsetof(struct vdso_per_cpu_data, field), fallback); \
		(value) = (__typeof__(value))__value; \
	} while (0)

/* CPU and node are neighbours: one load of both. */
#define vdso_slot_read_cpu(cpu_value, node_value, fallback) \
	do { \
		u64 __pair; \
	\
		__arch_vdso_slot_load("x", __pair, &_vdso_data, __builtin_offsetof(struct vdso_per_cpu_data, cpu), fallback); \
		(cpu_value) = (u32)__pair; \
		(node_value) = (u32)(__pair >> 32); \
	} while (0)

#endif
