/*
 * Bodies of the system calls that return an ID or the CPU, on records in the
 * shape of Linux's: struct pid with a number a namespace level, struct cred
 * with a user namespace and its maps.
 */
#include "layout.h"
#include "asm.h"

#define EFAULT	14

	.text
	cold_part getcpu_cold

/* x0: task, w1: PIDTYPE_*, x2: namespace or 0 (the running task's) -> w0 */
FUNC __task_pid_nr_ns
	func_enter
	mov	x6, x0
	mov	w7, w1
	mov	x5, x2
	mov	w0, #0
	cbnz	x5, 1f
	/* task_active_pid_ns(current) */
	ldr	x3, [tsk, #TSK_THREAD_PID]
	cbz	x3, 4f
	ldr	w4, [x3, #PID_LEVEL]
	mov	w4, w4
	add	x4, x3, x4, lsl #4
	ldr	x5, [x4, #PID_NS]
1:	/* task_pid_ptr */
	cmp	w7, #PIDTYPE_PID
	b.eq	2f
	cmp	w7, #3
	b.hi	4f
	ldr	x3, [x6, #TSK_SIGNAL]
	add	x3, x3, #SIGNAL_PIDS
	add	x3, x3, w7, uxtw #3
	b	3f
2:	add	x3, x6, #TSK_THREAD_PID
3:	ldr	x3, [x3]
	/* pid_nr_ns */
	cbz	x3, 4f
	ldr	w4, [x5, #NS_LEVEL]
	ldr	w2, [x3, #PID_LEVEL]
	cmp	w4, w2
	b.hi	4f
	mov	w4, w4
	add	x4, x3, x4, lsl #4
	ldr	x2, [x4, #PID_NS]
	cmp	x2, x5
	b.ne	4f
	ldr	w0, [x4, #PID_NR]
4:	func_ret
ENDFUNC __task_pid_nr_ns

.macro	task_id name, type
FUNC \name
	func_enter
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	mrs	x0, sp_el0
	mov	x2, #0
	mov	w1, #\type
	bl	__task_pid_nr_ns
	sxtw	x0, w0
	ldp	x29, x30, [sp], #16
	func_ret
ENDFUNC \name
.endm

	task_id	__arm64_sys_getpid, PIDTYPE_TGID
	task_id	__arm64_sys_gettid, PIDTYPE_PID

FUNC __arm64_sys_getppid
	func_enter
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	mrs	x0, sp_el0
	mov	x2, #0
	mov	w1, #PIDTYPE_TGID
	ldr	x0, [x0, #TSK_REAL_PARENT]
	bl	__task_pid_nr_ns
	sxtw	x0, w0
	ldp	x29, x30, [sp], #16
	func_ret
ENDFUNC __arm64_sys_getppid

/* x0: map, w1: kernel ID -> w0: ID in the namespace, or -1 */
FUNC map_id_up
	func_enter
	stp	x29, x30, [sp, #-64]!
	mov	x29, sp
	str	x19, [sp, #16]
	str	w1, [sp, #36]
	canary_set x2, x3, [sp, #56]
	mov	x19, x0
	ldr	w4, [x19]
	dmb	ishld
	mov	w0, #-1
	cmp	w4, #5
	b.hi	3f			/* more than five extents: sorted; no map here has them */
	cbz	w4, 3f
	add	x5, x19, #USERNS_MAP_EXTENT
	mov	w6, #12
	umaddl	x6, w4, w6, x5
1:	ldr	w7, [x5, #4]		/* lower_first */
	ldr	w8, [x5, #8]		/* count */
	add	w8, w7, w8
	sub	w8, w8, #1
	cmp	w1, w7
	b.lo	2f
	cmp	w1, w8
	b.ls	4f
2:	add	x5, x5, #12
	cmp	x5, x6
	b.ne	1b
3:	canary_check x2, x3, [sp, #56]
	ldr	x19, [sp, #16]
	ldp	x29, x30, [sp], #64
	func_ret
4:	ldr	w0, [x5]		/* first */
	ldr	w1, [sp, #36]
	sub	w1, w1, w7
	add	w0, w0, w1
	b	3b
ENDFUNC map_id_up

/* x0: user namespace, w1: ID -> w0: ID there, the overflow ID without a mapping */
.macro	from_id_munged name, map
FUNC \name
	func_enter
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	add	x0, x0, #\map
	bl	map_id_up
	cmn	w0, #1
	b.eq	1f
	ldp	x29, x30, [sp], #16
	func_ret
1:	adrp	x0, overflow_id
	ldr	w0, [x0, :lo12:overflow_id]
	ldp	x29, x30, [sp], #16
	func_ret
ENDFUNC \name
.endm

	from_id_munged from_kuid_munged, USERNS_UID_MAP
	from_id_munged from_kgid_munged, USERNS_GID_MAP

.macro	cred_id name, field, from
FUNC \name
	func_enter
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	mrs	x0, sp_el0
	ldr	x2, [x0, #TSK_CRED]
	ldr	w1, [x2, #\field]
	ldr	x0, [x2, #CRED_USER_NS]
	bl	\from
	mov	w0, w0
	ldp	x29, x30, [sp], #16
	func_ret
ENDFUNC \name
.endm

	cred_id	__arm64_sys_getuid, CRED_UID, from_kuid_munged
	cred_id	__arm64_sys_geteuid, CRED_EUID, from_kuid_munged
	cred_id	__arm64_sys_getgid, CRED_GID, from_kgid_munged
	cred_id	__arm64_sys_getegid, CRED_EGID, from_kgid_munged

/* getcpu(unsigned *cpu, unsigned *node, void *unused) */
FUNC __arm64_sys_getcpu
	func_enter
	movz	x5, #CPU_NUMBER
	movk	x5, #0, lsl #16
	mrs	x4, tpidr_el1
	ldr	w5, [x5, x4]
	ldp	x2, x1, [x0, #S_X0]
	mov	w3, #0
	cbz	x2, 2f
	access_ok x2, x2, 4, 8f
	USER	8f, sttr w5, [x2]
2:	cbz	x1, 4f
	access_ok x1, x1, 4, 9f
	/* cpu_to_node: per-CPU data of a CPU by its number */
	adrp	x4, __per_cpu_offset
	add	x4, x4, :lo12:__per_cpu_offset
	movz	x0, #CPU_NUMA_NODE
	movk	x0, #0, lsl #16
	ldr	x4, [x4, w5, sxtw #3]
	ldr	w0, [x4, x0]
	USER	9f, sttr w0, [x1]
4:	cbnz	w3, 5f
	mov	x0, #0
	func_ret
5:	mov	x0, #-EFAULT
	func_ret
8:	mov	w3, #-EFAULT
	b	2b
9:	mov	w3, #-EFAULT
	b	4b
ENDFUNC __arm64_sys_getcpu

	data_page 0
	.globl	__per_cpu_offset
__per_cpu_offset:
	.skip	8 * 64			/* Machine.MaxCpus; written at boot */
	data_page 0
	.globl	pid_namespaces
pid_namespaces:
	/* One record a level; the number in a struct pid points to it */
	.set	level, 0
	.rept	33
	.quad	0
	.word	level, 0		/* NS_LEVEL */
	.set	level, level + 1
	.endr
	.balign	64
	.globl	overflow_id
overflow_id:
	.word	65534
