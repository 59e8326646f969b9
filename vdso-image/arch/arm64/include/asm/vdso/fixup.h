/* SPDX-License-Identifier: MIT */
/* Instruction ranges that the kernel does not leave half-way. */
#ifndef ASM_VDSO_FIXUP_H
#define ASM_VDSO_FIXUP_H

#include <asm/vdso/percpu.h>

/*
 * Loads from this CPU's slot at an offset, or jumps to fallback when there is none. A table entry has the
 * range's start, its length and where the fallback is; the two places are relative to their own words.
 */
#define __arch_vdso_slot_load(width, value, base, offset, fallback) \
	do { \
		const char *__base = (const char *)(base) + (offset); \
		u64 __offset; \
	\
		__asm__ goto volatile( \
			"1:	mrs	%[o], tpidrro_el0\n" \
			"	cbz	%[o], %l[" #fallback "]\n" \
			"	ldr	%" width "[v], [%[b], %[o]]\n" \
			"2:\n" \
			"	.pushsection .vdso_fixup, \"a\"\n" \
			"	.long	1b - ., 2b - 1b, %l[" #fallback "] - .\n" \
			"	.popsection\n" \
			: [o] "=&r"(__offset), [v] "=&r"(value) : [b] "r"(__base) : "memory" : fallback); \
	} while (0)

#endif
