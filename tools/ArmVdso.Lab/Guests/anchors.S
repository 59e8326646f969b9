/*
 * The guest of the system call yardsticks: the loops of UnixBench's syscall (mix), pipe and
 * context1, in our own text. The host watches the labels *_round. Argument: which loop.
 */
	.globl	_start, mix_round, pipe_round, switch_round
	.macro	sys nr
	mov	x8, #\nr
	svc	#0
	.endm

_start:
	ldr	x0, [sp, #16]		/* argv[1] */
	ldrb	w19, [x0]
	adrp	x21, buffer
	add	x21, x21, :lo12:buffer
	mov	w20, #600
	cmp	w19, #'p'
	b.eq	pipes
	cmp	w19, #'s'
	b.eq	switches

	/* close(dup(0)); getppid(); getuid(); umask(022) */
mix_round:
	mov	x0, #0
	sys	23
	sys	57
	sys	173
	sys	174
	mov	x0, #18
	sys	166
	subs	w20, w20, #1
	b.ne	mix_round
	b	leave

	/* 512 bytes through a pipe of its own */
pipes:	add	x0, x21, #1024
	mov	x1, #0
	sys	59
pipe_round:
	ldr	w0, [x21, #1028]
	mov	x1, x21
	mov	x2, #512
	sys	64
	ldr	w0, [x21, #1024]
	mov	x1, x21
	mov	x2, #512
	sys	63
	subs	w20, w20, #1
	b.ne	pipe_round
	b	leave

	/* A number to a child and back through two pipes */
switches:
	add	x0, x21, #1024
	mov	x1, #0
	sys	59
	add	x0, x21, #1032
	mov	x1, #0
	sys	59
	mov	x0, #17			/* SIGCHLD */
	mov	x1, #0
	mov	x2, #0
	mov	x3, #0
	mov	x4, #0
	sys	220
	cbz	x0, child
switch_round:
	ldr	w0, [x21, #1028]
	mov	x1, x21
	mov	x2, #4
	sys	64
	ldr	w0, [x21, #1032]
	mov	x1, x21
	mov	x2, #4
	sys	63
	subs	w20, w20, #1
	b.ne	switch_round
	b	leave
child:	ldr	w0, [x21, #1024]
	mov	x1, x21
	mov	x2, #4
	sys	63
	ldr	w0, [x21, #1036]
	mov	x1, x21
	mov	x2, #4
	sys	64
	subs	w20, w20, #1
	b.ne	child
leave:	mov	x0, #0
	sys	94

	.bss
	.balign	4096
buffer:	.skip	4096
