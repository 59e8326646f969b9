/* SPDX-License-Identifier: MIT */
#ifndef ASM_VDSO_PROCESSOR_H
#define ASM_VDSO_PROCESSOR_H

#include <vdso/types.h>

static __always_inline void cpu_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

/* Loads before it are done before loads and stores after it, as all CPUs see them. */
static __always_inline void smp_rmb(void)
{
	__asm__ volatile("dmb ishld" ::: "memory");
}

#endif
