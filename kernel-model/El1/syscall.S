/*
 * System calls: dispatch, and the short ones that the project compares. They
 * read the records that the kernel model keeps current; all others go to it.
 */
#include "layout.h"
#include "asm.h"

#define EFAULT	14
#define EINVAL	22

	.text

/* x0: pt_regs, x28: current */
FUNC el0_svc
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	mov	x19, x0
	ldr	x1, [x19, #S_X0]
	ldr	w20, [x19, #S_X0 + 8 * 8]
	str	x1, [x19, #S_ORIG_X0]
	str	w20, [x19, #S_SYSCALLNO]
	msr	daifclr, #3
	ldr	x2, [x28, #TSK_FLAGS]
	tbnz	x2, #TIF_SYSCALL_TRACE_BIT, sys_model
	cmp	w20, #NR_SYSCALLS
	b.hs	sys_model
	adrp	x3, sys_call_table
	add	x3, x3, :lo12:sys_call_table
	/* array_index_nospec */
	mov	x4, #NR_SYSCALLS
	cmp	x20, x4
	sbc	x4, xzr, xzr
	and	x4, x20, x4
	csdb
	ldr	x3, [x3, x4, lsl #3]
	cbz	x3, sys_model
	mov	x0, x19
	blr	x3
	str	x0, [x19, #S_X0]
	b	el0_svc_out
sys_model:
	mov	x0, x19
	hvc	#HVC_SYSCALL
	cbz	x0, el0_svc_out
	cmp	x0, #ACT_EXEC
	b.eq	1f
	bl	schedule
	b	sys_model
1:	/* Patched to a branch to el0_svc_out when the design has no per-CPU slot. */
	.globl	vdso_exec_key
vdso_exec_key:
	nop
	bl	vdso_flush_thread
	get_current x0
	bl	vdso_start_thread
	.globl	el0_svc_out
el0_svc_out:
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #32
	ret
ENDFUNC el0_svc

.macro	SYS_FIELD name, offset
FUNC \name
	get_current x1
	ldr	w0, [x1, #\offset]
	ret
ENDFUNC \name
.endm

	SYS_FIELD sys_getpid, TSK_TGID
	SYS_FIELD sys_gettid, TSK_PID
	SYS_FIELD sys_getuid, TSK_UID
	SYS_FIELD sys_geteuid, TSK_EUID
	SYS_FIELD sys_getgid, TSK_GID
	SYS_FIELD sys_getegid, TSK_EGID
	SYS_FIELD sys_getppid, TSK_PPID

/* getcpu(unsigned *cpu, unsigned *node, void *unused) */
FUNC sys_getcpu
	ldp	x1, x2, [x0, #S_X0]
	mrs	x3, tpidr_el1
	ldp	w4, w5, [x3, #CPU_NUMBER]
	cbz	x1, 1f
	USER	9f, sttr w4, [x1]
1:	cbz	x2, 2f
	USER	9f, sttr w5, [x2]
2:	mov	x0, #0
	ret
9:	mov	x0, #-EFAULT
	ret
ENDFUNC sys_getcpu

/*
 * x1: clock ID (0, 1, 4, 7 or 11), x2: entry of the timekeeper record
 * -> x3: seconds, x4: nanoseconds. Uses x5 to x11.
 */
FUNC ktime_get_hres
1:	ldr	w5, [x2, #VD_SEQ]
	tbnz	w5, #0, 1b
	dmb	ishld
	isb
	mrs	x6, cntvct_el0
	ldr	x7, [x2, #VD_CYCLE_LAST]
	ldr	x8, [x2, #VD_MASK]
	sub	x6, x6, x7
	and	x6, x6, x8
	ldp	w7, w8, [x2, #VD_MULT]
	mul	x6, x6, x7
	add	x9, x2, #VD_BASETIME
	add	x9, x9, x1, lsl #4
	ldp	x3, x4, [x9]
	dmb	ishld
	ldr	w10, [x2, #VD_SEQ]
	cmp	w10, w5
	b.ne	1b
	add	x4, x4, x6
	lsr	x4, x4, x8
	mov	x11, #0xca00
	movk	x11, #0x3b9a, lsl #16
2:	cmp	x4, x11
	b.lo	3f
	sub	x4, x4, x11
	add	x3, x3, #1
	b	2b
3:	ret
ENDFUNC ktime_get_hres

FUNC ktime_get_coarse
1:	ldr	w5, [x2, #VD_SEQ]
	tbnz	w5, #0, 1b
	dmb	ishld
	add	x9, x2, #VD_BASETIME
	add	x9, x9, x1, lsl #4
	ldp	x3, x4, [x9]
	dmb	ishld
	ldr	w10, [x2, #VD_SEQ]
	cmp	w10, w5
	b.ne	1b
	ret
ENDFUNC ktime_get_coarse

.macro	timekeeper reg
	mrs	\reg, tpidr_el1
	ldr	\reg, [\reg, #CPU_TIMEKEEPER]
.endm

/* clock_gettime(clockid_t, struct timespec *); other clocks go to the model */
FUNC sys_clock_gettime
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	ldp	x1, x12, [x0, #S_X0]
	mov	w1, w1
	timekeeper x2
	cmp	x1, #11
	b.hi	8f
	mov	x5, #0x893		/* bits 0, 1, 4, 7, 11 */
	lsr	x6, x5, x1
	tbz	x6, #0, 2f
	cmp	x1, #4
	b.ne	1f
	add	x2, x2, #VD_RAW
1:	bl	ktime_get_hres
	b	3f
2:	mov	x5, #0x60		/* bits 5, 6 */
	lsr	x6, x5, x1
	tbz	x6, #0, 8f
	bl	ktime_get_coarse
3:	USER	9f, sttr x3, [x12]
	USER	9f, sttr x4, [x12, #8]
	mov	x0, #0
	ldp	x29, x30, [sp], #32
	ret
8:	ldp	x29, x30, [sp], #32
	b	sys_to_model
9:	mov	x0, #-EFAULT
	ldp	x29, x30, [sp], #32
	ret
ENDFUNC sys_clock_gettime

/* Leaves a table entry for the model: drops the return into el0_svc. */
FUNC sys_to_model
	b	sys_model
ENDFUNC sys_to_model

FUNC sys_clock_getres
	ldp	x1, x12, [x0, #S_X0]
	mov	w1, w1
	timekeeper x2
	cmp	x1, #11
	b.hi	8f
	mov	x5, #0x893
	lsr	x6, x5, x1
	tbz	x6, #0, 1f
	ldr	w4, [x2, #VD_HRTIMER_RES]
	b	2f
1:	mov	x5, #0x60
	lsr	x6, x5, x1
	tbz	x6, #0, 8f
	mov	x4, #(TK_COARSE_RES & 0xffff)
	movk	x4, #(TK_COARSE_RES >> 16), lsl #16
2:	cbz	x12, 3f
	USER	9f, sttr xzr, [x12]
	USER	9f, sttr x4, [x12, #8]
3:	mov	x0, #0
	ret
8:	b	sys_to_model
9:	mov	x0, #-EFAULT
	ret
ENDFUNC sys_clock_getres

/* gettimeofday(struct timeval *, struct timezone *) */
FUNC sys_gettimeofday
	stp	x29, x30, [sp, #-32]!
	mov	x29, sp
	ldp	x12, x13, [x0, #S_X0]
	timekeeper x2
	mov	x1, #0
	cbz	x12, 1f
	bl	ktime_get_hres
	mov	x5, #1000
	udiv	x4, x4, x5
	USER	9f, sttr x3, [x12]
	USER	9f, sttr x4, [x12, #8]
1:	cbz	x13, 2f
	add	x2, x2, #VD_TZ_MINUTESWEST
	ldp	w3, w4, [x2]
	USER	9f, sttr w3, [x13]
	USER	9f, sttr w4, [x13, #4]
2:	mov	x0, #0
	ldp	x29, x30, [sp], #32
	ret
9:	mov	x0, #-EFAULT
	ldp	x29, x30, [sp], #32
	ret
ENDFUNC sys_gettimeofday

	.section .rodata, "a"
	.balign	64
	.globl	sys_call_table
sys_call_table:
	.fill	113, 8, 0
	.quad	sys_clock_gettime	/* 113 */
	.quad	sys_clock_getres	/* 114 */
	.fill	168 - 115, 8, 0
	.quad	sys_getcpu		/* 168 */
	.quad	sys_gettimeofday	/* 169 */
	.fill	172 - 170, 8, 0
	.quad	sys_getpid		/* 172 */
	.quad	sys_getppid		/* 173 */
	.quad	sys_getuid		/* 174 */
	.quad	sys_geteuid		/* 175 */
	.quad	sys_getgid		/* 176 */
	.quad	sys_getegid		/* 177 */
	.quad	sys_gettid		/* 178 */
	.fill	NR_SYSCALLS - 179, 8, 0
	.size	sys_call_table, . - sys_call_table
