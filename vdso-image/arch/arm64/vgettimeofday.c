// SPDX-License-Identifier: MIT
/* Entry points of the clocks. */
#include "../../lib/gettimeofday.c"

VDSO_ENTRY_clock_gettime
VDSO_ENTRY_gettimeofday
VDSO_ENTRY_clock_getres
