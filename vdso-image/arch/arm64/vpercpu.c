// SPDX-License-Identifier: MIT
/* Entry points of the calls that are answered from this CPU's slot. */
#include "../../lib/percpu.c"

#define VDSO_ENTRY(type, name) \
	type __vdso_export __kernel_##name(void); \
	type __kernel_##name(void) \
	{ \
		return __cvdso_##name(); \
	}

#ifndef VDSO_ONLY_CPU
VDSO_ENTRY(s32, getpid)
VDSO_ENTRY(s32, gettid)
VDSO_ENTRY(u32, getuid)
VDSO_ENTRY(u32, geteuid)
VDSO_ENTRY(u32, getgid)
VDSO_ENTRY(u32, getegid)
VDSO_ENTRY(s32, getppid)
#endif

int __vdso_export __kernel_getcpu(u32 *cpu, u32 *node, void *unused);
int __kernel_getcpu(u32 *cpu, u32 *node, void *unused)
{
	return __cvdso_getcpu(cpu, node, unused);
}

#ifdef vdso_mm_cid
/* The number of this thread among the running ones of its memory. No system call gives it: -ENOSYS without rseq. */
int __vdso_export __kernel_mm_cid(void);
int __kernel_mm_cid(void)
{
	return vdso_mm_cid();
}
#endif
