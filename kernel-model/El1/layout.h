/*
 * What EL1 code and the C# kernel share: offsets in guest memory and HVC
 * numbers. layout.awk makes Generated/El1Layout.g.cs of it and fields.h; nothing is declared
 * twice. A comment that begins "Name (PREFIX_*):" or "enum Name (PREFIX_*):"
 * names the C# type of the constants below it, which all have that prefix.
 * What is no plain number is the assembler's own.
 */
#ifndef ARMVDSO_EL1_LAYOUT_H
#define ARMVDSO_EL1_LAYOUT_H

/* The task's words of the vDSO's slot: in the slot, and in the task record from 0x080 and from 0x0e8 */
#include "Generated/fields.h"

/* PtRegs (S_*): struct pt_regs of Linux 6.1 (arch/arm64/include/asm/ptrace.h) */
#define S_X0			0
#define S_SP			248
#define S_PC			256
#define S_PSTATE		264
#define S_ORIG_X0		272
#define S_SYSCALLNO		280
#define S_STACKFRAME		304
#define S_FRAME_SIZE		336

/* TaskRecord (TSK_*): the part of task_struct that EL1 code reads */
#define TSK_FLAGS		0x000
#define TSK_STACK_TOP		0x008
#define TSK_CONTEXT		0x010	/* x19..x28, fp, sp, pc */
#define TSK_TP_VALUE		0x0a0
#define TSK_TTBR0		0x0a8	/* 0: kernel thread, keep the old space */
#define TSK_VDSO_SLOT		0x0b0	/* kernel address of the thread's own slot (per-thread); 0: none */
#define TSK_VDSO_REGISTER	0x0b8	/* the thread's own value for TPIDRRO_EL0 (per-thread, rseq); 0: none */
#define TSK_VDSO_FOREIGN	0x0c0	/* not 0: outside of the first PID or user namespace */
#define TSK_VDSO_FIXED		0x0c4	/* per-cpu-fixup: its PC was moved back the last time */
#define TSK_PIDNS		0x0c8	/* active PID namespace: any number that is its own */
#define TSK_PIDNS_LEVEL		0x0d0	/* 0: the first one */
#define TSK_VDSO_REQUEST	0x0e0	/* writable page: the file system user that EL1 code has granted */
#define TSK_VDSO_BASE		0x0d8	/* user address of the image; 0: none */
#define TSK_VDSO_OWN		0x0f8	/* a word for the hooks of a design in a folder */
#define TSK_CANARY		0x108	/* stack protector */
#define TSK_THREAD_PID		0x110	/* struct pid of the thread */
#define TSK_SIGNAL		0x118	/* signal_struct: the IDs of the process */
#define TSK_REAL_PARENT		0x120
#define TSK_CRED		0x128
#define TSK_NSPROXY		0x130
#define TSK_DEBUG		0x140	/* breakpoints and watchpoints disabled: two words */
#define TSK_PREEMPT_COUNT	0x148	/* not 0: an interrupt of EL1 code does not schedule (--preempt full); the idle task's is 1 */
#define TSK_RSEQ		0x150	/* user address of the registered rseq area; 0: none (kernel word rseq) */
#define TSK_RSEQ_EVENT		0x158	/* not 0: the area is stale (rseq_event_mask) */
#define TSK_MM_CID		0x15c	/* its concurrency ID while it runs; -1: none */
#define TSK_RSEQ_SIG		0x164	/* signature before the abort of a critical section */
#define TSK_SLICE		0x160	/* byte, not 0: the task may ask for longer time slices (kernel word rseq-slice) */
#define TSK_SLICE_GRANTED	0x161	/* byte, not 0: it was given one; read together with the one before */
#define TSK_SLICE_IRQ		0x162	/* byte, not 0: an interrupt of EL0 is being left */
#define TSK_PROCESS_FLAGS	0x168	/* PF_*: word */
#define TSK_KSTACK_OFFSET	0x16c	/* random stack offset of the next system call: word */
#define TSK_LAST_MM_CID		0x170	/* its concurrency ID the last time it ran; -1: none, or not to be taken along: word */
#define TSK_MM_CIDS		0x178	/* the concurrency IDs of its memory, if EL1 code gives them (mm_cid_active) */
#define TSK_ASID		0x138	/* of the address space, in bits 63 to 48 */
#define TSK_FPSIMD		0x200	/* v0..v31 */
#define TSK_FPSR		0x400
#define TSK_FPCR		0x404
#define TSK_NUMBERS		0x800	/* for each level of PID namespaces a record NUMBERS_* */
#define TSK_SCTLR_USER		0x1000	/* thread_struct is at the end of task_struct: in the page behind the flags */
#define TSK_SIZE		0x4000	/* with the stack, all of 32 KiB */

