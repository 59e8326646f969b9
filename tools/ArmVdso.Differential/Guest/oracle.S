// The oracle's side of the differential run: a static arm64 program that executes one instruction (or two) at a time from a
// given state and writes the state that results. It shares a file with the driver; see OracleLayout.cs for the offsets.
//
// Started with the path of the shared file. Then, for every 8 bytes read from standard input: copies the code area to
// CODE_VA, runs all cases, writes 8 bytes to standard output. End of input ends it.
//
// A case enters its slot with every register loaded. A slot is
//	mrs	x0, tpidr_el0
//	<the instruction under test, one or two words>
//	b	slot_end
// and x0 travels through TPIDR_EL0, so that all of x0..x30 and sp belong to the case.

#define CODE_VA		0x2543210000
#define WINDOW_VA	0x2543290000
#define SHARED_VA	0x3000000000
#define SHARED_SIZE	0x600000

#define O_COUNT		0
#define O_CODE_BYTES	8
#define O_CURRENT	16
#define O_CODE		0x1000
#define O_TEMPLATE	0x11000
#define O_WINDOW	0x12000
#define O_IN		0x20000
#define O_OUT		0x200000
#define O_ZONES		0x400000

#define CODE_SIZE	0x10000
#define WINDOW_SIZE	0x2000
#define ZONE_A		(WINDOW_VA + 0x1000 - 384)
#define ZONE_B		(WINDOW_VA + 0x2000 - 256)
#define ZONE_BYTES	1024

// Byte offsets in a state.
#define S_SP		248
#define S_V		256
#define S_NZCV		768
#define S_FPCR		776
#define S_FPSR		784
#define S_PC		792
#define S_SIGNAL	800
#define S_CODE		808
#define S_FAULT		816
#define S_FLAGS		824
#define STATE_BYTES	832

#define FLAG_MEMORY	0

// Linux arm64 ABI.
#define SYS_openat	56
#define SYS_read	63
#define SYS_write	64
#define SYS_exit_group	94
#define SYS_sigaltstack	132
#define SYS_prctl	167
#define SYS_rt_sigaction 134
#define SYS_mmap	222
#define SYS_mprotect	226
#define SA_FLAGS	(0x4 | 0x08000000 | 0x40000000)	// SIGINFO, ONSTACK, NODEFER
#define UC_REGS		184
#define UC_SP		432
#define UC_PC		440
#define UC_PSTATE	448
#define UC_FPSR		472
#define UC_FPCR		476
#define UC_VREGS	480

	.macro	call nr
	mov	x8, #\nr
	svc	#0
	.endm

	.macro	fail_if_negative code
	tbz	x0, #63, .Lok\@
	mov	x0, #\code
	b	exit
.Lok\@:
	.endm

	.text
	.globl	_start
