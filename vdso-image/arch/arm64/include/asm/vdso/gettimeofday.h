/* SPDX-License-Identifier: MIT */
/* What lib/gettimeofday.c needs of the architecture. */
#ifndef ASM_VDSO_GETTIMEOFDAY_H
#define ASM_VDSO_GETTIMEOFDAY_H

#include <asm/vdso/alternative.h>
#include <asm/vdso/syscall.h>
#include <vdso/datapage.h>
#include <vdso/time.h>

VDSO_FALLBACK_clock_gettime
VDSO_FALLBACK_clock_getres
VDSO_FALLBACK_gettimeofday

/*
 * The virtual counter. The ISB keeps the read from being done ahead of what comes before it; CNTVCTSS_EL0 of
 * FEAT_ECV needs none. (Then the barrier behind the first look at the sequence is what orders the loads.) What
 * comes after it is held back by a load whose address depends on the value read (of a word of the stack, which
 * is in the cache): the barrier that follows orders later loads behind that one. It is cheaper than a
 * second ISB.
 */
static __always_inline u64 __arch_get_hw_counter(void)
{
	u64 cycles, address;

	__asm__ volatile(ALTERNATIVE("isb\n\tmrs %0, cntvct_el0", "nop\n\tmrs %0, s3_3_c14_c0_6", ARM64_HAS_ECV)
			 "eor %1, %0, %0\n\t"
			 "add %1, sp, %1\n\t"
			 "ldr xzr, [%1]"
			 : "=&r"(cycles), "=&r"(address) : : "memory");
	return cycles;
}

static __always_inline const struct vdso_data *__arch_get_vdso_data(void)
{
	return _vdso_time;
}

/* The same for a task in a time namespace, whose page shows offsets instead. */
static __always_inline const struct vdso_data *__arch_get_real_vdso_data(void)
{
	return _vdso_data.data;
}

#endif
