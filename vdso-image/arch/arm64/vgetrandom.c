// SPDX-License-Identifier: MIT
/* Entry point of the random numbers. */
#include "../../lib/getrandom.c"

VDSO_ENTRY_getrandom
