// SPDX-License-Identifier: MIT
/*
 * System calls that a CPU can answer from what it knows about the task that it runs (LPC 2020). An
 * architecture's C file includes this one; <asm/vdso/percpu.h> reads the register and makes the system
 * calls. VDSO_PROTOCOL names the header of the design: how a slot is found and its words are read.
 */
#include <asm/vdso/percpu.h>
#include <vdso/datapage.h>
#include VDSO_PROTOCOL

#ifndef vdso_slot_read
/* Reads one field of this task's slot, or jumps to where the system call is made. */
#define vdso_slot_read(value, field, fallback) \
	do { \
		struct vdso_slot_reader __reader; \
	\
		if (unlikely(!vdso_slot_begin(&__reader))) \
			goto fallback; \
		(value) = READ_ONCE(__reader.slot->field); \
		if (unlikely(!vdso_slot_holds(&__reader))) \
			goto fallback; \
	} while (0)

/* The CPU and its node, of the same moment. */
#define vdso_slot_read_cpu(cpu_value, node_value, fallback) \
	do { \
		struct vdso_slot_reader __reader; \
	\
		if (unlikely(!vdso_slot_begin(&__reader))) \
			goto fallback; \
		(cpu_value) = READ_ONCE(__reader.slot->cpu); \
		(node_value) = READ_ONCE(__reader.slot->node); \
		if (unlikely(!vdso_slot_holds(&__reader))) \
			goto fallback; \
	} while (0)
#endif

#define VDSO_GETTER(type, name, field) \
	static __always_inline type __cvdso_##name(void) \
	{ \
		type value; \
	\
		vdso_slot_read(value, field, fallback); \
		return value; \
	fallback: \
		return name##_fallback(); \
	}

/* Of another process only the kernel knows. */
#define VDSO_GETTER_OF_SELF(type, name, field) \
	static __always_inline type __cvdso_##name(s32 pid) \
	{ \
		type value; \
	\
		if (unlikely(pid)) \
			goto fallback; \
		vdso_slot_read(value, field, fallback); \
		return value; \
	fallback: \
		return name##_fallback(pid); \
	}

#define VDSO_OTHER(name)

#ifndef VDSO_ONLY_CPU
VDSO_SLOT_CALLS(VDSO_GETTER, VDSO_GETTER_OF_SELF, VDSO_OTHER)
#endif

#undef VDSO_GETTER
#undef VDSO_GETTER_OF_SELF
#undef VDSO_OTHER

/* Either pointer may be null; the third argument has had no meaning since Linux 2.6.24. */
static __always_inline int __cvdso_getcpu(u32 *cpu, u32 *node, void *unused)
{
	u32 cpu_value, node_value;

	vdso_slot_read_cpu(cpu_value, node_value, fallback);
	if (cpu)
		*cpu = cpu_value;
	if (node)
		*node = node_value;
	return 0;
fallback:
	return getcpu_fallback(cpu, node, unused);
}
