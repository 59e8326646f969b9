/* SPDX-License-Identifier: MIT */
/*
 * What the kernel does for a vDSO design, in C at EL1 (docs/own-design.md).
 *
 * A hook is a function of one of the names below. It is called at the moment in question, on the CPU where the kernel
 * does it, interrupts masked, before the change can be seen by any other CPU. A design has those that it needs. They
 * are compiled freestanding, without vector registers; what they execute is timed and counted like the kernel's own
 * code. They see tasks and CPUs through the two records here, and the design's data through kernel addresses in them.
 */
#ifndef ARMVDSO_HOOKS_H
#define ARMVDSO_HOOKS_H

typedef unsigned char vdso_u8;
typedef unsigned int vdso_u32;
typedef unsigned long vdso_u64;

/* Words that the system calls answer, as the task sees them: in its own PID and user namespace. */
enum vdso_word {
	VDSO_PID, VDSO_TID, VDSO_UID, VDSO_EUID, VDSO_GID, VDSO_EGID, VDSO_PPID, VDSO_PGID, VDSO_SID,
};

/* A task, kept up to date by the kernel. Read it; only vdso_own is the design's. */
struct vdso_task {
	vdso_u8 __before[0x80];
	vdso_u32 pid, tid, uid, euid, gid, egid, ppid, pgid;
	vdso_u8 __between[0x10];
	vdso_u64 vdso_slot;		/* kernel address of its slot (thread-slots, process-data); 0: it has none */
	vdso_u64 vdso_register;		/* user address of the same place */
	vdso_u32 foreign;		/* not 0: outside of the first PID or user namespace */
	vdso_u32 __fixed;
	vdso_u64 pid_ns;		/* its PID namespace: a number that is that namespace's own */
	vdso_u64 pid_ns_level;		/* 0: the first one */
	vdso_u64 image;			/* user address of the image; 0: none */
	vdso_u64 __request;
	vdso_u32 sid;
	vdso_u32 __rest[3];
	vdso_u64 vdso_own;		/* a word for the design; 0 when the task is new */
};

/* A CPU. */
struct vdso_cpu {
	vdso_u32 number, node;
	vdso_u64 vdso_slot;		/* kernel address of this CPU's slot (cpu-slots); 0: there are none */
	vdso_u64 vdso_offset;		/* at boot the slot's offset in the data; the design may change it */
	vdso_u64 __timekeeper;
	struct vdso_task *current;
	vdso_u64 __register;
	vdso_u8 __between[0x68];
	vdso_u64 vdso_own;		/* a word for the design; 0 at boot */
};

/* The registers with which a task was interrupted (struct pt_regs). */
struct vdso_regs {
	vdso_u64 x[31], sp, pc, pstate;
};

/* The CPU that this code runs on. */
static inline struct vdso_cpu *vdso_this_cpu(void)
{
	struct vdso_cpu *cpu;

	__asm__("mrs %0, tpidr_el1" : "=r"(cpu));
	return cpu;
}

/* One load or store of a word that others see. */
#define VDSO_READ(x)		(*(const volatile __typeof__(x) *)&(x))
#define VDSO_WRITE(x, value)	(*(volatile __typeof__(x) *)&(x) = (value))

/* Stores before it are seen before stores behind it (smp_wmb). */
static inline void vdso_wmb(void)
{
	__asm__ volatile("dmb ishst" : : : "memory");
}

/* A sequence: odd while what it guards changes. */
static inline void vdso_seq_begin(vdso_u32 *seq)
{
	VDSO_WRITE(*seq, (VDSO_READ(*seq) + 1) | 1);
	vdso_wmb();
}

static inline void vdso_seq_end(vdso_u32 *seq)
{
	vdso_wmb();
	VDSO_WRITE(*seq, VDSO_READ(*seq) + 1);
}

/* A word of a task. */
static inline vdso_u32 vdso_word_of(const struct vdso_task *task, enum vdso_word word)
{
	return word == VDSO_SID ? task->sid : (&task->pid)[word];
}

