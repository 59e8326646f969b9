/* Assembler helpers of the EL1 part. */
#ifndef ARMVDSO_EL1_ASM_H
#define ARMVDSO_EL1_ASM_H

.macro	FUNC name
	.globl	\name
	.type	\name, %function
	.balign	16
\name:
.endm

.macro	ENDFUNC name
	.size	\name, . - \name
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

#endif
