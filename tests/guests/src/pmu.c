// SPDX-License-Identifier: MIT
/*
 * pmu: the performance monitors read at EL0, as PMUSERENR_EL0 allows it. Counts of known code are exact.
 */
#include "guest.h"

#define READ(name) ({ unsigned long v; __asm__ volatile("isb\n\tmrs %0, " #name : "=r"(v)); v; })
#define WRITE(name, value) __asm__ volatile("msr " #name ", %0\n\tisb" : : "r"((unsigned long)(value)))

static unsigned long loop(unsigned long n)
{
	unsigned long before = READ(pmevcntr0_el0);

	__asm__ volatile(
		"1:	add	x9, x9, #1\n"
		"	subs	%0, %0, #1\n"
		"	b.ne	1b\n"
		: "+r"(n) : : "x9", "cc");
	return READ(pmevcntr0_el0) - before;
}

int main(void)
{
	unsigned long control = READ(pmcr_el0);

	CHECK("six counters", (control >> 11 & 31) == 6);
	CHECK("PMCEID0 has INST_RETIRED and CPU_CYCLES", (READ(pmceid0_el0) & (1 << 8 | 1 << 17)) == (1 << 8 | 1 << 17));
	unsigned long first = READ(pmccntr_el0);
	CHECK("the cycle counter runs", READ(pmccntr_el0) > first);
	WRITE(pmevtyper0_el0, 0x08 | 1UL << 31);
	WRITE(pmcntenset_el0, 1);
	unsigned long one = loop(1000), two = loop(3000);
	CHECK("INST_RETIRED at EL0", two - one == 3 * 2000);
	WRITE(pmselr_el0, 0);
	WRITE(pmxevtyper_el0, 0x21 | 1UL << 31);
	one = loop(1000), two = loop(3000);
	CHECK("BR_RETIRED through PMSELR", two - one == 2000);
	WRITE(pmevtyper0_el0, 0);
	WRITE(pmswinc_el0, 1);
	first = READ(pmevcntr0_el0);
	WRITE(pmswinc_el0, 1);
	CHECK("SW_INCR", READ(pmevcntr0_el0) == first + 1);
	WRITE(pmevcntr0_el0, 0xffffffff);
	WRITE(pmswinc_el0, 1);
	CHECK("overflow", (READ(pmovsclr_el0) & 1) == 1 && READ(pmevcntr0_el0) == 0);
	WRITE(pmovsclr_el0, 1);
	CHECK("overflow cleared", (READ(pmovsset_el0) & 1) == 0);
	WRITE(pmcntenclr_el0, 1);
	first = READ(pmevcntr0_el0);
	WRITE(pmswinc_el0, 1);
	CHECK("stopped", READ(pmevcntr0_el0) == first);
	return guest_done("pmu");
}
