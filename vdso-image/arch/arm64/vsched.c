// SPDX-License-Identifier: MIT
/* Entry points of what is the same for ever. */
#include "../../lib/sched.c"

VDSO_ENTRY_sched_get_priority_max
