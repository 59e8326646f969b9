/*
 * Vectors of EL0 under KPTI and with the branch-history loop, in the structure
 * of Linux 6.1. x30 rests in TPIDRRO_EL0 on the way in: kernel_ventry takes it
 * out and leaves zero, so what user space found there before is gone.
 */
#include "layout.h"
#include "asm.h"

#define TRAMP_DATA_VECTORS		8
#define TRAMP_DATA_THIS_CPU_VECTOR	16

/* So many taken branches push older ones out of the branch history; the boot code sets the count for the core. */
.macro	bhb_loop name
	.globl	\name
\name:
	patch_site \name\()_rounds, BhbRounds
	mov	x30, #24
8831:	b	. + 4
	subs	x30, x30, #1
	b.ne	8831b
	dsb	nsh
	isb
.endm

/* A value of the trampoline's data page, which lies below its code. */
.macro	tramp_data_read_var dst, offset
	adrp	\dst, tramp_vectors
	sub	\dst, \dst, #(0x1000 - \offset)
	nop				/* erratum of another vendor's core */
	ldr	\dst, [\dst]
.endm

.macro	tramp_ventry table, bhb, name
	.balign	128
8841:	msr	tpidrro_el0, x30
	.if	\bhb
	bhb_loop \name
	.endif
	/* A RET to the next line: the return stack predicts nothing that user space chose. */
	bl	8842f
	b	.
8842:	/* tramp_map_kernel: the kernel's tables and its ASID */
	mrs	x30, ttbr1_el1
	add	x30, x30, #TRAMP_SWAPPER_OFFSET
	bic	x30, x30, #TRAMP_USER_ASID_FLAG
	msr	ttbr1_el1, x30
	isb
	tramp_data_read_var x30, TRAMP_DATA_VECTORS
	prfm	plil1strm, [x30, #(8841b - \table + 0x400)]
	msr	vbar_el1, x30
	isb
	add	x30, x30, #(8841b - \table + 0x400 + 4)
	ret
.endm

	.section .entry.tramp.text, "ax"
	.balign	4096
	.globl	tramp_vectors
tramp_vectors:
	.type	tramp_exit_native, %function
	.globl	tramp_exit_native
tramp_exit_native:
	/* The first half of a table serves the current EL, which never comes here. */
	tramp_data_read_var x30, TRAMP_DATA_THIS_CPU_VECTOR
	mrs	x29, tpidr_el1
	ldr	x30, [x30, x29]
	msr	vbar_el1, x30
	ldr	x30, [sp, #16 * 15]
	/* tramp_unmap_kernel */
	mrs	x29, ttbr1_el1
	sub	x29, x29, #TRAMP_SWAPPER_OFFSET
	orr	x29, x29, #TRAMP_USER_ASID_FLAG
	msr	ttbr1_el1, x29
	mrs	x29, far_el1
	add	sp, sp, #S_FRAME_SIZE
	eret
	.size	tramp_exit_native, . - tramp_exit_native

	.org	tramp_vectors + 0x400
	.type	tramp_ventry_kpti, %function
	.globl	tramp_ventry_kpti
tramp_ventry_kpti:
	.rept	8
	tramp_ventry tramp_ventry_kpti, 0
	.endr

	.org	tramp_vectors + 0xc00
	.type	tramp_ventry_kpti_bhb, %function
	.globl	tramp_ventry_kpti_bhb
tramp_ventry_kpti_bhb:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	tramp_ventry tramp_ventry_kpti_bhb, 1, bhb_loop_kpti_\n
	.endr
	.org	tramp_vectors + 0x1000

	.section .entry.tramp.rodata, "a"
	.balign	4096
	.globl	tramp_data
tramp_data:
	.org	tramp_data + TRAMP_DATA_VECTORS
	.quad	vectors
	.org	tramp_data + TRAMP_DATA_THIS_CPU_VECTOR
	.quad	CPU_VECTOR
	.org	tramp_data + 0x1000

/* Without KPTI: the loop alone, before the ordinary vectors. */
	.section .text.vectors, "ax"
.macro	bhb_ventry name
	.balign	128
8851:	msr	tpidrro_el0, x30
	bhb_loop \name
	adrp	x30, vectors
	add	x30, x30, :lo12:vectors
	add	x30, x30, #(8851b - __bp_harden_el1_vectors + 4)
	ret
.endm

.macro	bhb_el1_entry label
	.balign	128
	b	vectors + \label
.endm

	.balign	2048
	.globl	__bp_harden_el1_vectors
	.type	__bp_harden_el1_vectors, %function
__bp_harden_el1_vectors:
	.irp	n, 0x0, 0x80, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380
	bhb_el1_entry \n
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	bhb_ventry bhb_loop_\n
	.endr
