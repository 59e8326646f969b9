/* SPDX-License-Identifier: MIT */
/*
 * The data that the kernel writes and the image reads. It lies directly below the image, mapped read-only:
 *
 *	two pages lower still	the page that clocks are read from: the first of struct vdso_vsys_data once
 *				more, or for a task in a time namespace that namespace's page
 *	one page lower		struct vdso_rng_data
 *	image - VDSO_PAGES_SIZE	struct vdso_vsys_data
 *	image			ELF header
 *
 * So a time namespace changes what clocks are read from, and nothing else.
 */
#ifndef VDSO_DATAPAGE_H
#define VDSO_DATAPAGE_H

#include <vdso/bits.h>
#include <vdso/calls.h>
#include <vdso/layout.h>
#include <vdso/time.h>
#include <vdso/types.h>

/* Entries of vdso_vsys_data.data: the adjusted clock (with its coarse copies) and the raw one. */
#define CS_HRES_COARSE	0
#define CS_RAW		1
#define CS_BASES	2

#define VDSO_BASES	(CLOCK_TAI + 1)

/* Clocks by the way in which they are read. */
#define VDSO_HRES	(BIT(CLOCK_REALTIME) | BIT(CLOCK_MONOTONIC) | BIT(CLOCK_BOOTTIME) | BIT(CLOCK_TAI))
#define VDSO_COARSE	(BIT(CLOCK_REALTIME_COARSE) | BIT(CLOCK_MONOTONIC_COARSE))
#define VDSO_RAW	BIT(CLOCK_MONOTONIC_RAW)

/* vdso_data.clock_mode: what the cycle counter is. NONE means that only the kernel can tell the time. */
enum vdso_clock_mode {
	VDSO_CLOCKMODE_NONE,
	VDSO_CLOCKMODE_ARCHTIMER,
	VDSO_CLOCKMODE_ARCHTIMER_NOCOMPAT,
	VDSO_CLOCKMODE_TIMENS = 0x7fffffff,
};

/*
 * A clock's value at cycle_last. nsec is shifted left by vdso_data.shift, except for the coarse clocks,
 * which hold plain nanoseconds.
 */
struct vdso_timestamp {
	u64 sec;
	u64 nsec;
};

/*
 * seq is odd while the kernel writes. Layout: Linux 6.1, so that the kernel side is the same for this
 * image and for a stock one. In the page of a time namespace seq is odd for ever, clock_mode is
 * VDSO_CLOCKMODE_TIMENS, and basetime holds what the namespace's clocks are ahead of the real ones.
 */
struct vdso_data {
	u32 seq;
	s32 clock_mode;
	u64 cycle_last;
	u64 mask;
	u32 mult;
	u32 shift;
	struct vdso_timestamp basetime[VDSO_BASES];
	s32 tz_minuteswest;
	s32 tz_dsttime;
	u32 hrtimer_res;
	u32 __unused;
};

/* The kernel's random number generator: how often it was seeded (0: never), and whether it is ready. */
struct vdso_rng_data {
	u64 generation;
	u8 is_ready;
};

/* Pages below struct vdso_vsys_data. */
#define VDSO_FRONT_PAGES	2

/*
 * What one CPU (or, in design "per-thread", one thread) says about the task that it runs: calls.tsv has the
 * fields, first those of the LPC 2020 prototype in its order. The mended designs give each slot a cache line, so that the switches of
 * one CPU do not take the line of another's, and a sequence: odd while the kernel writes, and odd for good
 * while the task that runs may not be answered from here.
 */
struct vdso_per_cpu_data {
	u32 cpu;
	u32 node;
#ifndef VDSO_ONLY_CPU
#define VDSO_SLOT_FIELD(type, name) type name;
	VDSO_SLOT_FIELDS(VDSO_SLOT_FIELD)
#undef VDSO_SLOT_FIELD
#endif
#ifdef VDSO_SLOT_LINE
	u32 seq;
} __attribute__((aligned(64)));
#else
};
#endif

struct vdso_vsys_data {
	struct vdso_data data[CS_BASES];	/* must stay first */
#ifdef VDSO_THREAD_PAGES
	/* The time page is shared by all; the pages of threads' slots are the process's own. */
	struct vdso_per_cpu_data thread_data[] __attribute__((aligned(PAGE_SIZE)));
#else
	struct vdso_per_cpu_data cpu_data[];
#endif
};

#ifdef VDSO_THREAD_PAGES
#define VDSO_PAGES_SIZE (sizeof(struct vdso_vsys_data) + VDSO_THREAD_PAGES * PAGE_SIZE)
#else
#define VDSO_PAGES_SIZE \
	__ALIGN_UP(__builtin_offsetof(struct vdso_vsys_data, cpu_data) + NR_CPUS * sizeof(struct vdso_per_cpu_data), PAGE_SIZE)
#endif

/*
 * vdso.lds places it. Hidden: it is reached relative to the program counter, with no relocation. Not const,
 * though the image cannot write it: of a const object the compiler may move loads across barriers.
 */
extern struct vdso_vsys_data _vdso_data __hidden;
extern struct vdso_data _vdso_time[CS_BASES] __hidden;
extern struct vdso_rng_data _vdso_rng __hidden;

#endif
