/* SPDX-License-Identifier: GPL-2.0 */
/* When the vDSO's record of this CPU is written: kernel/vdso_per_cpu.c. */
#ifndef __LINUX_VDSO_PER_CPU_H
#define __LINUX_VDSO_PER_CPU_H

struct task_struct;

void vdso_per_cpu_start_thread(struct task_struct *tsk);
void vdso_per_cpu_switch_thread(struct task_struct *next);
void vdso_per_cpu_flush_thread(void);

#ifdef CONFIG_VDSO_PER_CPU_GEN
void vdso_per_cpu_refresh(void);
void vdso_per_cpu_refresh_all(void);
void vdso_per_cpu_resume(void);
void vdso_per_cpu_changed(struct task_struct *tsk);
void vdso_per_cpu_exit_to_user_mode(void);
#else
static inline void vdso_per_cpu_refresh(void)
{
}

static inline void vdso_per_cpu_refresh_all(void)
{
}

static inline void vdso_per_cpu_resume(void)
{
}

static inline void vdso_per_cpu_changed(struct task_struct *tsk)
{
}

static inline void vdso_per_cpu_exit_to_user_mode(void)
{
}
#endif

#endif
