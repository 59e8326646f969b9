/* SPDX-License-Identifier: MIT */
/*
 * The constants that image and kernel must agree on. The kernel model does not repeat them: build.sh
 * writes them, with the offsets that the compiler finds, to bin/layout.tsv.
 */
#ifndef VDSO_LAYOUT_H
#define VDSO_LAYOUT_H

#define PAGE_SIZE	4096UL

/* CPUs for which the image reserves a slot; a machine may have fewer. */
#define NR_CPUS		64

/* Timer ticks per second: the resolution of the coarse clocks is one tick. */
#define HZ		250
#define LOW_RES_NSEC	((1000000000UL + HZ / 2) / HZ)

/* Version in the image's "Linux" note, which C libraries read: 6.1.0. */
#define LINUX_VERSION_CODE	0x060100

#endif
