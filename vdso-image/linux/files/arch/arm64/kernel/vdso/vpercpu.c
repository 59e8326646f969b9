// SPDX-License-Identifier: GPL-2.0
/* What the vDSO answers from the record of this CPU; without one the kernel answers. */
#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/unistd.h>
#include <vdso/per_cpu.h>

extern const char _vdso_data[] __attribute__((visibility("hidden")));

static __always_inline unsigned long read_register(void)
{
	unsigned long value;

	asm volatile("mrs %0, tpidrro_el0" : "=r" (value) : : "memory");
	return value;
}

static __always_inline const struct vdso_per_cpu_data *record(unsigned long value)
{
	return value ? (const void *)(_vdso_data + (value & VDSO_PER_CPU_OFFSET_MASK)) : NULL;
}

/* Whether what was loaded since the register was read is the caller's. The talk does not ask. */
static __always_inline bool holds(unsigned long value, const struct vdso_per_cpu_data *data)
{
#ifdef CONFIG_VDSO_PER_CPU_GEN
	return !READ_ONCE(data->stale) && read_register() == value;
#else
	return true;
#endif
}

static __always_inline long ask_kernel(long number, unsigned int *a, unsigned int *b, void *c)
{
	register long x8 asm("x8") = number;
	register long x0 asm("x0") = (long)a;
	register long x1 asm("x1") = (long)b;
	register long x2 asm("x2") = (long)c;

	asm volatile("svc #0" : "+r" (x0) : "r" (x1), "r" (x2), "r" (x8) : "memory");
	return x0;
}

#define GETTER(type, name, field)						\
type __kernel_##name(void);							\
type __kernel_##name(void)							\
{										\
	unsigned long value = read_register();					\
	const struct vdso_per_cpu_data *data = record(value);			\
										\
	if (data) {								\
		type answer = READ_ONCE(data->field);				\
										\
		if (holds(value, data))						\
			return answer;						\
	}									\
	return (type)ask_kernel(__NR_##name, NULL, NULL, NULL);			\
}

GETTER(__s32, getpid, pid)
GETTER(__s32, gettid, tid)
GETTER(__u32, getuid, uid)
GETTER(__u32, geteuid, euid)
GETTER(__u32, getgid, gid)
GETTER(__u32, getegid, egid)
GETTER(__s32, getppid, ppid)

int __kernel_getcpu(unsigned int *cpu, unsigned int *node, void *unused);
int __kernel_getcpu(unsigned int *cpu, unsigned int *node, void *unused)
{
	unsigned long value = read_register();
	const struct vdso_per_cpu_data *data = record(value);
	__u32 is_cpu, is_node;

	if (!data)
		return (int)ask_kernel(__NR_getcpu, cpu, node, unused);
	is_cpu = READ_ONCE(data->cpu);
	is_node = READ_ONCE(data->node);
	if (!holds(value, data))
		return (int)ask_kernel(__NR_getcpu, cpu, node, unused);
	if (cpu)
		*cpu = is_cpu;
	if (node)
		*node = is_node;
	return 0;
}
