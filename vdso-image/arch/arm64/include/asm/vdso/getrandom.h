/* SPDX-License-Identifier: MIT */
/* What lib/getrandom.c needs of the architecture. */
#ifndef ASM_VDSO_GETRANDOM_H
#define ASM_VDSO_GETRANDOM_H

#include <asm/vdso/syscall.h>

static __always_inline ssize_t getrandom_fallback(void *buffer, size_t length, u32 flags)
{
	return vdso_syscall3(__NR_getrandom, (long)buffer, (long)length, flags);
}

#endif
