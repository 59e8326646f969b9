/* SPDX-License-Identifier: MIT */
/*
 * Design "per-cpu": find the slot, load, return, with no second look. A task that is moved to another CPU
 * between the two gets the answer of whichever task runs on the first CPU by then. That is the design as
 * it was presented at LPC 2020, and is kept so that it can be measured and its wrong answers be counted.
 *
 * The register holds the byte offset of this CPU's slot from the start of the data.
 */
#ifndef VDSO_PROTOCOL_PLAIN_H
#define VDSO_PROTOCOL_PLAIN_H

#include <asm/vdso/percpu.h>
#include <vdso/datapage.h>

struct vdso_slot_reader {
	const struct vdso_per_cpu_data *slot;
};

static __always_inline int vdso_slot_begin(struct vdso_slot_reader *r)
{
	u64 offset = __arch_get_vdso_register();

	if (unlikely(!offset))
		return 0;
	r->slot = (const void *)((const char *)&_vdso_data + offset);
	return 1;
}

static __always_inline int vdso_slot_holds(const struct vdso_slot_reader *r)
{
	(void)r;
	return 1;
}

#endif
