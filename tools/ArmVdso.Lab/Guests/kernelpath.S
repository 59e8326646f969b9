/*
 * The guest of "armvdso kernel-path": each call a few dozen times, so that caches and
 * predictors are warm. The host watches system calls; it looks for no label here.
 */
#include "getters.h"

	.globl	_start
_start:
	.macro	calls nr, a=0, b=0
	mov	w20, #64
1:	mov	x0, \a
	mov	x1, \b
	mov	x2, #0
	mov	x8, #\nr
	svc	#0
	subs	w20, w20, #1
	b.ne	1b
	.endm

	adrp	x21, buffer
	add	x21, x21, :lo12:buffer
	calls	999
	getters
	calls	168			/* getcpu(NULL, NULL) */
	calls	113, #1, x21		/* clock_gettime(CLOCK_MONOTONIC) */
	calls	113, #6, x21		/* CLOCK_MONOTONIC_COARSE */
	calls	113, #0, x21		/* CLOCK_REALTIME */
	calls	169, x21		/* gettimeofday(tv, NULL) */
	calls	114, #1, x21		/* clock_getres(CLOCK_MONOTONIC) */
	calls	166, #18		/* umask */
	mov	x0, #0
	mov	x8, #93
	svc	#0

	.bss
	.balign	64
buffer:	.skip	64
