// SPDX-License-Identifier: MIT
/* What is the same for ever: no data are read and nothing can be asked in vain, so there is no fallback. */
#include <vdso/bits.h>
#include <vdso/calls.h>
#include <vdso/types.h>

/* include/uapi/linux/sched.h */
#define SCHED_NORMAL	0
#define SCHED_FIFO	1
#define SCHED_RR	2
#define SCHED_BATCH	3
#define SCHED_IDLE	5
#define SCHED_DEADLINE	6

#define MAX_RT_PRIO	100
#define EINVAL		22

/* Policies as bits: of a switch the compiler makes a table in memory. */
#define REAL_TIME	(BIT(SCHED_FIFO) | BIT(SCHED_RR))
#define KNOWN		(REAL_TIME | BIT(SCHED_NORMAL) | BIT(SCHED_BATCH) | BIT(SCHED_IDLE) | BIT(SCHED_DEADLINE))

static __always_inline int __cvdso_sched_get_priority_max(int policy)
{
	if ((u32)policy > SCHED_DEADLINE || !(KNOWN >> policy & 1))
		return -EINVAL;
	return REAL_TIME >> policy & 1 ? MAX_RT_PRIO - 1 : 0;
}
