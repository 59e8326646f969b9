/* SPDX-License-Identifier: MIT */
/* PSR_Z_BIT: the comparison with the TID was equal. */
#define ROBUST_UNLOCKED(regs)	((regs)->pstate >> 30 & 1)
