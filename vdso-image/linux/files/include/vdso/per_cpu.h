/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the vDSO answers of the task that a CPU runs: a record for each CPU, in the page of the clocks, behind their data and
 * those of getrandom. After "Unified vDSO", Linux Plumbers 2020.
 */
#ifndef __VDSO_PER_CPU_H
#define __VDSO_PER_CPU_H

#include <linux/types.h>

/* Behind __VDSO_RND_DATA_OFFSET and what lies there. */
#define VDSO_PER_CPU_OFFSET	512

/* TPIDRRO_EL0: the record's offset; above it, with CONFIG_VDSO_PER_CPU_GEN, how often this CPU has written its record. */
#define VDSO_PER_CPU_OFFSET_BITS 16
#define VDSO_PER_CPU_OFFSET_MASK ((1UL << VDSO_PER_CPU_OFFSET_BITS) - 1)

struct vdso_per_cpu_data {
	__u32 cpu;
	__u32 node;
	__s32 pid;
	__s32 tid;
	__u32 uid;
	__u32 euid;
	__u32 gid;
	__u32 egid;
	__s32 ppid;
#ifdef CONFIG_VDSO_PER_CPU_GEN
	__u32 stale;	/* somebody on another CPU has changed what stands here */
#endif
};

#endif
