/* SPDX-License-Identifier: MIT */
/*
 * Instructions that the kernel replaces at boot, in the image as in its own code, when the CPUs have a feature: the
 * records are Linux's struct alt_instr (arch/arm64/include/asm/alternative.h). Both texts have the same length. The
 * replacement is data until it is copied.
 */
#ifndef ASM_VDSO_ALTERNATIVE_H
#define ASM_VDSO_ALTERNATIVE_H

/* Number in Linux 6.1's arch/arm64/tools/cpucaps. */
#define ARM64_HAS_ECV	18

#define __VDSO_STRING(x)	#x
#define __VDSO_NUMBER(x)	__VDSO_STRING(x)
#define ALTERNATIVE(usual, with_feature, capability) \
	"661:\n\t" usual "\n" \
	"662:\n\t" \
	".pushsection .altinstr_replacement, \"a\"\n" \
	"663:\n\t" with_feature "\n" \
	"664:\n\t" \
	".popsection\n\t" \
	".pushsection .altinstructions, \"a\"\n\t" \
	".word 661b - .\n\t" \
	".word 663b - .\n\t" \
	".hword " __VDSO_NUMBER(capability) "\n\t" \
	".byte 662b - 661b\n\t" \
	".byte 664b - 663b\n\t" \
	".popsection\n\t"

#endif
