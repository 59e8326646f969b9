/*
 * Bodies of system calls that came after those of ids.S and clocks.S; behind everything else, so that the
 * addresses of older code stay.
 */
#include "layout.h"
#include "asm.h"

#define EINVAL		22
#define MAX_RT_PRIO	100

	.text

/*
 * getpgid(0), getsid(0): pid_vnr(task_pgrp(current)) and its like (kernel/sys.c). The RCU read lock is nothing in
 * a kernel that is not preempted. Of another process the model knows.
 */
.macro	pid_of_self name, type
FUNC \name
	func_enter
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	ldr	w1, [x0, #S_X0]
	cbnz	w1, 2f
	mrs	x2, sp_el0
	ldr	x3, [x2, #TSK_SIGNAL]
	ldr	x3, [x3, #(SIGNAL_PIDS + 8 * \type)]
	cbz	x3, 2f
	/* task_active_pid_ns(current) */
	ldr	x4, [x2, #TSK_THREAD_PID]
	ldr	w5, [x4, #PID_LEVEL]
	add	x4, x4, x5, lsl #4
	ldr	x5, [x4, #PID_NS]
	/* pid_nr_ns */
	mov	w0, #0
	ldr	w4, [x5, #NS_LEVEL]
	ldr	w6, [x3, #PID_LEVEL]
	cmp	w4, w6
	b.hi	1f
	add	x4, x3, x4, lsl #4
	ldr	x6, [x4, #PID_NS]
	cmp	x6, x5
	b.ne	1f
	ldr	w0, [x4, #PID_NR]
1:	sxtw	x0, w0
	ldp	x29, x30, [sp], #16
	func_ret
2:	ldp	x29, x30, [sp], #16
	b	__arm64_sys_model
ENDFUNC \name
.endm

	pid_of_self __arm64_sys_getpgid, PIDTYPE_PGID
	pid_of_self __arm64_sys_getsid, PIDTYPE_SID

/* sched_get_priority_max(policy): real-time policies, the others, and what is none (kernel/sched/core.c) */
FUNC __arm64_sys_sched_get_priority_max
	func_enter
	ldr	w1, [x0, #S_X0]
	cmp	w1, #6
	b.hi	2f
	/* SCHED_FIFO, SCHED_RR */
	sub	w2, w1, #1
	cmp	w2, #1
	b.ls	1f
	mov	x0, #0
	cmp	w1, #4
	b.eq	2f
	func_ret
1:	mov	x0, #(MAX_RT_PRIO - 1)
	func_ret
2:	mov	x0, #-EINVAL
	func_ret
ENDFUNC __arm64_sys_sched_get_priority_max
