// SPDX-License-Identifier: MIT
/* Entry points of the calls that are answered from this CPU's slot. */
#include "../../lib/percpu.c"

#ifdef VDSO_ONLY_CPU
#define VDSO_ENTRY(type, name, field)
#define VDSO_ENTRY_OF_SELF(type, name, field)
#else
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
#endif
#define VDSO_ENTRY_OTHER(name) VDSO_ENTRY_##name

VDSO_SLOT_CALLS(VDSO_ENTRY, VDSO_ENTRY_OF_SELF, VDSO_ENTRY_OTHER)

#ifdef vdso_mm_cid
/* The number of this thread among the running ones of its memory. No system call gives it: -ENOSYS without rseq. */
int __vdso_export __kernel_mm_cid(void);
int __kernel_mm_cid(void)
{
	return vdso_mm_cid();
}
#endif