#define VDSO_HVC_REFRESH	10

/*
 * Has vdso_refresh (or vdso_update) run before the task is in EL0 again, on whatever CPU it runs: the kernel sets its
 * TIF_VDSO and sends that CPU an interrupt. Returns at once. Not on the way of a switch, where it means nothing.
 */
static inline void vdso_refresh_task(struct vdso_task *task)
{
	register struct vdso_task *x0 __asm__("x0") = task;

	__asm__ volatile("hvc %1" : "+r"(x0) : "i"(VDSO_HVC_REFRESH) : "memory");
}

#define VDSO_HVC_PUT_USER	11

/*
 * Stores a doubleword to memory of the task that the hook is about (put_user). 0, or 1: it cannot be written. Not on the
 * way of a switch.
 */
static inline vdso_u64 vdso_put_user(vdso_u64 address, vdso_u64 value)
{
	register vdso_u64 x0 __asm__("x0") = address;
	register vdso_u64 x1 __asm__("x1") = value;

	__asm__ volatile("hvc %1" : "+r"(x0) : "i"(VDSO_HVC_PUT_USER), "r"(x1) : "memory");
	return x0;
}

/*
 * On the way of a context switch, of execve, and of a refresh: fills the slot for the task that is about to run on this
 * CPU, and returns what TPIDRRO_EL0 is to hold. VDSO_UPDATE serves all three; VDSO_SWITCH, VDSO_START and VDSO_REFRESH
 * take one of them out of it.
 *
 *	VDSO_UPDATE(task, cpu)
 *	{
 *		...
 *		return cpu->vdso_offset;
 *	}
 */
struct vdso_updated {
	struct vdso_task *task;
	vdso_u64 value;
};

