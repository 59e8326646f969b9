/* SPDX-License-Identifier: MIT */
/* The status of the exclusive store: 0 is success. In the window it has been executed. */
#define ROBUST_UNLOCKED(regs)	((vdso_u32)(regs)->x[3] == 0)
