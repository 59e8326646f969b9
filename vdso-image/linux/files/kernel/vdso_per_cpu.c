// SPDX-License-Identifier: GPL-2.0
/*
 * The vDSO's records of what each CPU runs, and the offset through which a thread finds that of its CPU.
 *
 * Without CONFIG_VDSO_PER_CPU_GEN the talk's algorithm ("Unified vDSO", Linux Plumbers 2020), with its defects where they are
 * what is to be examined: a reader that is moved to another CPU between reading the offset and the record reads another task's;
 * egid is the gid; a change of credentials, parent or namespace shows at the next switch; numbers are those of the PID namespace
 * of the task that is left. Added here: threads of the kernel, and tasks in a time namespace, for which the vDSO sees another
 * page, have no record.
 *
 * With it these are mended. The register's upper bits count the writes of this CPU's record, so that the same value before and
 * after a load means that the task was not interrupted. Who changes his own credentials or namespaces writes the record again.
 * Who changes another task's parent marks the record that may be its as stale, and has the task write it on its way to user
 * space; a reader of a stale record asks the kernel.
 */
#include <linux/build_bug.h>
#include <linux/cred.h>
#include <linux/irqflags.h>
#include <linux/nsproxy.h>
#include <linux/percpu.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/resume_user_mode.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/time_namespace.h>
#include <linux/topology.h>
#include <linux/user_namespace.h>
#include <linux/vdso_per_cpu.h>
#include <vdso/per_cpu.h>
#include <asm/compat.h>
#include <asm/cpufeature.h>
#include <asm/vdso/vsyscall.h>
#include <asm/sysreg.h>

#define MENDED IS_ENABLED(CONFIG_VDSO_PER_CPU_GEN)

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
	struct pid_namespace *pids;
	kgid_t egid;

#ifdef CONFIG_VDSO_PER_CPU_GEN
	/* Pairs with vdso_per_cpu_changed(): what was changed before is read below, or marks the record again. */
	WRITE_ONCE(record->stale, 0);
	smp_mb();
#endif
	rcu_read_lock();
	ns = task_cred_xxx(tsk, user_ns);
	pids = task_active_pid_ns(MENDED ? tsk : current);
	egid = MENDED ? task_cred_xxx(tsk, egid) : task_cred_xxx(tsk, gid);
	WRITE_ONCE(record->cpu, cpu);
	WRITE_ONCE(record->node, cpu_to_node(cpu));
	WRITE_ONCE(record->pid, task_tgid_nr_ns(tsk, pids));
	WRITE_ONCE(record->tid, task_pid_nr_ns(tsk, pids));
	WRITE_ONCE(record->uid, from_kuid_munged(ns, task_uid(tsk)));
	WRITE_ONCE(record->euid, from_kuid_munged(ns, task_euid(tsk)));
	WRITE_ONCE(record->gid, from_kgid_munged(ns, task_cred_xxx(tsk, gid)));
	WRITE_ONCE(record->egid, from_kgid_munged(ns, egid));
	WRITE_ONCE(record->ppid, task_tgid_nr_ns(rcu_dereference(tsk->real_parent), pids));
	rcu_read_unlock();
}

static DEFINE_PER_CPU(unsigned long, vdso_writes);
static DEFINE_PER_CPU(unsigned long, vdso_register);

/* Entries from user space may have used the register as scratch. */
static void set_register(unsigned long value)
{
	if (MENDED)
		__this_cpu_write(vdso_register, value);
	write_sysreg(value, tpidrro_el0);
}

/* Interrupts are off. Threads of 32 bits have their TLS in the register. */
static void publish(struct task_struct *tsk)
{
	unsigned long value = offset_for(tsk);

	if (is_compat_thread(task_thread_info(tsk)))
		return;
	if (value)
		update(tsk);
	if (MENDED && value)
		value |= __this_cpu_inc_return(vdso_writes) << VDSO_PER_CPU_OFFSET_BITS;
	set_register(value);
}

static void publish_now(struct task_struct *tsk)
{
	unsigned long flags;

	local_irq_save(flags);
	publish(tsk);
	local_irq_restore(flags);
}

/* A program begins. */
void vdso_per_cpu_start_thread(struct task_struct *tsk)
{
	publish_now(tsk);
}

/* A CPU goes over to another task. */
void vdso_per_cpu_switch_thread(struct task_struct *next)
{
	publish(next);
}

/* A program ends for another one. */
void vdso_per_cpu_flush_thread(void)
{
	unsigned long flags;

	local_irq_save(flags);
	set_register(0);
	local_irq_restore(flags);
}

#ifdef CONFIG_VDSO_PER_CPU_GEN
/* The caller's credentials or namespaces have changed. */
void vdso_per_cpu_refresh(void)
{
	if (!(current->flags & PF_KTHREAD))
		publish_now(current);
}

static void refresh_here(void *unused)
{
	vdso_per_cpu_refresh();
}

/* Those of tasks anywhere: IDs of a user namespace got numbers. */
void vdso_per_cpu_refresh_all(void)
{
	on_each_cpu(refresh_here, NULL, 1);
}

/* A task is on its way to user space with TIF_NOTIFY_RESUME. */
void vdso_per_cpu_resume(void)
{
	if (READ_ONCE(record_of(raw_smp_processor_id())->stale))
		vdso_per_cpu_refresh();
}

/*
 * The parent of a task, which may be running, has changed. Where the task starts to run after this has looked, the update there
 * reads the new one.
 */
void vdso_per_cpu_changed(struct task_struct *tsk)
{
	smp_mb();
	if (!READ_ONCE(tsk->on_cpu))
		return;
	WRITE_ONCE(record_of(task_cpu(tsk))->stale, 1);
	set_notify_resume(tsk);
}

/* Vectors of page table isolation, and those against Spectre-BHB, leave 0. */
void noinstr vdso_per_cpu_exit_to_user_mode(void)
{
	if (cpus_have_final_cap(ARM64_UNMAP_KERNEL_AT_EL0) || cpus_have_final_cap(ARM64_SPECTRE_BHB)) {
		if (!is_compat_task())
			write_sysreg(raw_cpu_read(vdso_register), tpidrro_el0);
	}
}
#endif
