// SPDX-License-Identifier: GPL-2.0
/*
 * The vDSO's records of what each CPU runs, and the offset through which a thread finds that of its CPU.
 *
 * The talk's algorithm ("Unified vDSO", Linux Plumbers 2020), with its defects where they are what is to be examined: a reader
 * that is moved to another CPU between reading the offset and the record reads another task's; egid is the gid; a change of
 * credentials shows at the next switch. Added here: threads of the kernel and tasks in a time namespace, for which the vDSO
 * sees another page, have no record.
 */
#include <linux/build_bug.h>
#include <linux/cred.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/time_namespace.h>
#include <linux/topology.h>
#include <linux/user_namespace.h>
#include <linux/vdso_per_cpu.h>
#include <vdso/per_cpu.h>
#include <asm/vdso/vsyscall.h>
#include <asm/sysreg.h>

static struct vdso_per_cpu_data *record_of(unsigned int cpu)
{
	struct vdso_per_cpu_data *records = (void *)__arch_get_k_vdso_data() + VDSO_PER_CPU_OFFSET;

	BUILD_BUG_ON(VDSO_PER_CPU_OFFSET + NR_CPUS * sizeof(*records) > PAGE_SIZE);
	return records + cpu;
}

/* Bytes from the data's first one to this CPU's record; 0: the task has none. */
static unsigned long offset_for(const struct task_struct *tsk)
{
	if (tsk->flags & PF_KTHREAD)
		return 0;
#ifdef CONFIG_TIME_NS
	if (!tsk->nsproxy || tsk->nsproxy->time_ns != &init_time_ns)
		return 0;
#endif
	return VDSO_PER_CPU_OFFSET + smp_processor_id() * sizeof(struct vdso_per_cpu_data);
}

static void update(struct task_struct *tsk)
{
	unsigned int cpu = smp_processor_id();
	struct vdso_per_cpu_data *record = record_of(cpu);
	struct user_namespace *ns;

	rcu_read_lock();
	ns = task_cred_xxx(tsk, user_ns);
	WRITE_ONCE(record->cpu, cpu);
	WRITE_ONCE(record->node, cpu_to_node(cpu));
	WRITE_ONCE(record->pid, task_tgid_vnr(tsk));
	WRITE_ONCE(record->tid, task_pid_vnr(tsk));
	WRITE_ONCE(record->uid, from_kuid_munged(ns, task_uid(tsk)));
	WRITE_ONCE(record->euid, from_kuid_munged(ns, task_euid(tsk)));
	WRITE_ONCE(record->gid, from_kgid_munged(ns, task_cred_xxx(tsk, gid)));
	WRITE_ONCE(record->egid, from_kgid_munged(ns, task_cred_xxx(tsk, gid)));
	WRITE_ONCE(record->ppid, task_tgid_vnr(rcu_dereference(tsk->real_parent)));
	rcu_read_unlock();
}

static void publish(struct task_struct *tsk)
{
	unsigned long offset = offset_for(tsk);

	if (offset)
		update(tsk);
	write_sysreg(offset, tpidrro_el0);
}

/* A program begins. */
void vdso_per_cpu_start_thread(struct task_struct *tsk)
{
	preempt_disable();
	publish(tsk);
	preempt_enable();
}

/* A CPU goes over to another task. */
void vdso_per_cpu_switch_thread(struct task_struct *next)
{
	publish(next);
}

/* A program ends for another one. */
void vdso_per_cpu_flush_thread(void)
{
	write_sysreg(0, tpidrro_el0);
}
