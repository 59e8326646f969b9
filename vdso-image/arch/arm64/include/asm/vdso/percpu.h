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

#define VDSO_FALLBACK(type, name, field) \
	static __always_inline type name##_fallback(void) \
	{ \
		return (type)vdso_syscall0(__NR_##name); \
	}
#define VDSO_FALLBACK_OF_SELF(type, name, field) \
	static __always_inline type name##_fallback(s32 pid) \
	{ \
		return (type)vdso_syscall1(__NR_##name, pid); \
	}
#define VDSO_FALLBACK_OTHER(name) VDSO_FALLBACK_##name

VDSO_SLOT_CALLS(VDSO_FALLBACK, VDSO_FALLBACK_OF_SELF, VDSO_FALLBACK_OTHER)

#undef VDSO_FALLBACK
#undef VDSO_FALLBACK_OF_SELF
#undef VDSO_FALLBACK_OTHER

#endif
