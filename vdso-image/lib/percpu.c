// SPDX-License-Identifier: MIT
/*
 * System calls that a CPU can answer from what it knows about the task that it runs (LPC 2020). An
 * architecture's C file includes this one; <asm/vdso/percpu.h> finds the slot and gives the system calls.
 *
 * Design "per-cpu": find the slot, load, return, with no second look. A task that is moved to another CPU
 * between the two gets the answer of whichever task runs on the first CPU by then. That is the design as
 * it was presented, and is kept so that it can be measured and its wrong answers be counted.
 */
#include <asm/vdso/percpu.h>
#include <vdso/datapage.h>

#define VDSO_PER_CPU_GETTER(type, field) \
	static __always_inline type __cvdso_get##field(void) \
	{ \
		const struct vdso_per_cpu_data *cpu_data = __arch_get_vdso_per_cpu_data(); \
	\
		if (likely(cpu_data != NULL)) \
			return READ_ONCE(cpu_data->field); \
		return get##field##_fallback(); \
	}

VDSO_PER_CPU_GETTER(s32, pid)
VDSO_PER_CPU_GETTER(s32, tid)
VDSO_PER_CPU_GETTER(s32, ppid)
VDSO_PER_CPU_GETTER(u32, uid)
VDSO_PER_CPU_GETTER(u32, euid)
VDSO_PER_CPU_GETTER(u32, gid)
VDSO_PER_CPU_GETTER(u32, egid)

#undef VDSO_PER_CPU_GETTER

/* Either pointer may be null; the third argument has had no meaning since Linux 2.6.24. */
static __always_inline int __cvdso_getcpu(u32 *cpu, u32 *node, void *unused)
{
	const struct vdso_per_cpu_data *cpu_data = __arch_get_vdso_per_cpu_data();

	if (unlikely(cpu_data == NULL))
		return getcpu_fallback(cpu, node, unused);
	if (cpu)
		*cpu = READ_ONCE(cpu_data->cpu);
	if (node)
		*node = READ_ONCE(cpu_data->node);
	return 0;
}
