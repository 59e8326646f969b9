/* SPDX-License-Identifier: MIT */
/*
 * Design "rseq": no data of the kernel's but the area that the thread registered itself (rseq(2)), which the
 * kernel writes before it returns to a thread that was preempted or moved. The vDSO cannot know where a C
 * library keeps it, so the register holds its address, 0 while none is registered. Only the CPU, its node and
 * the concurrency ID are in it.
 *
 * The area has CPU and node in words apart: a thread that is moved there and back between two loads would see
 * a pair that never was. So only the CPU is read from it; which node it is on never changes and is in the
 * shared data. What the thread itself wrote into its area it gets back.
 */
#ifndef VDSO_PROTOCOL_RSEQ_H
#define VDSO_PROTOCOL_RSEQ_H

#include <asm/vdso/percpu.h>
#include <vdso/datapage.h>

/* struct rseq of the UAPI (linux/rseq.h), as far as it is read here. */
struct vdso_rseq {
	u32 cpu_id_start;
	u32 cpu_id;
	u64 rseq_cs;
	u32 flags;
	u32 node_id;
	u32 mm_cid;
};

#define vdso_slot_read_cpu(cpu_value, node_value, fallback) \
	do { \
		const struct vdso_rseq *__rseq = (const void *)__arch_get_vdso_register(); \
	\
		if (unlikely(!__rseq)) \
			goto fallback; \
		(cpu_value) = READ_ONCE(__rseq->cpu_id); \
		/* RSEQ_CPU_ID_UNINITIALIZED and what a thread may have written over it */ \
		if (unlikely((cpu_value) >= NR_CPUS)) \
			goto fallback; \
		(node_value) = READ_ONCE(_vdso_data.cpu_data[cpu_value].node); \
	} while (0)

#define vdso_slot_read(value, field, fallback) _Static_assert(0, "not in the rseq area")

#define vdso_mm_cid vdso_mm_cid
static __always_inline int vdso_mm_cid(void)
{
	const struct vdso_rseq *rseq = (const void *)__arch_get_vdso_register();

	return rseq ? (int)READ_ONCE(rseq->mm_cid) : -38;
}

#endif
