/* SPDX-License-Identifier: MIT */
/* What lib/percpu.c needs of the architecture. */
#ifndef ASM_VDSO_PERCPU_H
#define ASM_VDSO_PERCPU_H

#include <asm/vdso/syscall.h>
#include <vdso/datapage.h>

/* TPIDRRO_EL0: EL0 can read it and not write it. What it holds is the design's; 0 asks for the system call. */
static __always_inline u64 __arch_get_vdso_register(void)
{
	u64 value;

	__asm__ volatile("mrs %0, tpidrro_el0" : "=r"(value));
	return value;
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
