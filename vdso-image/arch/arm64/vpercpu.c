// SPDX-License-Identifier: MIT
/* Entry points of the calls that are answered from this CPU's slot. */
#include "../../lib/percpu.c"

#define VDSO_ENTRY(type, name, field) \
	type __vdso_export __kernel_##name(void); \
	type __kernel_##name(void) \
	{ \
		return __cvdso_##name(); \
	}
#define VDSO_ENTRY_OF_SELF(type, name, field) \
	type __vdso_export __kernel_##name(s32 pid); \
	type __kernel_##name(s32 pid) \
	{ \
		return __cvdso_##name(pid); \
	}

#ifndef VDSO_ONLY_CPU
VDSO_GETTERS(VDSO_ENTRY, VDSO_ENTRY_OF_SELF)
#endif
VDSO_ENTRY_getcpu

#ifdef vdso_mm_cid
/* The number of this thread among the running ones of its memory. No system call gives it: -ENOSYS without rseq. */
int __vdso_export __kernel_mm_cid(void);
int __kernel_mm_cid(void)
{
	return vdso_mm_cid();
}
#endif
