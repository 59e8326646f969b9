/* SPDX-License-Identifier: MIT */
/* Clock numbers and time structures of the Linux ABI on 64-bit machines (uapi/linux/time.h). */
#ifndef VDSO_TIME_H
#define VDSO_TIME_H

#include <vdso/types.h>

#define CLOCK_REALTIME		0
#define CLOCK_MONOTONIC		1
#define CLOCK_MONOTONIC_RAW	4
#define CLOCK_REALTIME_COARSE	5
#define CLOCK_MONOTONIC_COARSE	6
#define CLOCK_BOOTTIME		7
#define CLOCK_TAI		11

/* Clock numbers from here up never reach the tables. */
#define MAX_CLOCKS		16

#define NSEC_PER_SEC		1000000000U
#define NSEC_PER_USEC		1000U

typedef s32 clockid_t;

struct timespec {
	s64 tv_sec;
	s64 tv_nsec;
};

struct timeval {
	s64 tv_sec;
	s64 tv_usec;
};

struct timezone {
	s32 tz_minuteswest;
	s32 tz_dsttime;
};

#endif
