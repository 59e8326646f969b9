/* SPDX-License-Identifier: MIT */
/*
 * Design "per-cpu-seq". The register holds the byte offset of this CPU's slot. The kernel makes the slot's
 * sequence odd, fills the slot, and makes it even; it leaves it odd while a task runs whose numbers the slot
 * may not hold (other namespaces than the first ones).
 *
 * An answer is good when the slot did not change from the first look at the sequence to the last, and this
 * task ran on the slot's CPU at some time between the two: the slot was this task's then. So the register is
 * read again before the sequence is, not after it: a task that comes back to the CPU only between the two
 * would else take the answer of the one that ran there meanwhile.
 *
 * What does not hold is asked of the kernel, with no second try: it takes an interrupt in a dozen
 * instructions to get there, and a debugger that steps through, each step a switch, would never get out of
 * a loop.
 */
#ifndef VDSO_PROTOCOL_SEQUENCE_H
#define VDSO_PROTOCOL_SEQUENCE_H

#include <asm/vdso/percpu.h>
#include <vdso/datapage.h>
#include <vdso/processor.h>

struct vdso_slot_reader {
	const struct vdso_per_cpu_data *slot;
	u64 offset;
	u32 seq;
};

static __always_inline int vdso_slot_begin(struct vdso_slot_reader *r)
{
	r->offset = __arch_get_vdso_register();
	if (unlikely(!r->offset))
		return 0;
	r->slot = (const void *)((const char *)&_vdso_data + r->offset);
	r->seq = READ_ONCE(r->slot->seq);
	smp_rmb();
	return likely(!(r->seq & 1));
}

static __always_inline int vdso_slot_holds(const struct vdso_slot_reader *r)
{
	smp_rmb();
	if (unlikely(__arch_get_vdso_register() != r->offset))
		return 0;
	return likely(READ_ONCE(r->slot->seq) == r->seq);
}

#endif
