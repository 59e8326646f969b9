/* SPDX-License-Identifier: MIT */
/*
 * Design "per-cpu-gen". The register holds the byte offset of this CPU's slot in its low 16 bits and, above
 * them, a count of this CPU's writes of the register. It is read again after the load: the same value means
 * that nothing else ran on this CPU meanwhile and that this task did not leave it, so the slot was this task's
 * at the load. No barrier is needed: between the two reads there was no other writer of the slot than this
 * CPU's kernel, and what it does is in order with the code that it interrupts.
 */
#ifndef VDSO_PROTOCOL_GENERATION_H
#define VDSO_PROTOCOL_GENERATION_H

#include <asm/vdso/percpu.h>
#include <vdso/datapage.h>

#define VDSO_REGISTER_OFFSET_MASK	0xffffUL

struct vdso_slot_reader {
	const struct vdso_per_cpu_data *slot;
	u64 value;
};

static __always_inline int vdso_slot_begin(struct vdso_slot_reader *r)
{
	u64 offset;

	r->value = __arch_get_vdso_register();
	offset = r->value & VDSO_REGISTER_OFFSET_MASK;
	if (unlikely(!offset))
		return 0;
	r->slot = (const void *)((const char *)&_vdso_data + offset);
	return 1;
}

static __always_inline int vdso_slot_holds(const struct vdso_slot_reader *r)
{
	return likely(__arch_get_vdso_register() == r->value);
}

#endif