_start:
	ldr	x1, [sp, #16]			// argv[1]
	mov	x0, #-100			// AT_FDCWD
	mov	x2, #2				// O_RDWR
	mov	x3, #0
	call	SYS_openat
	fail_if_negative 10
	mov	x20, x0

	ldr	x0, =SHARED_VA
	ldr	x1, =SHARED_SIZE
	mov	x2, #3
	mov	x3, #0x11			// MAP_SHARED | MAP_FIXED
	mov	x4, x20
	mov	x5, #0
	call	SYS_mmap
	fail_if_negative 11

	ldr	x0, =WINDOW_VA
	mov	x1, #WINDOW_SIZE
	mov	x2, #3
	mov	x3, #0x11
	mov	x4, x20
	ldr	x5, =O_WINDOW
	call	SYS_mmap
	fail_if_negative 12

	ldr	x0, =CODE_VA
	mov	x1, #CODE_SIZE
	mov	x2, #3
	mov	x3, #0x32			// MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS
	mov	x4, #-1
	mov	x5, #0
	call	SYS_mmap
	fail_if_negative 13

	adr	x0, alternate_stack
	mov	x1, #0
	call	SYS_sigaltstack
	fail_if_negative 14
	adr	x21, signals
1:	ldrb	w0, [x21], #1
	cbz	w0, tags
	adr	x1, action
	mov	x2, #0
	mov	x3, #8
	call	SYS_rt_sigaction
	fail_if_negative 15
	b	1b

tags:	// All logical address tags may be made, as at reset of GCR_EL1; Linux excludes all of them until asked. A kernel
	// without MTE refuses: the tag rows are UNDEFINED there anyway.
	mov	x0, #55				// PR_SET_TAGGED_ADDR_CTRL
	ldr	x1, =((0xffff << 3) | 1)	// all tags, PR_TAGGED_ADDR_ENABLE
	mov	x2, #0
	mov	x3, #0
	mov	x4, #0
	call	SYS_prctl

	// x19 index, x20 in state, x21 out state, x22 out zone, x23 count
batch:
	ldr	x0, =main_sp
	mov	x1, sp
	str	x1, [x0]
	mov	x0, #0
	ldr	x1, =word
	mov	x2, #8
	call	SYS_read
	cmp	x0, #8
	b.ne	done

	// The code area is written here only: a case that stores there faults.
	ldr	x0, =CODE_VA
	ldr	x1, =CODE_SIZE
	mov	x2, #3
	call	SYS_mprotect
	ldr	x0, =SHARED_VA
	ldr	x23, [x0, #O_COUNT]
	ldr	x1, [x0, #O_CODE_BYTES]
	add	x2, x0, #O_CODE
	ldr	x3, =CODE_VA
	add	x1, x1, x3
	mov	x5, x3
1:	ldp	q0, q1, [x2], #32
	stp	q0, q1, [x3], #32
	cmp	x3, x1
	b.lo	1b
	mov	x3, x5
1:	dc	cvau, x3
	add	x3, x3, #16			// the smallest line there is
	cmp	x3, x1
	b.lo	1b
	dsb	ish
1:	ic	ivau, x5
	add	x5, x5, #16
	cmp	x5, x1
	b.lo	1b
	dsb	ish
	isb
	ldr	x0, =CODE_VA
	ldr	x1, =CODE_SIZE
	mov	x2, #5
	call	SYS_mprotect

	mov	x19, #0
	ldr	x20, =(SHARED_VA + O_IN)
	ldr	x21, =(SHARED_VA + O_OUT)
	ldr	x22, =(SHARED_VA + O_ZONES)

case:
	cmp	x19, x23
	b.hs	batch_end
	ldr	x0, =SHARED_VA
	str	x19, [x0, #O_CURRENT]
	ldr	x0, =saved
	stp	x19, x20, [x0]
	stp	x21, x22, [x0, #16]
	str	x23, [x0, #32]
	clrex
	mov	x0, x20
	ldp	q0, q1, [x0, #(S_V + 0)]
	ldp	q2, q3, [x0, #(S_V + 32)]
	ldp	q4, q5, [x0, #(S_V + 64)]
	ldp	q6, q7, [x0, #(S_V + 96)]
	ldp	q8, q9, [x0, #(S_V + 128)]
	ldp	q10, q11, [x0, #(S_V + 160)]
	ldp	q12, q13, [x0, #(S_V + 192)]
	ldp	q14, q15, [x0, #(S_V + 224)]
	ldp	q16, q17, [x0, #(S_V + 256)]
	ldp	q18, q19, [x0, #(S_V + 288)]
	ldp	q20, q21, [x0, #(S_V + 320)]
	ldp	q22, q23, [x0, #(S_V + 352)]
	ldp	q24, q25, [x0, #(S_V + 384)]
	ldp	q26, q27, [x0, #(S_V + 416)]
	ldp	q28, q29, [x0, #(S_V + 448)]
	ldp	q30, q31, [x0, #(S_V + 480)]
	ldr	x1, [x0, #S_NZCV]
	msr	nzcv, x1
	ldr	x1, [x0, #S_FPCR]
	msr	fpcr, x1
	ldr	x1, [x0, #S_FPSR]
	msr	fpsr, x1
	ldr	x1, [x0, #S_SP]
	mov	sp, x1
	ldr	x1, [x0]
	msr	tpidr_el0, x1
	ldr	x1, [x0, #8]
	ldp	x2, x3, [x0, #16]
	ldp	x4, x5, [x0, #32]
	ldp	x6, x7, [x0, #48]
	ldp	x8, x9, [x0, #64]
	ldp	x10, x11, [x0, #80]
	ldp	x12, x13, [x0, #96]
	ldp	x14, x15, [x0, #112]
	ldp	x16, x17, [x0, #128]
	ldp	x18, x19, [x0, #144]
	ldp	x20, x21, [x0, #160]
	ldp	x22, x23, [x0, #176]
	ldp	x24, x25, [x0, #192]
	ldp	x26, x27, [x0, #208]
	ldp	x28, x29, [x0, #224]
	ldr	x30, [x0, #240]
	ldr	x0, [x0, #S_PC]
	br	x0

	.balign	64
	.globl	slot_end
slot_end:
	msr	tpidr_el0, x0
	adrp	x0, saved
	ldr	x0, [x0, #:lo12:saved + 16]
	str	x1, [x0, #8]
	mrs	x1, tpidr_el0
	str	x1, [x0]
	stp	x2, x3, [x0, #16]
	stp	x4, x5, [x0, #32]
	stp	x6, x7, [x0, #48]
	stp	x8, x9, [x0, #64]
	stp	x10, x11, [x0, #80]
	stp	x12, x13, [x0, #96]
	stp	x14, x15, [x0, #112]
	stp	x16, x17, [x0, #128]
	stp	x18, x19, [x0, #144]
	stp	x20, x21, [x0, #160]
	stp	x22, x23, [x0, #176]
	stp	x24, x25, [x0, #192]
	stp	x26, x27, [x0, #208]
	stp	x28, x29, [x0, #224]
	mov	x1, sp
	stp	x30, x1, [x0, #240]
	stp	q0, q1, [x0, #(S_V + 0)]
	stp	q2, q3, [x0, #(S_V + 32)]
	stp	q4, q5, [x0, #(S_V + 64)]
	stp	q6, q7, [x0, #(S_V + 96)]
	stp	q8, q9, [x0, #(S_V + 128)]
	stp	q10, q11, [x0, #(S_V + 160)]
	stp	q12, q13, [x0, #(S_V + 192)]
	stp	q14, q15, [x0, #(S_V + 224)]
	stp	q16, q17, [x0, #(S_V + 256)]
	stp	q18, q19, [x0, #(S_V + 288)]
	stp	q20, q21, [x0, #(S_V + 320)]
	stp	q22, q23, [x0, #(S_V + 352)]
	stp	q24, q25, [x0, #(S_V + 384)]
	stp	q26, q27, [x0, #(S_V + 416)]
	stp	q28, q29, [x0, #(S_V + 448)]
	stp	q30, q31, [x0, #(S_V + 480)]
	mrs	x1, nzcv
	str	x1, [x0, #S_NZCV]
	mrs	x1, fpcr
	str	x1, [x0, #S_FPCR]
	mrs	x1, fpsr
	str	x1, [x0, #S_FPSR]
	str	xzr, [x0, #S_PC]
	str	xzr, [x0, #S_SIGNAL]
	str	xzr, [x0, #S_CODE]
	str	xzr, [x0, #S_FAULT]

next:	// x0 holds nothing; the case's results are stored
	ldr	x0, =main_sp
	ldr	x0, [x0]
	mov	sp, x0
	ldr	x0, =saved
	ldp	x19, x20, [x0]
	ldp	x21, x22, [x0, #16]
	ldr	x23, [x0, #32]
	ldr	x1, [x20, #S_FLAGS]
	tbz	x1, #FLAG_MEMORY, 2f
	ldr	x2, =ZONE_A
	ldr	x3, =(SHARED_VA + O_TEMPLATE)
	mov	x4, x22
	.rept	24
	ldp	q0, q1, [x2]
	stp	q0, q1, [x4], #32
	ldp	q2, q3, [x3], #32
	stp	q2, q3, [x2], #32
	.endr
	ldr	x2, =ZONE_B
	.rept	8
	ldp	q0, q1, [x2]
	stp	q0, q1, [x4], #32
	ldp	q2, q3, [x3], #32
	stp	q2, q3, [x2], #32
	.endr
2:	add	x19, x19, #1
	add	x20, x20, #STATE_BYTES
	add	x21, x21, #STATE_BYTES
	add	x22, x22, #ZONE_BYTES
	b	case

batch_end:
	mov	x0, #1
	ldr	x1, =word
	mov	x2, #8
	call	SYS_write
	b	batch

done:	mov	x0, #0
exit:	call	SYS_exit_group

	// Signal handler: x0 number, x1 siginfo, x2 ucontext. It never returns into the case.
handler:
	adrp	x3, saved
	ldr	x3, [x3, #:lo12:saved + 16]
	add	x4, x2, #UC_REGS
	mov	x5, x3
	.rept	15
	ldp	x6, x7, [x4], #16
	stp	x6, x7, [x5], #16
	.endr
	ldp	x6, x7, [x4]			// x30, sp
	stp	x6, x7, [x5]
	ldr	x6, [x2, #UC_PC]
	str	x6, [x3, #S_PC]
	ldr	x6, [x2, #UC_PSTATE]
	str	x6, [x3, #S_NZCV]
	ldr	w6, [x2, #UC_FPSR]
	str	x6, [x3, #S_FPSR]
	ldr	w6, [x2, #UC_FPCR]
	str	x6, [x3, #S_FPCR]
	add	x4, x2, #UC_VREGS
	add	x5, x3, #S_V
	.rept	16
	ldp	q0, q1, [x4], #32
	stp	q0, q1, [x5], #32
	.endr
	str	x0, [x3, #S_SIGNAL]
	ldrsw	x6, [x1, #8]
	str	x6, [x3, #S_CODE]
	ldr	x6, [x1, #16]
	str	x6, [x3, #S_FAULT]
	b	next

	.ltorg
	.balign	8
alternate_stack:
	.quad	alternate, 0, 0x10000
action:
	.quad	handler, SA_FLAGS, 0, 0
signals:
	.byte	4, 5, 7, 8, 11, 0		// ILL, TRAP, BUS, FPE, SEGV

	.bss
	.balign	4096
saved:	.skip	48
main_sp: .skip	8
word:	.skip	8
	.balign	16
alternate: .skip 0x10000
