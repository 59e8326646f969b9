// SPDX-License-Identifier: GPL-2.0
/* What the vDSO answers from the record of this CPU; without one the kernel answers. */
#include <linux/types.h>
#include <asm/unistd.h>
#include <vdso/per_cpu.h>

extern const char _vdso_data[] __attribute__((visibility("hidden")));

static __always_inline const struct vdso_per_cpu_data *record(void)
{
	unsigned long offset;

	asm volatile("mrs %0, tpidrro_el0" : "=r" (offset));
	return offset ? (const void *)(_vdso_data + offset) : NULL;
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
	const struct vdso_per_cpu_data *data = record();			\
										\
	if (data)								\
		return *(const volatile type *)&data->field;			\
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
	const struct vdso_per_cpu_data *data = record();

	if (!data)
		return (int)ask_kernel(__NR_getcpu, cpu, node, unused);
	if (cpu)
		*cpu = *(const volatile __u32 *)&data->cpu;
	if (node)
		*node = *(const volatile __u32 *)&data->node;
	return 0;
}