/* TaskNumbers (NUMBERS_*): a task's numbers in one PID namespace */
#define NUMBERS_NS		0
#define NUMBERS_TGID		8
#define NUMBERS_TID		12
#define NUMBERS_PPID		16
#define NUMBERS_SIZE		24

/* ConcurrencyRecord (MM_CID_*): IDs of a memory: those taken (mm_cidmask), in a line for each CPU its own (struct mm_cid) */
#define MM_CID_TAKEN		0x00
#define MM_CID_CPU_SHIFT	6
#define MM_CID_TIME		0x10	/* rq->clock when it was last used */
#define MM_CID_CID		0x18	/* word: an ID; MM_CID_LAZY_PUT besides: given up by the next switch; all ones: none */
#define MM_CID_LAZY_PUT_BIT	31

/*
 * LinkedRecords (TSK_REC_*): records that a task points to, behind its own
 *
 * Linux shares them between tasks; here each task has copies, which the kernel
 * model keeps current. As Linux's slabs have them, records of different types
 * that one call needs are in different pages: a CPU has few entries for pages
 * next to its pipeline.
 */
#define TSK_REC_PID		0x2000	/* struct pid of the thread, up to 33 levels, as the others */
#define TSK_REC_TGPID		0x2240	/* struct pid of the process */
#define TSK_REC_PARENT_PID	0x2480	/* struct pid of the parent process, as this task sees it */
#define TSK_REC_PGRP		0x26c0	/* struct pid of the process group */
#define TSK_REC_SESSION		0x2900	/* struct pid of the session */
#define TSK_REC_USER_NS		0x2b80
#define TSK_REC_SIGNAL		0x3680
#define TSK_REC_CRED		0x36c0
#define TSK_REC_PARENT_SIGNAL	0x3700
#define TSK_REC_PARENT		0x3780	/* the parent: only its TSK_SIGNAL; two pages less than Linux has, but for a child of init_task */

/* PidRecord (PID_*): struct pid: level, then one upid (number, namespace) a level */
#define PID_LEVEL		0x04
#define PID_NR			0x10
#define PID_NS			0x18

/* enum PidType (PIDTYPE_*): enum pid_type of Linux */
#define PIDTYPE_PID		0
#define PIDTYPE_TGID		1
#define PIDTYPE_PGID		2
#define PIDTYPE_SID		3

/* PidNamespaceRecord (NS_*): struct pid_namespace */
#define NS_LEVEL		0x08

/* SignalRecord (SIGNAL_*): struct signal_struct */
#define SIGNAL_PIDS		0x10	/* struct pid by PIDTYPE */

/* CredRecord (CRED_*): struct cred */
#define CRED_UID		0x04
#define CRED_GID		0x08
#define CRED_EUID		0x14
#define CRED_EGID		0x18
#define CRED_USER_NS		0x38

/* UserNamespaceRecord (USERNS_*): struct user_namespace: uid_map, gid_map; each nr_extents, then extents */
#define USERNS_UID_MAP		0x00
#define USERNS_GID_MAP		0x40
#define USERNS_MAP_EXTENT	0x04	/* in a map: first, lower_first, count */

/* NsproxyRecord (NSPROXY_*): struct nsproxy */
#define NSPROXY_TIME_NS		0x28

/* TimeNamespaceRecord (TIME_NS_*): struct time_namespace */
#define TIME_NS_MONOTONIC	0x20	/* offsets: seconds, nanoseconds */
#define TIME_NS_BOOTTIME	0x30

/* enum TaskFlag (TIF_*_BIT): bits of TSK_FLAGS */
#define TIF_NEED_RESCHED_BIT	0
#define TIF_WORK_BIT		1	/* signals and other work before EL0 */
#define TIF_SYSCALL_TRACE_BIT	2	/* every system call goes to C# */
#define TIF_VDSO_BIT		63	/* the vDSO's slot of this task is stale; alone in its word, which EL1 code clears */
#define TIF_WORK_MASK		((1 << TIF_WORK_BIT) | (1 << TIF_NEED_RESCHED_BIT) | (1 << TIF_VDSO_BIT))
#define TIF_MTE_ASYNC_FAULT_BIT	5
#define TIF_SINGLESTEP_BIT	21
#define TIF_32BIT_BIT		22
#define TIF_TAGGED_ADDR_BIT	26	/* addresses in system calls may have tags (PR_SET_TAGGED_ADDR_CTRL) */

/* enum ProcessFlag (PF_*_BIT): bits of TSK_PROCESS_FLAGS */
#define PF_KTHREAD_BIT		21

