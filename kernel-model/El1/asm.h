/* Assembler helpers of the EL1 part. */
#ifndef ARMVDSO_EL1_ASM_H
#define ARMVDSO_EL1_ASM_H

/* x28 is the running task in all code between kernel_entry and kernel_exit. */
#define tsk	x28

/* Each function begins a line: what it costs does not hang on the lengths of those before it. */
.macro	FUNC name
	.globl	\name
	.type	\name, %function
	.balign	64
\name:
.endm

.macro	ENDFUNC name
	.size	\name, . - \name
.endm

/*
 * What the compiler puts around every C function of a stock kernel: the
 * ftrace site (mov x9, x30 and a NOP) and PACIASP/AUTIASP. The hint here is an
 * unallocated one, which is a NOP on every core: the keys of this machine
 * belong to user space.
 */
.macro	func_enter
	mov	x9, x30
	nop
	hint	#120
.endm

.macro	noinstr_enter
	hint	#120
.endm

.macro	func_ret
	hint	#120
	ret
.endm

/* The stack protector: canary of the task, to [\frame]. */
.macro	canary_set tmp1, tmp2, frame:vararg
	mrs	\tmp1, sp_el0
	ldr	\tmp2, [\tmp1, #TSK_CANARY]
	str	\tmp2, \frame
	mov	\tmp2, #0			/* it stays in no register */
.endm

.macro	canary_check tmp1, tmp2, frame:vararg
	mrs	\tmp1, sp_el0
	ldr	\tmp2, \frame
	ldr	\tmp1, [\tmp1, #TSK_CANARY]
	subs	\tmp2, \tmp2, \tmp1
	mov	\tmp1, #0
	b.ne	__stack_chk_fail
.endm

/*
 * access_ok and uaccess_mask_ptr: whether \size bytes at \addr are user addresses; \out is the address that is accessed.
 * A tag counts, unless the task said that it does not (PR_SET_TAGGED_ADDR_CTRL). Uses x6, x7.
 */
.macro	access_ok out, addr, size, bad
	mrs	x6, sp_el0
	ldr	w7, [x6, #TSK_PROCESS_FLAGS]
	tbz	w7, #PF_KTHREAD_BIT, 7703f
7701:	sbfx	x6, \addr, #0, #56
	and	x6, x6, \addr
7702:	mov	x7, #((1 << 48) - \size)
	cmp	x6, x7
	b.hi	\bad
	and	\out, \addr, #~(1 << 55)
	.subsection 1
7703:	ldr	x7, [x6, #TSK_FLAGS]
	mov	x6, \addr
	tst	x7, #(1 << TIF_TAGGED_ADDR_BIT)
	b.eq	7702b
	b	7701b
	.previous
.endm

/* Where the rarer half of access_ok is put; each file that has one names it so. */
.macro	cold_part name
	.subsection 1
	.type	\name, %function
\name:
	.previous
.endm

/* A user access at \insn: a fault continues at \fixup with x0 unchanged. */
.macro	USER fixup, insn:vararg
9999:	\insn
	.pushsection __ex_table, "a"
	.balign	4
	.long	(9999b - .), (\fixup - .)
	.popsection
.endm

.macro	get_current reg
	mrs	\reg, sp_el0
.endm

/* A 32-bit offset in the per-CPU record (stock: adrp and add of a per-CPU symbol), then the CPU's record. */
.macro	ldr_this_cpu dst, offset, tmp
	movz	\dst, #(\offset)
	movk	\dst, #0, lsl #16
	mrs	\tmp, tpidr_el1
	ldr	\dst, [\dst, \tmp]
.endm

/*
 * Data that follows is in a page of its own, at \offset: in Linux's image, with more than ten megabytes of data, what
 * code here reads lies in as many pages, of which the A53's micro-TLB has ten.
 */
.macro	data_page offset
	.section .data, "aw"
	.balign	4096
	.skip	\offset
.endm

/*
 * The instruction that follows is changed at boot, where a branch at such a
 * place may lead, or both: what static keys and static calls are in Linux. A
 * record in .patch_sites, which is not part of the image, says so to
 * layout.awk; sites that are changed alike have a group.
 */
.macro	patch_site name, group
	.pushsection .patch_sites, "", %progbits
	.asciz	"site \name \group"
	.popsection
	.globl	\name
\name:
.endm

.macro	patch_target name
	.pushsection .patch_sites, "", %progbits
	.asciz	"target \name"
	.popsection
	.globl	\name
\name:
.endm

/* In hooks of a design: an instruction that fix=NAME replaces by that at SITE__fix_NAME. */
.macro	fix_site name
	.globl	\name
\name:
.endm

/*
 * The boot code replaces the instruction at label 8881, just before, by \new
 * when the kernel has a feature (ALT_* of layout.h), as Linux's alternatives do.
 */
.macro	alternative feature, new:vararg
	.pushsection .altinstr_replacement, "ax"
8882:	\new
	.popsection
	.pushsection .altinstructions, "a"
	.balign	4
	.long	(8881b - .), (8882b - .), \feature
	.popsection
.endm

/* CPU and node, from the CPU's record in x2 to a slot. */
.macro	fill_cpu slot
	ldp	w4, w5, [x2, #CPU_NUMBER]
	stp	w4, w5, [\slot, #SLOT_CPU]
.endm

#endif
