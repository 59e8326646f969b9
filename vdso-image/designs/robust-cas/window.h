/* SPDX-License-Identifier: MIT */
/* What the compare-and-swap found is what it compared with. */
#define ROBUST_UNLOCKED(regs)	((vdso_u32)(regs)->x[4] == (vdso_u32)(regs)->x[1])
