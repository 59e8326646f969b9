/* SPDX-License-Identifier: MIT */
/* Made from vdso-image/calls.tsv by tools/ArmVdso.CallGenerator. For the assembler. */
#ifndef ARMVDSO_EL1_CALLS_H
#define ARMVDSO_EL1_CALLS_H

/* The task's identity as it sees itself: its own PID namespace, its own user namespace. */
.macro	fill_identity slot
	ldp	w4, w5, [x0, #TSK_PID]	/* and tid */
	stp	w4, w5, [\slot, #SLOT_PID]
	ldp	w4, w5, [x0, #TSK_UID]	/* and euid */
	stp	w4, w5, [\slot, #SLOT_UID]
	ldp	w4, w5, [x0, #TSK_GID]	/* and egid */
	stp	w4, w5, [\slot, #SLOT_GID]
	ldp	w4, w5, [x0, #TSK_PPID]	/* and pgid */
	stp	w4, w5, [\slot, #SLOT_PPID]
	ldr	w4, [x0, #TSK_SID]
	str	w4, [\slot, #SLOT_SID]
.endm

/* What of it is not in the talk's slot. */
.macro	fill_further slot
	ldr	w4, [x0, #TSK_PGID]
	str	w4, [\slot, #SLOT_PGID]
	ldr	w4, [x0, #TSK_SID]
	str	w4, [\slot, #SLOT_SID]
.endm

/* sys_call_table */
.macro	sys_call_rows
	models	0, 113
	.quad	__arm64_sys_clock_gettime	/* 113 */
	.quad	__arm64_sys_clock_getres	/* 114 */
	models	115, 125
	.quad	__arm64_sys_sched_get_priority_max	/* 125 */
	models	126, 155
	.quad	__arm64_sys_getpgid		/* 155 */
	.quad	__arm64_sys_getsid		/* 156 */
	models	157, 168
	.quad	__arm64_sys_getcpu		/* 168 */
	.quad	__arm64_sys_gettimeofday	/* 169 */
	models	170, 172
	.quad	__arm64_sys_getpid		/* 172 */
	.quad	__arm64_sys_getppid		/* 173 */
	.quad	__arm64_sys_getuid		/* 174 */
	.quad	__arm64_sys_geteuid		/* 175 */
	.quad	__arm64_sys_getgid		/* 176 */
	.quad	__arm64_sys_getegid		/* 177 */
	.quad	__arm64_sys_gettid		/* 178 */
	models	179, NR_SYSCALLS
.endm

#endif
