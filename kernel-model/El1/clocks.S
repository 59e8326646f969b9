/*
 * Bodies of clock_gettime, clock_getres and gettimeofday: clock operations by
 * number, the sequence count of the timekeeper's record, the counter, and the
 * copy to user space. Other clocks go to the model.
 */
#include "layout.h"
#include "asm.h"

#define EFAULT	14
#define CLOCKS	12

	.text
	cold_part put_timespec64_cold

.macro	timekeeper reg
	adrp	\reg, tk_core
	add	\reg, \reg, :lo12:tk_core
.endm

/* x0: timespec, x1: user address -> w0: 0 or -EFAULT */
FUNC put_timespec64
	func_enter
	stp	x29, x30, [sp, #-48]!
	mov	x29, sp
	canary_set x2, x3, [sp, #40]
	ldr	x4, [tsk, #TSK_FLAGS]
	tbnz	x4, #TIF_32BIT_BIT, 3f	/* 32-bit tasks have another layout */
	ldp	x4, x5, [x0]
	stp	x4, x5, [sp, #24]
	access_ok x0, x1, 16, 2f
	add	x1, sp, #24
	mov	x2, #16
	bl	__arch_copy_to_user
	cmp	x0, #0
	b.ne	2f
	mov	w0, #0
1:	canary_check x2, x3, [sp, #40]
	ldp	x29, x30, [sp], #48
	func_ret
2:	mov	w0, #-EFAULT
	b	1b
3:	hvc	#HVC_PANIC
ENDFUNC put_timespec64

/* -> x0: the virtual counter, not read early and not passed by later loads */
FUNC arch_counter_get_cntvct
	hint	#120
	isb
	mrs	x0, cntvct_el0
	eor	x1, x0, x0
	add	x1, sp, x1
	ldr	xzr, [x1]
	func_ret
ENDFUNC arch_counter_get_cntvct

/* x0: clock source -> x0: its counter */
FUNC arch_counter_read
	func_enter
	adrp	x0, arch_timer_read_counter
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	ldr	x0, [x0, :lo12:arch_timer_read_counter]
	blr	x0
	ldp	x29, x30, [sp], #16
	func_ret
ENDFUNC arch_counter_read

/*
 * x0: timespec, x1: entry of the timekeeper's record, w2: clock. The base of
 * each clock is in the record, so no offset has to be added (stock: xtime and
 * wall_to_monotonic).
 */
FUNC ktime_get_ts64
	func_enter
	stp	x29, x30, [sp, #-48]!
	mov	x29, sp
	stp	x21, x22, [sp, #32]
	mov	x21, x0
	adrp	x3, timekeeping_suspended
	ldr	w3, [x3, :lo12:timekeeping_suspended]
	stp	x19, x20, [sp, #16]
	cbnz	w3, 9f
	mov	x19, x1
	add	x22, x1, #VD_BASETIME
	add	x22, x22, w2, uxtw #4
	b	1f
8:	hint	#1
1:	ldr	w20, [x19, #VD_SEQ]
	tbnz	w20, #0, 8b
	dmb	ishld
	ldr	x0, [x22]
	str	x0, [x21]
	/* The clock source is a field of the timekeeper in Linux. */
	adrp	x0, clocksource_counter
	add	x0, x0, :lo12:clocksource_counter
	ldr	x1, [x0]
	blr	x1
	ldp	x8, x7, [x19, #VD_CYCLE_LAST]		/* and VD_MASK */
	ldr	x6, [x22, #8]
	ldp	w3, w5, [x19, #VD_MULT]			/* and VD_SHIFT */
	dmb	ishld
	ldr	w1, [x19, #VD_SEQ]
	cmp	w20, w1
	b.ne	1b
	sub	x1, x0, x8
	mov	w0, w3
	and	x1, x1, x7
	mov	x3, #0xc9ff
	ldr	x7, [x21]
	movk	x3, #0x3b9a, lsl #16
	madd	x1, x1, x0, x6
	mov	w2, #0
	lsr	x1, x1, x5
	/* timespec64_add_ns */
	cmp	x1, x3
	b.ls	3f
	add	x4, x3, #1
2:	sub	x1, x1, x4
	add	w2, w2, #1
	cmp	x1, x3
	b.hi	2b
3:	add	x0, x7, w2, uxtw
	stp	x0, x1, [x21]
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x29, x30, [sp], #48
	func_ret
9:	hvc	#HVC_PANIC
ENDFUNC ktime_get_ts64

/* x0: timespec, x1: entry, w2: clock: the time of the last tick */
FUNC ktime_get_coarse_ts64
	func_enter
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	add	x4, x1, #VD_BASETIME
	add	x4, x4, w2, uxtw #4
1:	ldr	w3, [x1, #VD_SEQ]
	tbnz	w3, #0, 2f
	dmb	ishld
	ldr	x5, [x4]
	ldr	x6, [x4, #8]
	dmb	ishld
	ldr	w7, [x1, #VD_SEQ]
	cmp	w7, w3
	b.ne	1b
	mov	x1, x5
	mov	x2, x6
	bl	set_normalized_timespec64
	ldp	x29, x30, [sp], #16
	func_ret
2:	hint	#1
	b	1b
ENDFUNC ktime_get_coarse_ts64

/* x0: timespec, x1: seconds, x2: nanoseconds, any sign */
FUNC set_normalized_timespec64
	func_enter
	mov	x4, #0xc9ff
	movk	x4, #0x3b9a, lsl #16
	cmp	x2, x4
	b.le	2f
	add	x5, x4, #1
1:	sub	x2, x2, x5
	add	x1, x1, #1
	cmp	x2, x4
	b.gt	1b
2:	tbz	x2, #63, 4f
	add	x5, x4, #1
3:	add	x2, x2, x5
	sub	x1, x1, #1
	tbnz	x2, #63, 3b
4:	stp	x1, x2, [x0]
	func_ret
ENDFUNC set_normalized_timespec64

/* A clock as it is. w0: clock, x1: timespec -> w0: 0 */
.macro	plain_clock name, get, entry
FUNC \name
	func_enter
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	mov	w2, w0
	mov	x0, x1
	timekeeper x1
	.if	\entry != 0
	add	x1, x1, #\entry
	.endif
	bl	\get
	mov	w0, #0
	ldp	x29, x30, [sp], #16
	func_ret
ENDFUNC \name
.endm

/* A clock with an offset of the task's time namespace. */
.macro	offset_clock name, get, entry, offset
FUNC \name
	func_enter
	stp	x29, x30, [sp, #-64]!
	mov	x29, sp
	str	x19, [sp, #16]
	canary_set x3, x4, [sp, #56]
	mov	x19, x1
	mov	w2, w0
	mov	x0, x1
	timekeeper x1
	.if	\entry != 0
	add	x1, x1, #\entry
	.endif
	bl	\get
	/* timens_add_monotonic, timens_add_boottime: the sum is a local one first; locals begin as zero (INIT_STACK_ALL_ZERO) */
	stp	xzr, xzr, [sp, #40]
	mrs	x3, sp_el0
	ldr	x3, [x3, #TSK_NSPROXY]
	add	x0, sp, #40
	ldp	x1, x2, [x19]
	ldr	x3, [x3, #NSPROXY_TIME_NS]
	ldp	x4, x5, [x3, #\offset]
	add	x1, x1, x4
	add	x2, x2, x5
	bl	set_normalized_timespec64
	ldr	x0, [sp, #40]
	str	x0, [x19]
	ldr	x0, [sp, #48]
	str	x0, [x19, #8]
	canary_check x3, x4, [sp, #56]
	mov	w0, #0
	ldr	x19, [sp, #16]
	ldp	x29, x30, [sp], #64
	func_ret
ENDFUNC \name
.endm

	plain_clock posix_get_realtime_timespec, ktime_get_ts64, 0
	plain_clock posix_get_tai_timespec, ktime_get_ts64, 0
	plain_clock posix_get_realtime_coarse, ktime_get_coarse_ts64, 0
	offset_clock posix_get_monotonic_timespec, ktime_get_ts64, 0, TIME_NS_MONOTONIC
	offset_clock posix_get_monotonic_raw, ktime_get_ts64, VD_RAW, TIME_NS_MONOTONIC
	offset_clock posix_get_monotonic_coarse, ktime_get_coarse_ts64, 0, TIME_NS_MONOTONIC
	offset_clock posix_get_boottime_timespec, ktime_get_ts64, 0, TIME_NS_BOOTTIME

/* x1: timespec */
FUNC posix_get_hrtimer_res
	func_enter
	timekeeper x2
	ldr	w2, [x2, #VD_HRTIMER_RES]
	stp	xzr, x2, [x1]
	mov	w0, #0
	func_ret
ENDFUNC posix_get_hrtimer_res

FUNC posix_get_coarse_res
	func_enter
	mov	x2, #(COARSE_RES_NS & 0xffff)
	movk	x2, #(COARSE_RES_NS >> 16), lsl #16
	stp	xzr, x2, [x1]
	mov	w0, #0
	func_ret
ENDFUNC posix_get_coarse_res

/*
 * x0: pt_regs -> w19: clock, x20: user address, x21: its operations. Uses x1
 * to x5. Clocks without any go on at \model with x0 untouched.
 */
.macro	clockid_to_kclock model
	ldr	w19, [x0, #S_X0]
	ldr	x20, [x0, #S_X0 + 8]
	tbnz	w19, #31, \model
	cmp	w19, #CLOCKS
	b.hs	\model
	/* array_index_nospec */
	mov	w3, w19
	mov	x4, #CLOCKS
	cmp	x3, x4
	sbc	x4, xzr, xzr
	and	x3, x3, x4
	csdb
	adrp	x4, posix_clocks
	add	x4, x4, :lo12:posix_clocks
	ldr	x21, [x4, x3, lsl #3]
	cbz	x21, \model
.endm

FUNC __arm64_sys_clock_gettime
	func_enter
	stp	x29, x30, [sp, #-80]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	str	x21, [sp, #32]
	canary_set x1, x2, [sp, #72]
	clockid_to_kclock 3f
	stp	xzr, xzr, [sp, #48]
	ldr	x4, [x21, #8]
	cbz	x4, 3f
	mov	w0, w19
	add	x1, sp, #48
	blr	x4
	cbz	w0, 2f
	sxtw	x0, w0
1:	canary_check x1, x2, [sp, #72]
	ldr	x21, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #80
	func_ret
2:	mov	x1, x20
	add	x0, sp, #48
	bl	put_timespec64
	cmp	w0, #0
	mov	x0, #-EFAULT
	csel	x0, x0, xzr, ne
	b	1b
3:	ldr	x21, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #80
	b	__arm64_sys_model
ENDFUNC __arm64_sys_clock_gettime

FUNC __arm64_sys_clock_getres
	func_enter
	stp	x29, x30, [sp, #-80]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	str	x21, [sp, #32]
	canary_set x1, x2, [sp, #72]
	clockid_to_kclock 3f
	stp	xzr, xzr, [sp, #48]
	ldr	x4, [x21]
	cbz	x4, 3f
	mov	w0, w19
	add	x1, sp, #48
	blr	x4
	sxtw	x0, w0
	cbnz	w0, 1f
	cbnz	x20, 2f
1:	canary_check x1, x2, [sp, #72]
	ldr	x21, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #80
	func_ret
2:	mov	x1, x20
	add	x0, sp, #48
	bl	put_timespec64
	cmp	w0, #0
	mov	x0, #-EFAULT
	csel	x0, x0, xzr, ne
	b	1b
3:	ldr	x21, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #80
	b	__arm64_sys_model
ENDFUNC __arm64_sys_clock_getres

/* gettimeofday(struct timeval *, struct timezone *) */
FUNC __arm64_sys_gettimeofday
	func_enter
	stp	x29, x30, [sp, #-80]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	str	x21, [sp, #32]
	canary_set x1, x2, [sp, #72]
	ldr	x19, [x0, #S_X0]
	ldr	x20, [x0, #S_X0 + 8]
	timekeeper x21
	cbz	x19, 1f
	add	x0, sp, #48
	mov	x1, x21
	mov	w2, #0
	bl	ktime_get_ts64
	ldr	x3, [sp, #48]
	ldr	x4, [sp, #56]
	access_ok x5, x19, 8, 9f
	mov	w8, #0
	USER	8f, sttr x3, [x5]
81:	cbnz	w8, 9f
	/* nanoseconds / 1000: times 2^67 / 125, of an eighth */
	mov	x5, #0xf7cf
	movk	x5, #0xe353, lsl #16
	movk	x5, #0x9ba5, lsl #32
	movk	x5, #0x20c4, lsl #48
	lsr	x4, x4, #3
	umulh	x4, x4, x5
	lsr	x4, x4, #4
	add	x3, x19, #8
	access_ok x5, x3, 8, 9f
	USER	8f, sttr x4, [x5]
	cbnz	w8, 9f
1:	cbnz	x20, 3f
2:	mov	w0, #0
4:	sxtw	x0, w0
	canary_check x1, x2, [sp, #72]
	ldr	x21, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #80
	func_ret
3:	access_ok x0, x20, 8, 9f
	add	x1, x21, #VD_TZ_MINUTESWEST
	mov	x2, #8
	bl	__arch_copy_to_user
	cbz	x0, 2b
8:	mov	w8, #-EFAULT
	b	81b
9:	mov	w0, #-EFAULT
	b	4b
ENDFUNC __arm64_sys_gettimeofday

	.section .rodata, "a"
.macro	kclock name, res, get
\name:
	.quad	\res, \get
.endm
	.balign	64
	kclock	clock_realtime, posix_get_hrtimer_res, posix_get_realtime_timespec
	kclock	clock_monotonic, posix_get_hrtimer_res, posix_get_monotonic_timespec
	kclock	clock_monotonic_raw, posix_get_hrtimer_res, posix_get_monotonic_raw
	kclock	clock_realtime_coarse, posix_get_coarse_res, posix_get_realtime_coarse
	kclock	clock_monotonic_coarse, posix_get_coarse_res, posix_get_monotonic_coarse
	kclock	clock_boottime, posix_get_hrtimer_res, posix_get_boottime_timespec
	kclock	clock_tai, posix_get_hrtimer_res, posix_get_tai_timespec
	.balign	64
posix_clocks:
	.quad	clock_realtime, clock_monotonic, 0, 0, clock_monotonic_raw, clock_realtime_coarse
	.quad	clock_monotonic_coarse, clock_boottime, 0, 0, 0, clock_tai

	/* In Linux these are in the part of .bss that one block of 2 MiB maps. */
	data_page 0
	.globl	tk_core
tk_core:
	.skip	0x7f0			/* struct vdso_data; written by the kernel model */
clocksource_counter:
	.quad	arch_counter_read
	.globl	base_crng
	.org	tk_core + 0xe80
base_crng:
	.quad	1			/* generation of the key */
	data_page 0x1b0
arch_timer_read_counter:
	.quad	arch_counter_get_cntvct
	data_page 0xaec
timekeeping_suspended:
	.word	0
	data_page 0x980
	.globl	init_nsproxy
init_nsproxy:
	.org	init_nsproxy + NSPROXY_TIME_NS
	.quad	init_time_ns
	data_page 0x1e0
	.globl	init_time_ns
init_time_ns:
	.org	init_time_ns + TIME_NS_MONOTONIC
	.quad	0, 0, 0, 0
