/* SPDX-License-Identifier: MIT */
/* Made from vdso-image/calls.tsv by tools/ArmVdso.CallGenerator. The functions of the image. */
#ifndef VDSO_CALLS_H
#define VDSO_CALLS_H

/* Words of the slot behind CPU and node: FIELD(type, name) */
#define VDSO_SLOT_FIELDS(FIELD) \
	FIELD(s32, pid) \
	FIELD(s32, tid) \
	FIELD(u32, uid) \
	FIELD(u32, euid) \
	FIELD(u32, gid) \
	FIELD(u32, egid) \
	FIELD(s32, ppid) \
	FIELD(s32, pgid) \
	FIELD(s32, sid)

/*
 * What is answered from the slot: OWN(type, name, field) and OF_SELF(type, name, field), which takes a PID and knows 0,
 * from one word; OTHER(name).
 */
#define VDSO_SLOT_CALLS(OWN, OF_SELF, OTHER) \
	OWN(s32, getpid, pid) \
	OWN(s32, gettid, tid) \
	OWN(u32, getuid, uid) \
	OWN(u32, geteuid, euid) \
	OWN(u32, getgid, gid) \
	OWN(u32, getegid, egid) \
	OWN(s32, getppid, ppid) \
	OTHER(getcpu) \
	OF_SELF(s32, getpgid, pgid) \
	OF_SELF(s32, getsid, sid)

#define VDSO_ENTRY_getcpu \
	int __vdso_export __kernel_getcpu(u32 *cpu, u32 *node, void *unused); \
	int __kernel_getcpu(u32 *cpu, u32 *node, void *unused) \
	{ \
		return __cvdso_getcpu(cpu, node, unused); \
	}
#define VDSO_FALLBACK_getcpu \
	static __always_inline int getcpu_fallback(u32 *cpu, u32 *node, void *unused) \
	{ \
		return (int)vdso_syscall3(__NR_getcpu, (long)cpu, (long)node, (long)unused); \
	}

#define VDSO_ENTRY_clock_gettime \
	int __vdso_export __kernel_clock_gettime(clockid_t clock, struct timespec *ts); \
	int __kernel_clock_gettime(clockid_t clock, struct timespec *ts) \
	{ \
		return __cvdso_clock_gettime(clock, ts); \
	}
#define VDSO_FALLBACK_clock_gettime \
	static __always_inline int clock_gettime_fallback(clockid_t clock, struct timespec *ts) \
	{ \
		return (int)vdso_syscall2(__NR_clock_gettime, (long)clock, (long)ts); \
	}

#define VDSO_ENTRY_clock_getres \
	int __vdso_export __kernel_clock_getres(clockid_t clock, struct timespec *res); \
	int __kernel_clock_getres(clockid_t clock, struct timespec *res) \
	{ \
		return __cvdso_clock_getres(clock, res); \
	}
#define VDSO_FALLBACK_clock_getres \
	static __always_inline int clock_getres_fallback(clockid_t clock, struct timespec *res) \
	{ \
		return (int)vdso_syscall2(__NR_clock_getres, (long)clock, (long)res); \
	}

#define VDSO_ENTRY_gettimeofday \
	int __vdso_export __kernel_gettimeofday(struct timeval *tv, struct timezone *tz); \
	int __kernel_gettimeofday(struct timeval *tv, struct timezone *tz) \
	{ \
		return __cvdso_gettimeofday(tv, tz); \
	}
#define VDSO_FALLBACK_gettimeofday \
	static __always_inline int gettimeofday_fallback(struct timeval *tv, struct timezone *tz) \
	{ \
		return (int)vdso_syscall2(__NR_gettimeofday, (long)tv, (long)tz); \
	}

#define VDSO_ENTRY_getrandom \
	ssize_t __vdso_export __kernel_getrandom(void *buffer, size_t length, u32 flags, void *state, size_t state_length); \
	ssize_t __kernel_getrandom(void *buffer, size_t length, u32 flags, void *state, size_t state_length) \
	{ \
		return __cvdso_getrandom(buffer, length, flags, state, state_length); \
	}
#define VDSO_FALLBACK_getrandom \
	static __always_inline ssize_t getrandom_fallback(void *buffer, size_t length, u32 flags) \
	{ \
		return (ssize_t)vdso_syscall3(__NR_getrandom, (long)buffer, (long)length, (long)flags); \
	}

#define VDSO_ENTRY_sched_get_priority_max \
	int __vdso_export __kernel_sched_get_priority_max(int policy); \
	int __kernel_sched_get_priority_max(int policy) \
	{ \
		return __cvdso_sched_get_priority_max(policy); \
	}
#define VDSO_FALLBACK_sched_get_priority_max \
	static __always_inline int sched_get_priority_max_fallback(int policy) \
	{ \
		return (int)vdso_syscall1(__NR_sched_get_priority_max, (long)policy); \
	}

#endif
