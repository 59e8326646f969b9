// SPDX-License-Identifier: MIT
/*
 * The clocks, for any architecture. An architecture's C file includes this one and names its entry
 * points; <asm/vdso/gettimeofday.h> gives the counter, the address of the data and the system calls.
 */
#include <asm/vdso/gettimeofday.h>
#include <vdso/datapage.h>
#include <vdso/helpers.h>
#include <vdso/time.h>

/*
 * Nanoseconds to seconds by subtraction: with a page that the tick keeps fresh there are none or one to
 * take off, and no division is as short. The empty asm keeps the compiler from making a division of it.
 */
static __always_inline u64 take_seconds(u64 *ns)
{
	u64 seconds = 0;

	while (unlikely(*ns >= NSEC_PER_SEC)) {
		__asm__("" : "+r"(*ns));
		*ns -= NSEC_PER_SEC;
		seconds++;
	}
	return seconds;
}

/*
 * What keeps a clock from being read: the kernel must be asked; or the page is being written, or is a time
 * namespace's. The entry points try once, in a straight line; waiting and namespaces are the affair of functions that
 * they jump to at the end, so that other tasks need neither a loop nor a stack frame for them.
 */
#define VDSO_ASK_KERNEL	(-1)
#define VDSO_NOT_NOW	1

/* 0, or one of the two above. */
static __always_inline int do_hres(const struct vdso_data *vd, clockid_t clock, struct timespec *ts)
{
	const struct vdso_timestamp *base = &vd->basetime[clock];
	u64 cycles, ns, sec;
	u32 seq;

	if (unlikely(!vdso_read_begin(vd, &seq)))
		return VDSO_NOT_NOW;
	if (unlikely(vd->clock_mode == VDSO_CLOCKMODE_NONE))
		return VDSO_ASK_KERNEL;
	cycles = __arch_get_hw_counter();
	ns = ((cycles - vd->cycle_last) & vd->mask) * vd->mult + base->nsec;
	ns >>= vd->shift;
	sec = base->sec;
	if (vdso_read_retry(vd, seq))
		return VDSO_NOT_NOW;

	/* Only now: of values read half-written the loop could take for ever. */
	ts->tv_sec = (s64)(sec + take_seconds(&ns));
	ts->tv_nsec = (s64)ns;
	return 0;
}

static __always_inline int do_coarse(const struct vdso_data *vd, clockid_t clock, struct timespec *ts)
{
	const struct vdso_timestamp *base = &vd->basetime[clock];
	u32 seq;

	if (unlikely(!vdso_read_begin(vd, &seq)))
		return VDSO_NOT_NOW;
	ts->tv_sec = (s64)base->sec;
	ts->tv_nsec = (s64)base->nsec;
	return vdso_read_retry(vd, seq) ? VDSO_NOT_NOW : 0;
}

static __always_inline int clock_gettime_common(const struct vdso_data *vd, clockid_t clock, struct timespec *ts)
{
	u32 mask;

	/* Negative numbers are clocks of processes and devices: the kernel's. */
	if (unlikely((u32)clock >= MAX_CLOCKS))
		return VDSO_ASK_KERNEL;

	mask = BIT(clock);
	if (likely(mask & VDSO_HRES))
		return do_hres(&vd[CS_HRES_COARSE], clock, ts);
	if (likely(mask & VDSO_RAW))
		return do_hres(&vd[CS_RAW], clock, ts);
	if (likely(mask & VDSO_COARSE))
		return do_coarse(&vd[CS_HRES_COARSE], clock, ts);
	return VDSO_ASK_KERNEL;
}

/* Waits for the writer. A task in a time namespace: the real clock, and what the namespace is ahead of it. */
static __attribute__((noinline)) int clock_gettime_again(clockid_t clock, struct timespec *ts)
{
	const struct vdso_data *vd = __arch_get_vdso_data();
	const struct vdso_timestamp *offset = NULL;
	int reason;
	u64 ns;

	if (READ_ONCE(vd->clock_mode) == VDSO_CLOCKMODE_TIMENS) {
		offset = &vd->basetime[clock];
		vd = __arch_get_real_vdso_data();
	}
	while (unlikely((reason = clock_gettime_common(vd, clock, ts)) == VDSO_NOT_NOW))
		cpu_relax();
	if (unlikely(reason))
		return clock_gettime_fallback(clock, ts);
	if (!offset)
		return 0;
	ns = (u64)ts->tv_nsec + offset->nsec;
	ts->tv_sec += (s64)(offset->sec + take_seconds(&ns));
	ts->tv_nsec = (s64)ns;
	return 0;
}

static __always_inline int __cvdso_clock_gettime(clockid_t clock, struct timespec *ts)
{
	int reason = clock_gettime_common(__arch_get_vdso_data(), clock, ts);

	if (likely(!reason))
		return 0;
	return reason == VDSO_NOT_NOW ? clock_gettime_again(clock, ts) : clock_gettime_fallback(clock, ts);
}

static __always_inline int gettimeofday_common(const struct vdso_data *vd, struct timeval *tv, struct timezone *tz)
{
	if (likely(tv != NULL)) {
		struct timespec ts;
		int reason = do_hres(&vd[CS_HRES_COARSE], CLOCK_REALTIME, &ts);

		if (unlikely(reason))
			return reason;
		tv->tv_sec = ts.tv_sec;
		tv->tv_usec = (u32)ts.tv_nsec / NSEC_PER_USEC;
	}
	if (unlikely(tz != NULL)) {
		vd = __arch_get_real_vdso_data();
		tz->tz_minuteswest = vd[CS_HRES_COARSE].tz_minuteswest;
		tz->tz_dsttime = vd[CS_HRES_COARSE].tz_dsttime;
	}
	return 0;
}

/* CLOCK_REALTIME is the same in all time namespaces: the real page serves whoever has to look again. */
static __attribute__((noinline)) int gettimeofday_again(struct timeval *tv, struct timezone *tz)
{
	int reason;

	while (unlikely((reason = gettimeofday_common(__arch_get_real_vdso_data(), tv, tz)) == VDSO_NOT_NOW))
		cpu_relax();
	return unlikely(reason) ? gettimeofday_fallback(tv, tz) : 0;
}

static __always_inline int __cvdso_gettimeofday(struct timeval *tv, struct timezone *tz)
{
	int reason = gettimeofday_common(__arch_get_vdso_data(), tv, tz);

	if (likely(!reason))
		return 0;
	return reason == VDSO_NOT_NOW ? gettimeofday_again(tv, tz) : gettimeofday_fallback(tv, tz);
}

static __always_inline int __cvdso_clock_getres(clockid_t clock, struct timespec *res)
{
	const struct vdso_data *vd = __arch_get_real_vdso_data();
	u32 mask;
	u64 ns;

	if (unlikely((u32)clock >= MAX_CLOCKS))
		return clock_getres_fallback(clock, res);

	mask = BIT(clock);
	if (mask & (VDSO_HRES | VDSO_RAW))
		ns = READ_ONCE(vd[CS_HRES_COARSE].hrtimer_res);	/* one word: it needs no lock */
	else if (mask & VDSO_COARSE)
		ns = LOW_RES_NSEC;
	else
		return clock_getres_fallback(clock, res);

	if (likely(res != NULL)) {
		res->tv_sec = 0;
		res->tv_nsec = (s64)ns;
	}
	return 0;
}
