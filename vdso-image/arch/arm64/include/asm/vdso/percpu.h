/* SPDX-License-Identifier: MIT */
/* What lib/percpu.c needs of the architecture. */
#ifndef ASM_VDSO_PERCPU_H
#define ASM_VDSO_PERCPU_H

#include <asm/vdso/syscall.h>
#include <vdso/datapage.h>

/*
 * TPIDRRO_EL0, which EL0 can read and not write, holds the byte offset of this CPU's slot from the start
 * of the data; 0 (where no slot is) asks for the system call.
 */
static __always_inline const struct vdso_per_cpu_data *__arch_get_vdso_per_cpu_data(void)
{
	u64 offset;

	__asm__ volatile("mrs %0, tpidrro_el0" : "=r"(offset));
	if (unlikely(!offset))
		return NULL;
	return (const void *)((const char *)&_vdso_data + offset);
}

static __always_inline int getcpu_fallback(u32 *cpu, u32 *node, void *unused)
{
	return (int)vdso_syscall3(__NR_getcpu, (long)cpu, (long)node, (long)unused);
}

#define VDSO_FALLBACK(type, name) \
	static __always_inline type name##_fallback(void) \
	{ \
		return (type)vdso_syscall0(__NR_##name); \
	}

VDSO_FALLBACK(s32, getpid)
VDSO_FALLBACK(s32, gettid)
VDSO_FALLBACK(s32, getppid)
VDSO_FALLBACK(u32, getuid)
VDSO_FALLBACK(u32, geteuid)
VDSO_FALLBACK(u32, getgid)
VDSO_FALLBACK(u32, getegid)

#undef VDSO_FALLBACK

#endif
