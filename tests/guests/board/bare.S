/* SPDX-License-Identifier: MIT */
/*
 * What a PE does with translation tables, exceptions, TLB maintenance, timers and interrupts, as lines on the serial line. It is an
 * arm64 Image, so that 'qemu-system-aarch64 -M virt,gic-version=3' and 'armvdso boot' start it alike; the lines must be equal.
 * Where it runs tells it the board: RAM of the first begins at 1 GiB, of the second at 0, and the second's devices lie 128 GiB higher.
 */
#define TEST	0x4000000000		/* virtual address of the pages under test: entry 256 of the first table */
#define PAGE	0x1000

	.text
	b	start
	.long	0
	.quad	0			/* text_offset */
	.quad	image_end		/* image_size */
	.quad	0xa			/* flags: little-endian, 4 KiB pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

	/* Prints text, then a register, then a line feed. */
	.macro	say text
	adr	x0, 77f
	bl	puts
	b	78f
77:	.asciz	"\text"
	.balign	4
78:
	.endm

	.macro	show text, reg
	mov	x25, \reg
	say	"\text"
	mov	x0, x25
	bl	hex
	bl	newline
	.endm

	/* Runs up to the label after it; an exception resumes there, after it was printed. */
	.macro	attempt text
	say	"\text"
	adr	x28, 79f
	.endm

	.macro	done
79:	bl	newline
	.endm

start:
	/* Devices: x19 PL011, x20 GICD, x21 GICR. */
	adr	x0, start
	mov	x1, #0x2000000000
	tst	x0, #0x40000000
	csel	x1, xzr, x1, ne
	mov	x2, #0x09000000
	add	x19, x1, x2
	mov	x2, #0x08000000
	add	x20, x1, x2
	mov	x2, #0x080a0000
	add	x21, x1, x2
	adrp	x0, stack_end
	add	x0, x0, :lo12:stack_end
	mov	sp, x0
	adrp	x0, vectors
	add	x0, x0, :lo12:vectors
	msr	vbar_el1, x0
	isb
	mov	x0, #0x300		/* FP and SIMD */
	lsl	x0, x0, #12
	msr	cpacr_el1, x0
	say	"bare"
	bl	newline
	mrs	x0, CurrentEL
	show	"CurrentEL ", x0

	/* --- AT with the MMU off, then tables --- */
	adr	x0, start
	at	s1e1r, x0
	isb
	mrs	x1, par_el1
	and	x1, x1, #1
	show	"at off ", x1
	bl	tables
	ldr	x0, =0x44ff		/* MAIR: 0 normal write-back, 1 normal non-cacheable, 2 device */
	msr	mair_el1, x0
	ldr	x0, =0x200803519	/* TCR: T0SZ 25, 4 KiB, write-back, inner shareable; IPS 40 bits; EPD1 */
	msr	tcr_el1, x0
	adrp	x0, table1
	msr	ttbr0_el1, x0
	isb
	tlbi	vmalle1
	dsb	sy
	isb
	mrs	x0, sctlr_el1
	orr	x0, x0, #1
	msr	sctlr_el1, x0
	isb
	say	"mmu on"
	bl	newline

	/* --- each page under test: AT four ways, load, store, fetch at EL1 --- */
	mov	x22, #0