/* CpuRecord (CPU_*): per-CPU record, at TPIDR_EL1 */
#define CPU_NUMBER		0x00
#define CPU_NODE		0x04
#define CPU_VDSO_SLOT		0x08	/* kernel address of this CPU's slot */
#define CPU_VDSO_OFFSET		0x10	/* value for TPIDRRO_EL0; 0: no slot */
#define CPU_CURRENT		0x20	/* kernel address of the running task */
#define CPU_VDSO_REGISTER	0x28	/* what TPIDRRO_EL0 has to hold in EL0; kept only where an exit writes it again */
#define CPU_VDSO_OWN		0x98	/* a word for the hooks of a design in a folder */
#define CPU_CLOCK		0xa0	/* ns when it last chose a task (rq->clock) */
#define CPU_VECTOR		0x80	/* what VBAR_EL1 is while EL0 runs (this_cpu_vector) */
#define CPU_SSBD_CALLBACK	0x90	/* arm64_ssbd_callback_required */
#define CPU_NUMA_NODE		0x1f40	/* the node again: Linux's per-CPU area has some 70 KiB, its variables lie in several pages */
#define CPU_BATCH_ENTROPY	0x2e00	/* get_random_u16: 48 values, generation, position */
#define CPU_BATCH_GENERATION	0x2e60
#define CPU_BATCH_POSITION	0x2e68
#define CPU_BATCH_ENTRIES	48
#define CPU_SIZE		0x3000

/* enum Alternative (ALT_*): what alternatives depend on: bits of the kernel configuration */
#define ALT_KPTI		0
#define ALT_BHB_LOOP		1
#define ALT_RANDOM_STACK	2
#define ALT_SSBD_FIRMWARE	3	/* no SSBS: the firmware would be asked */
#define ALT_RELOAD		4	/* TPIDRRO_EL0 is written again on every return to EL0 */

/* Trampoline (TRAMP_*): kernel addresses of the trampoline: its data page, then its code page */
#define TRAMP_DATA_VALIAS	0xfffffdfffe7fc000
#define TRAMP_VALIAS		0xfffffdfffe7fd000
#define TRAMP_SWAPPER_OFFSET	0x1000	/* kernel tables minus trampoline tables, in TTBR1_EL1 */
#define TRAMP_USER_ASID_FLAG	0x1000000000000

/* El1Number (*): numbers that stand alone */
#define THREAD_SHIFT		14	/* 16 KiB stacks, aligned to 32 KiB so that an overflow sets this bit */
#define COARSE_RES_NS		4000000	/* resolution of the coarse clocks */
#define VDSO_GENERATION_SHIFT	16	/* design "per-cpu-gen": TPIDRRO_EL0 has a count above the offset */
#define NR_SYSCALLS		512

/*
 * FixupRecord (FIXUP_*): vdso_fixup_table: first offset and span (8 bytes each), how many entries (4 bytes), entries
 *
 * An entry has three offsets from the image's start.
 */
#define FIXUP_ENTRIES		24
#define FIXUP_START		0
#define FIXUP_LENGTH		4
#define FIXUP_FALLBACK		8
#define FIXUP_SIZE		12

/* enum HypercallNumber (HVC_*): what EL1 code asks the kernel model */
#define HVC_SYSCALL		1	/* x0 pt_regs -> x0 ACT_* */
#define HVC_WORK		2	/* x0 pt_regs -> x0 ACT_* */
#define HVC_SCHEDULE		3	/* -> x0 next task record */
#define HVC_FAULT		4	/* x0 pt_regs, x1 ESR, x2 FAR -> x0 ACT_* */
#define HVC_IRQ			5	/* x0 interrupt number, x1 pt_regs */
#define HVC_KERNEL_FAULT	6	/* x0 pt_regs, x1 ESR, x2 FAR -> x0 0: retry, else fix up */
#define HVC_SWITCHED		7	/* x0 previous task record */
#define HVC_PANIC		8	/* x0 pt_regs, x1 ESR, x2 FAR */
#define HVC_RANDOM		9	/* fills this CPU's batch of random numbers */
#define HVC_VDSO_REFRESH	10	/* x0 task record: its slot is filled again before it is in EL0 (hooks of a design) */
#define HVC_VDSO_PUT_USER	11	/* x0 user address, x1 doubleword -> x0 0, or 1: it cannot be written (hooks of a design) */
#define HVC_RSEQ		12	/* the running task's rseq area cannot be used: SIGSEGV */
#define HVC_SLICE		13	/* x0 0: the running task was given a longer time slice; 1: its rseq area cannot be used */

/* enum El1Action (ACT_*): what EL1 code is to do next */
#define ACT_DONE		0
#define ACT_SCHEDULE		1	/* sleep, then ask again */
#define ACT_EXEC		2	/* a new program: flush_thread and start_thread */

/* VdsoData (VD_*): struct vdso_data (Linux 6.1) */
#define VD_SEQ			0x00
#define VD_CYCLE_LAST		0x08
#define VD_MASK			0x10
#define VD_MULT			0x18
#define VD_SHIFT		0x1c
#define VD_BASETIME		0x20
#define VD_TZ_MINUTESWEST	0xe0
#define VD_HRTIMER_RES		0xe8
#define VD_RAW			0xf0

#endif
