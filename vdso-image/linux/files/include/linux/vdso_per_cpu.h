/* SPDX-License-Identifier: GPL-2.0 */
/* When the vDSO's record of this CPU is written: kernel/vdso_per_cpu.c. */
#ifndef __LINUX_VDSO_PER_CPU_H
#define __LINUX_VDSO_PER_CPU_H

struct task_struct;

void vdso_per_cpu_start_thread(struct task_struct *tsk);
void vdso_per_cpu_switch_thread(struct task_struct *next);
void vdso_per_cpu_flush_thread(void);

#endif