#define __VDSO_WAY(name, task, cpu)									\
	static inline __attribute__((always_inline)) vdso_u64 __##name(struct vdso_task *, struct vdso_cpu *);	\
	struct vdso_updated name(struct vdso_task *);							\
	struct vdso_updated name(struct vdso_task *task)						\
	{												\
		return (struct vdso_updated){ task, __##name(task, vdso_this_cpu()) };			\
	}												\
	static inline vdso_u64 __##name(struct vdso_task *task, struct vdso_cpu *cpu)

#define VDSO_UPDATE(task, cpu)	__VDSO_WAY(vdso_update, task, cpu)
#define VDSO_SWITCH(task, cpu)	__VDSO_WAY(vdso_switch, task, cpu)
#define VDSO_START(task, cpu)	__VDSO_WAY(vdso_start, task, cpu)
#define VDSO_REFRESH(task, cpu)	__VDSO_WAY(vdso_refresh, task, cpu)

/*
 * A switch takes the CPU from a task, before the next one's update: its registers may be changed. <armvdso/image.h> has
 * for each symbol of the image VDSO_IMAGE_symbol, its offset from task->image. A frame for a handler keeps the PC that
 * the task had: vdso_signal_frame has to change that one.
 */
void vdso_leave(struct vdso_task *task, struct vdso_regs *regs);

/* In the hooks below, cpu is the one that runs the task at this moment, maybe not this one; null: it does not run. */

/* A task is there (fork, clone, the first process) and has not run. parent is null for the first one. */
void vdso_task_created(struct vdso_task *task, struct vdso_cpu *cpu, struct vdso_task *parent);

/* A task has its new program's memory (execve). */
void vdso_program_started(struct vdso_task *task, struct vdso_cpu *cpu);

/* A task never returns to EL0. */
void vdso_task_exited(struct vdso_task *task, struct vdso_cpu *cpu);

/* Its user or group IDs changed. */
void vdso_credentials_changed(struct vdso_task *task, struct vdso_cpu *cpu);

/* uid_map or gid_map of its user namespace was written, maybe by somebody outside. Without this hook vdso_word_changed
 * is called for VDSO_UID, VDSO_EUID, VDSO_GID and VDSO_EGID. */
void vdso_id_maps_changed(struct vdso_task *task, struct vdso_cpu *cpu);

/* A word changed by what somebody else did: the parent's death, setpgid, setsid of a sibling. */
void vdso_word_changed(struct vdso_task *task, struct vdso_cpu *cpu, enum vdso_word word);

/* It is in another PID or user namespace than before. */
void vdso_namespace_entered(struct vdso_task *task, struct vdso_cpu *cpu);

/* It registered its rseq area (user address), or unregistered it (0). */
void vdso_rseq_changed(struct vdso_task *task, struct vdso_cpu *cpu, vdso_u64 area);

/* Its process moved a mapping of the vDSO, or unmapped it (address 0). */
enum vdso_part { VDSO_PART_IMAGE, VDSO_PART_DATA };
void vdso_mapping_moved(struct vdso_task *task, struct vdso_cpu *cpu, enum vdso_part part, vdso_u64 address);

/* A signal frame is about to be built from the registers with which the task was interrupted. */
void vdso_signal_frame(struct vdso_task *task, struct vdso_cpu *cpu, struct vdso_regs *regs);

/* A task is about to take its signals on its way to EL0, one of which may end it; with the registers that it has. */
void vdso_signal_pending(struct vdso_task *task, struct vdso_cpu *cpu, struct vdso_regs *regs);

/*
 * An invariant is no hook: a function of any name that design.ini gives for a function of the image. It is asked after
 * a call has returned, of the task as it is then: answer is X0, buffer what the function was given for one (64 bytes),
 * or null. 0: what the function said is true; anything else is in the report.
 */
#define VDSO_INVARIANT(name)										\
	vdso_u64 name(struct vdso_task *task, struct vdso_cpu *cpu, vdso_u64 answer, const void *buffer);	\
	vdso_u64 name(struct vdso_task *task, struct vdso_cpu *cpu, vdso_u64 answer, const void *buffer)

/*
 * A function that changes memory of its caller (arguments buffer and page) needs more than an invariant, NAME:
 *
 *	NAME__before	makes buffer and page ready for a call; their user addresses are beside them
 *	NAME		after the call: 0, or what is wrong with its answer and with what it left
 *	NAME__free	whether somebody else may use the page for something else now, before the call has returned
 *	NAME__dead	the caller has died in the middle of the call: 0, or what is wrong with what it left behind. given_up:
 *			NAME__free has said so by then (and if the event was one of those, the page is another one)
 */
#define VDSO_BEFORE(name)										\
	void name##__before(struct vdso_task *task, struct vdso_cpu *cpu, vdso_u64 buffer_address, void *buffer,	\
			    vdso_u64 page_address, void *page);							\
	void name##__before(struct vdso_task *task, struct vdso_cpu *cpu, vdso_u64 buffer_address, void *buffer,	\
			    vdso_u64 page_address, void *page)
#define VDSO_AFTER(name)										\
	vdso_u64 name(struct vdso_task *task, struct vdso_cpu *cpu, vdso_u64 answer, const void *buffer,	\
		      const void *page);								\
	vdso_u64 name(struct vdso_task *task, struct vdso_cpu *cpu, vdso_u64 answer, const void *buffer, const void *page)
#define VDSO_FREE(name)											\
	vdso_u64 name##__free(const void *buffer, const void *page);					\
	vdso_u64 name##__free(const void *buffer, const void *page)
#define VDSO_DEAD(name)											\
	vdso_u64 name##__dead(vdso_u64 tid, vdso_u64 given_up, const void *buffer, const void *page);	\
	vdso_u64 name##__dead(vdso_u64 tid, vdso_u64 given_up, const void *buffer, const void *page)

/* A CPU runs no tasks any more. */
void vdso_cpu_offline(struct vdso_cpu *cpu);

#endif
