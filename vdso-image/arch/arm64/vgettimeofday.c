// SPDX-License-Identifier: MIT
/* Entry points of the clocks. */
#include "../../lib/gettimeofday.c"

int __vdso_export __kernel_clock_gettime(clockid_t clock, struct timespec *ts);
int __vdso_export __kernel_gettimeofday(struct timeval *tv, struct timezone *tz);
int __vdso_export __kernel_clock_getres(clockid_t clock, struct timespec *res);

int __kernel_clock_gettime(clockid_t clock, struct timespec *ts)
{
	return __cvdso_clock_gettime(clock, ts);
}

int __kernel_gettimeofday(struct timeval *tv, struct timezone *tz)
{
	return __cvdso_gettimeofday(tv, tz);
}

int __kernel_clock_getres(clockid_t clock, struct timespec *res)
{
	return __cvdso_clock_getres(clock, res);
}
