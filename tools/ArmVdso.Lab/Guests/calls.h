/* SPDX-License-Identifier: MIT */
/* Made from vdso-image/calls.tsv by tools/ArmVdso.CallGenerator. For compare.c. */
#ifndef ARMVDSO_GUEST_CALLS_H
#define ARMVDSO_GUEST_CALLS_H

/* One of pointers[] for each function */
enum {
	S_getpid,
	S_gettid,
	S_getuid,
	S_geteuid,
	S_getgid,
	S_getegid,
	S_getppid,
	S_getcpu,
	S_clock_gettime,
	S_clock_getres,
	S_gettimeofday,
	S_getpgid,
	S_getsid,
	S_sched_get_priority_max,
	S_COUNT
};

#define FUNCTION_NAMES \
	"__kernel_getpid", \
	"__kernel_gettid", \
	"__kernel_getuid", \
	"__kernel_geteuid", \
	"__kernel_getgid", \
	"__kernel_getegid", \
	"__kernel_getppid", \
	"__kernel_getcpu", \
	"__kernel_clock_gettime", \
	"__kernel_clock_getres", \
	"__kernel_gettimeofday", \
	"__kernel_getpgid", \
	"__kernel_getsid", \
	"__kernel_sched_get_priority_max",

#define BENCHES \
	BENCH(getpid, 172, S_getpid, VALUE(0)) \
	BENCH(gettid, 178, S_gettid, VALUE(0)) \
	BENCH(getuid, 174, S_getuid, VALUE(0)) \
	BENCH(geteuid, 175, S_geteuid, VALUE(0)) \
	BENCH(getgid, 176, S_getgid, VALUE(0)) \
	BENCH(getegid, 177, S_getegid, VALUE(0)) \
	BENCH(getppid, 173, S_getppid, VALUE(0)) \
	BENCH(getcpu, 168, S_getcpu, POINTER) \
	BENCH(clock_gettime_realtime, 113, S_clock_gettime, VALUE(0)) \
	BENCH(clock_gettime_monotonic, 113, S_clock_gettime, VALUE(1)) \
	BENCH(clock_gettime_monotonic_raw, 113, S_clock_gettime, VALUE(4)) \
	BENCH(clock_gettime_realtime_coarse, 113, S_clock_gettime, VALUE(5)) \
	BENCH(clock_gettime_monotonic_coarse, 113, S_clock_gettime, VALUE(6)) \
	BENCH(clock_gettime_boottime, 113, S_clock_gettime, VALUE(7)) \
	BENCH(clock_gettime_tai, 113, S_clock_gettime, VALUE(11)) \
	BENCH(clock_getres, 114, S_clock_getres, VALUE(1)) \
	BENCH(gettimeofday, 169, S_gettimeofday, POINTER) \
	BENCH(getpgid, 155, S_getpgid, VALUE(0)) \
	BENCH(getsid, 156, S_getsid, VALUE(0)) \
	BENCH(sched_get_priority_max, 125, S_sched_get_priority_max, VALUE(1))

#define RUN_BENCHES(buffer, n) \
	bench_getpid(buffer, n); \
	bench_gettid(buffer, n); \
	bench_getuid(buffer, n); \
	bench_geteuid(buffer, n); \
	bench_getgid(buffer, n); \
	bench_getegid(buffer, n); \
	bench_getppid(buffer, n); \
	bench_getcpu(buffer, n); \
	bench_clock_gettime_realtime(buffer, n); \
	bench_clock_gettime_monotonic(buffer, n); \
	bench_clock_gettime_monotonic_raw(buffer, n); \
	bench_clock_gettime_realtime_coarse(buffer, n); \
	bench_clock_gettime_monotonic_coarse(buffer, n); \
	bench_clock_gettime_boottime(buffer, n); \
	bench_clock_gettime_tai(buffer, n); \
	bench_clock_getres(buffer, n); \
	bench_gettimeofday(buffer, n); \
	bench_getpgid(buffer, n); \
	bench_getsid(buffer, n); \
	bench_sched_get_priority_max(buffer, n);

#endif