each:
	ldr	x0, =TEST
	add	x23, x0, x22, lsl #12
	cmp	x22, #16
	b.lt	1f
	/* Then the addresses of the list. */
	adrp	x1, special
	add	x1, x1, :lo12:special
	sub	x2, x22, #16
	ldr	x23, [x1, x2, lsl #3]
	cbz	x23, each_done
1:	show	"page ", x22
	at	s1e1r, x23
	bl	par
	at	s1e1w, x23
	bl	par
	at	s1e0r, x23
	bl	par
	at	s1e0w, x23
	bl	par
	attempt	"ldr"
	ldr	x0, [x23, #8]
	done
	attempt	"str"
	str	xzr, [x23, #16]
	done
	attempt	"blr"
	blr	x23
	done
	attempt	"ldtr"
	ldtr	x0, [x23, #8]
	done
	attempt	"sttr"
	sttr	xzr, [x23, #16]
	done
	/* At EL0 the same, if the page that the code is in can be executed there. */
	adr	x26, user_code
	ubfx	x26, x26, #0, #12
	ldr	x0, =TEST + 2 * PAGE
	add	x26, x26, x0
	mov	x0, #3
2:	str	x0, [sp, #-16]!
	attempt	"el0"
	ldr	x0, [sp]
	msr	sp_el0, x23
	msr	elr_el1, x26
	mov	x1, #0x3c0
	msr	spsr_el1, x1
	eret
	done
	ldr	x0, [sp], #16
	subs	x0, x0, #1
	b.pl	2b
	add	x22, x22, #1
	b	each
each_done:

	/* --- TLB maintenance: a page is moved, a page is taken away --- */
	ldr	x23, =TEST
	adrp	x0, table3
	add	x0, x0, :lo12:table3
	adrp	x1, data
	adrp	x2, data + PAGE
	mov	x3, #0x1111
	str	x3, [x1, #32]
	mov	x3, #0x2222
	str	x3, [x2, #32]
	mov	x5, #0x703
	orr	x4, x5, x1
	orr	x5, x5, x2
	str	x4, [x0]
	dsb	sy
	tlbi	vmalle1
	dsb	sy
	isb
	ldr	x4, [x23, #32]
	str	xzr, [x0]
	dsb	sy
	lsr	x7, x23, #12
	tlbi	vae1is, x7
	dsb	sy
	isb
	str	x5, [x0]
	dsb	sy
	isb
	ldr	x11, [x23, #32]
	show	"before ", x4
	show	"moved ", x11
	adrp	x0, table3
	add	x0, x0, :lo12:table3
	str	xzr, [x0]
	dsb	sy
	tlbi	vmalle1is
	dsb	sy
	isb
	attempt	"gone"
	ldr	x0, [x23, #32]
	done

	/* --- exceptions from EL1 to EL1 --- */
	attempt	"brk"
	brk	#0x123
	done
	attempt	"svc"
	svc	#0x45
	done
	attempt	"udf"
	udf	#7
	done
	attempt	"smc"
	smc	#0
	done
	attempt	"pc"
	adr	x0, start
	add	x0, x0, #2
	br	x0
	done
	attempt	"high half"
	mov	x0, #-4096
	ldr	x0, [x0]
	done
	attempt	"hole"
	mov	x0, #0x8000000000
	ldr	x0, [x0]
	done
	mrs	x0, sctlr_el1
	orr	x0, x0, #2		/* A */
	msr	sctlr_el1, x0
	isb
	attempt	"unaligned"
	adrp	x0, data
	ldr	x1, [x0, #1]
	done
	mrs	x0, sctlr_el1
	bic	x0, x0, #2
	msr	sctlr_el1, x0
	isb
	attempt	"fp off"
	msr	cpacr_el1, xzr
	isb
	fmov	d0, xzr
	done
	msr	spsel, #0
	attempt	"sp_el0"
	brk	#1
	done
	attempt	"illegal"
	adr	x0, 79f
	msr	elr_el1, x0
	mov	x0, #0x3c8		/* EL2t: there is none */
	msr	spsr_el1, x0
	eret
	done

	/* --- software step: one instruction at EL0, then the next, then svc --- */
	msr	spsel, #1
	msr	oslar_el1, xzr
	mov	x0, #1
	msr	mdscr_el1, x0
	isb
	adr	x26, user_step
	ubfx	x26, x26, #0, #12
	ldr	x0, =TEST + 2 * PAGE
	add	x26, x26, x0
	mov	x29, #0
3:	attempt	"step "
	msr	elr_el1, x26
	ldr	x0, =0x2003c0		/* SS */
	msr	spsr_el1, x0
	mov	x0, x29
	eret
	done
	mrs	x1, elr_el1
	mov	x29, x25		/* what the handler found in x0 */
	mov	x26, x1
	ubfx	x1, x1, #0, #12
	adr	x2, user_step
	ubfx	x2, x2, #0, #12
	sub	x1, x1, x2
	mov	x30, x1
	str	x30, [sp, #-16]!
	show	"at ", x1
	ldr	x30, [sp], #16
	cmp	x30, #16
	b.lt	3b
	msr	mdscr_el1, xzr
	isb

	/* --- interrupts: the controller, an SGI to ourselves, both timers --- */
	mov	w0, #0x12		/* ARE, group 1 */
	str	w0, [x20]
	ldr	w0, [x21, #0x14]
	and	w0, w0, #4
	show	"asleep ", x0
	str	wzr, [x21, #0x14]
	dsb	sy
	ldr	w0, [x21, #0x14]
	show	"awake ", x0
	add	x22, x21, #0x10000
	mov	w0, #-1
	str	w0, [x22, #0x80]	/* group 1 */
	ldr	w0, =0x48000008		/* SGI 3, PPI 27 and 30 */
	str	w0, [x22, #0x100]
	mov	w0, #0x80
	strb	w0, [x22, #0x403]
	strb	w0, [x22, #0x41b]
	mov	w0, #0x40
	strb	w0, [x22, #0x41e]
	ldr	w0, [x22, #0x100]
	show	"enabled ", x0
	mov	x0, #1
	msr	S3_0_C12_C12_5, x0	/* ICC_SRE_EL1 */
	isb
	mov	x0, #0xf0
	msr	S3_0_C4_C6_0, x0	/* ICC_PMR_EL1 */
	mov	x0, #1
	msr	S3_0_C12_C12_7, x0	/* ICC_IGRPEN1_EL1 */
	isb
	ldr	x0, =0x03000001
	msr	S3_0_C12_C11_5, x0	/* ICC_SGI1R_EL1: SGI 3 to affinity 0 */
	isb
	attempt	"sgi "
	msr	daifclr, #2
	isb
	nop
	done
	mrs	x0, S3_0_C12_C11_3	/* ICC_RPR_EL1 */
	show	"running ", x0
	mov	x0, #1000
	msr	cntv_tval_el0, x0
	mov	x0, #1
	msr	cntv_ctl_el0, x0
	attempt	"virtual timer "
	msr	daifclr, #2
	wfi
	isb
	nop
	done
	mrs	x0, cntv_ctl_el0
	show	"control ", x0
	msr	cntv_ctl_el0, xzr
	mov	x0, #1000
	msr	cntp_tval_el0, x0
	mov	x0, #1
	msr	cntp_ctl_el0, x0
	isb
	wfi				/* masked: it wakes all the same */
	mrs	x0, cntp_ctl_el0
	show	"control ", x0
	mrs	x0, S3_0_C12_C12_2	/* ICC_HPPIR1_EL1 */
	show	"highest ", x0
	mrs	x0, isr_el1
	show	"isr ", x0
	attempt	"physical timer "
	msr	daifclr, #2
	isb
	nop
	done
	msr	cntp_ctl_el0, xzr

	/* --- PSCI --- */
	mov	w0, #0x84000000
	hvc	#0
	show	"psci ", x0
	ldr	w0, =0xc4000004		/* AFFINITY_INFO of ourselves */
	mov	x1, #0
	mov	x2, #0
	hvc	#0
	show	"affinity ", x0
	ldr	w0, =0xc4000003		/* CPU_ON of ourselves */
	mov	x1, #0
	adr	x2, start
	mov	x3, #0
	hvc	#0
	show	"on ", x0
	ldr	w0, =0x84001234
	hvc	#0
	show	"unknown ", x0
	ldr	w0, =0x84000008
	hvc	#0
	b	.

	/* PAR_EL1 without what is not architected. */
par:	isb
	mov	x18, x30
	mrs	x25, par_el1
	bic	x25, x25, #0x600
	tbz	x25, #0, 1f
	and	x25, x25, #0x7f
1:	tbnz	x25, #0, 2f
	and	x25, x25, #~0x00000000fffff000	/* where RAM is, is the board's */
2:	say	"par "
	mov	x0, x25
	bl	hex
	mov	x30, x18
	b	newline

puts:	mov	x15, x30
	mov	x14, x0
1:	ldrb	w0, [x14], #1
	cbz	w0, 2f
	str	w0, [x19]
	b	1b
2:	br	x15

hex:	mov	x14, x0
	mov	x13, #60
1:	lsr	x0, x14, x13
	and	x0, x0, #15
	cmp	x0, #10
	add	x1, x0, #'0'
	add	x2, x0, #'a' - 10
	csel	x0, x1, x2, lt
	str	w0, [x19]
	subs	x13, x13, #4
	b.pl	1b
	ret

newline: mov	w0, #10
	str	w0, [x19]
	ret

	/* x27: offset of the vector. The exception is printed; execution goes on at x28, at EL1 with SP_EL1. */
handler:
	mov	x25, x0
	str	x25, [sp, #-16]!
	say	" exception "
	mov	x0, x27
	bl	hex
	and	x0, x27, #0x180
	cmp	x0, #0x80
	b.eq	irq
	say	" esr "
	mrs	x0, esr_el1
	bl	hex
	mrs	x0, esr_el1
	lsr	x0, x0, #26
	sub	x1, x0, #0x20		/* aborts, and PC alignment: they have an address */
	cmp	x1, #5
	b.hi	2f
	say	" far "
	mrs	x0, far_el1
	adr	x1, start
	lsr	x1, x1, #30
	cmp	x1, x0, lsr #30		/* where RAM is, is the board's */
	b.ne	3f
	and	x0, x0, #0xfff
3:	bl	hex
2:	say	" spsr "
	mrs	x0, spsr_el1
	bl	hex
resume:
	mrs	x1, elr_el1
	mov	x2, x28
	ldr	x25, [sp], #16
	mov	x0, #0x3c5
	msr	spsr_el1, x0
	/* ELR_EL1 stays what it was, for the steps. */
	adr	x0, after
	msr	elr_el1, x0
	msr	tpidr_el1, x1
	eret
after:	mrs	x1, tpidr_el1
	msr	elr_el1, x1
	br	x28
irq:	mrs	x17, S3_0_C12_C12_0	/* ICC_IAR1_EL1 */
	msr	cntv_ctl_el0, xzr
	isb
	say	" intid "
	mov	x0, x17
	bl	hex
	say	" running "
	mrs	x0, S3_0_C12_C11_3	/* ICC_RPR_EL1 */
	bl	hex
	msr	S3_0_C12_C12_1, x17	/* ICC_EOIR1_EL1 */
	isb
	b	resume

	.balign	2048
vectors:
	.set	offset, 0
	.rept	16
	.balign	128
	mov	x27, #offset
	b	handler
	.set	offset, offset + 128
	.endr

	/* Run at EL0, mapped by pages 2 (all may be done) and 3 of the test: x0 chooses. SP is the address. */
	.balign	PAGE
user_page:
	ret
	.skip	64
user_code:
	cbz	x0, 1f
	cmp	x0, #2
	b.lt	2f
	b.eq	3f
	svc	#3
1:	ldr	x1, [sp]
	svc	#0
2:	str	xzr, [sp, #16]
	svc	#1
3:	mov	x1, sp
	adr	x30, 4f
	br	x1
4:	svc	#2
user_step:
	add	x0, x0, #1
	b	1f
1:	add	x0, x0, #1
	svc	#9
	.balign	PAGE

	.ltorg
	/* Fills the tables: the first has blocks of 1 GiB for RAM and devices, and entry 256 leads to the pages under test. */
tables:	adrp	x0, table1
	adr	x1, start
	lsr	x1, x1, #30
	lsl	x2, x1, #30
	ldr	x3, =0x40000000000701	/* not executed by EL0, AF, inner shareable, block; normal */
	orr	x2, x2, x3
	str	x2, [x0, x1, lsl #3]
	lsr	x1, x19, #30
	lsl	x2, x1, #30
	ldr	x3, =0x60000000000409	/* never executed, AF, device (attribute 2), block */
	orr	x2, x2, x3
	str	x2, [x0, x1, lsl #3]
	add	x4, x0, #256 * 8
	adrp	x1, table2
	orr	x2, x1, #3
	str	x2, [x4]		/* 256: the table */
	mov	x3, #0x4000000000000000	/* 257: the same, read-only by the table (APTable) */
	orr	x3, x3, x2
	str	x3, [x4, #8]
	mov	x3, #0x2000000000000000	/* 258: not for EL0 */
	orr	x3, x3, x2
	str	x3, [x4, #16]
	mov	x3, #0x1800000000000000	/* 259: never executed */
	orr	x3, x3, x2
	str	x3, [x4, #24]
	adrp	x0, table2
	adrp	x1, table3
	orr	x2, x1, #3
	str	x2, [x0]		/* table of level 2: entry 0 */
	adr	x1, start
	lsr	x1, x1, #21
	lsl	x1, x1, #21
	mov	x3, #0x701
	orr	x2, x1, x3
	str	x2, [x0, #8]		/* 1: a block */
	mov	x3, #0x301
	orr	x2, x1, x3
	str	x2, [x0, #16]		/* 2: a block without AF */
	mov	x3, #0x701
	mov	x4, #0x800000000000	/* 3: a block at an address of 48 bits, more than TCR_EL1.IPS says */
	orr	x4, x3, x4
	str	x4, [x0, #24]
	/* Level 3: attributes from the list, address of the data page, or of the user page. */
	adrp	x0, table3
	adr	x1, kinds
	adrp	x2, user_page
	mov	x3, #0
1:	ldr	x4, [x1, x3, lsl #3]
	cbz	x4, 2f
	orr	x4, x4, x2
2:	str	x4, [x0, x3, lsl #3]
	add	x3, x3, #1
	cmp	x3, #16
	b.lt	1b
	dsb	sy
	ret

	.balign	8
kinds:	.quad	0x703			/* 0: EL1 reads and writes */
	.quad	0x783			/* 1: EL1 reads */
	.quad	0x743			/* 2: all read and write, EL0 executes */
	.quad	0x7c3			/* 3: all read, all execute */
	.quad	0x303			/* 4: no AF */
	.quad	0			/* 5: invalid */
	.quad	0x20000000000703	/* 6: PXN */
	.quad	0x40000000000743	/* 7: UXN */
	.quad	0x701			/* 8: reserved: no page */
	.quad	0x10000000000703	/* 9: contiguous */
	.quad	0xf43			/* 10: not global, all read and write */
	.quad	0x607			/* 11: attribute 1, outer shareable */
	.quad	0x600000000007c3	/* 12: all read, nobody executes */
	.quad	0x60000000000743	/* 13: all read and write, nobody executes */
	.quad	0x40000000000783	/* 14: EL1 reads and executes */
	.quad	0x403			/* 15: not shareable */
special:
	.quad	TEST + (1 << 30) + 2 * PAGE
	.quad	TEST + (1 << 30)
	.quad	TEST + (2 << 30) + 2 * PAGE
	.quad	TEST + (3 << 30) + 2 * PAGE
	.quad	TEST + (3 << 30) + 3 * PAGE
	.quad	TEST + (1 << 21) + user_page
	.quad	TEST + (2 << 21) + user_page
	.quad	TEST + (3 << 21) + user_page
	.quad	TEST + (4 << 21)
	.quad	0

	.ltorg
	.balign	PAGE
data:	.skip	2 * PAGE
table1:	.skip	PAGE
table2:	.skip	PAGE
table3:	.skip	PAGE
	.skip	PAGE
stack_end:
	.balign	PAGE
image_end:
