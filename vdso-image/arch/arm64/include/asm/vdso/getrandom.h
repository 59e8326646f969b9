/* SPDX-License-Identifier: MIT */
/* What lib/getrandom.c needs of the architecture. */
#ifndef ASM_VDSO_GETRANDOM_H
#define ASM_VDSO_GETRANDOM_H

#include <asm/vdso/syscall.h>
#include <vdso/calls.h>

VDSO_FALLBACK_getrandom

#endif
