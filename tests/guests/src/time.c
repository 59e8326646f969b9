// SPDX-License-Identifier: MIT
/* Clocks through the C library (the vDSO where there is one) and by system call, sleeping, timers. */
#include "guest.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

static const struct {
	clockid_t id;
	const char *name;
} clocks[] = {
	{ CLOCK_REALTIME, "REALTIME" }, { CLOCK_MONOTONIC, "MONOTONIC" }, { CLOCK_MONOTONIC_RAW, "MONOTONIC_RAW" },
	{ CLOCK_REALTIME_COARSE, "REALTIME_COARSE" }, { CLOCK_MONOTONIC_COARSE, "MONOTONIC_COARSE" },
	{ CLOCK_BOOTTIME, "BOOTTIME" }, { CLOCK_TAI, "TAI" },
	{ CLOCK_PROCESS_CPUTIME_ID, "PROCESS_CPUTIME" }, { CLOCK_THREAD_CPUTIME_ID, "THREAD_CPUTIME" },
};

static int64_t nanoseconds(struct timespec t)
{
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int64_t by_library(clockid_t id)
{
	struct timespec t = { -1, -1 };

	return clock_gettime(id, &t) || t.tv_nsec < 0 || t.tv_nsec > 999999999 ? -1 : nanoseconds(t);
}

static int64_t by_system_call(clockid_t id)
{
	struct timespec t = { -1, -1 };

	return syscall(SYS_clock_gettime, id, &t) || t.tv_nsec < 0 || t.tv_nsec > 999999999 ? -1 : nanoseconds(t);
}

/* Threads hand on the latest time seen: none may read an earlier one afterwards. */
static _Atomic int64_t latest;

static void *watch(void *argument)
{
	long backwards = 0;

	(void)argument;
	for (int i = 0; i < 3000; i++) {
		int64_t before = latest, now = by_library(CLOCK_MONOTONIC);

		backwards += now < before;
		while (now > before && !atomic_compare_exchange_weak(&latest, &before, now))
			;
	}
	return (void *)backwards;
}

static volatile sig_atomic_t ticks;
static void tick(int number)
{
	(void)number;
	ticks++;
}

int main(void)
{
	char line[80];

	for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
		int forward = 1;

		/* The two ways, one after the other, must never step back. */
		for (int k = 0; k < 200; k++) {
			int64_t a = by_system_call(clocks[i].id), b = by_library(clocks[i].id), c = by_system_call(clocks[i].id);

			forward &= a >= 0 && b >= a && c >= b;
		}
		snprintf(line, sizeof line, "%s never steps back", clocks[i].name);
		CHECK(line, forward);

		struct timespec library = { -1, -1 }, call = { -2, -2 };
		int same = clock_getres(clocks[i].id, &library) == 0 && syscall(SYS_clock_getres, clocks[i].id, &call) == 0
			&& nanoseconds(library) == nanoseconds(call) && nanoseconds(library) >= 1;
		snprintf(line, sizeof line, "%s resolution", clocks[i].name);
		CHECK(line, same && clock_getres(clocks[i].id, NULL) == 0);
	}

	struct timespec t;
	CHECK("no such clock", clock_gettime(15, &t) == -1 && errno == EINVAL && clock_gettime(100, &t) == -1 && errno == EINVAL
		&& clock_getres(100, &t) == -1 && errno == EINVAL);
	int64_t coarse = by_library(CLOCK_MONOTONIC_COARSE), fine = by_library(CLOCK_MONOTONIC);
	CHECK("coarse is not ahead", coarse <= fine);
	int64_t next;
	do
		next = by_library(CLOCK_MONOTONIC_COARSE);
	while (next == coarse);
	CHECK("coarse goes on", next > coarse && next <= by_library(CLOCK_MONOTONIC));
	CHECK("boot time is not behind", by_library(CLOCK_BOOTTIME) >= fine);

	struct timeval v;
	struct timezone z = { -1, -1 };
	int64_t before = by_library(CLOCK_REALTIME) / 1000;
	CHECK("gettimeofday", !gettimeofday(&v, NULL) && v.tv_usec >= 0 && v.tv_usec < 1000000
		&& v.tv_sec * 1000000LL + v.tv_usec >= before && v.tv_sec * 1000000LL + v.tv_usec <= by_library(CLOCK_REALTIME) / 1000);
	CHECK("gettimeofday of the zone", !syscall(SYS_gettimeofday, NULL, &z) && z.tz_minuteswest != -1 && z.tz_dsttime != -1);
	CHECK("year", by_library(CLOCK_REALTIME) / 1000000000 > 1577836800);
	/* time() may be a tick behind. */
	time_t second = time(NULL);
	CHECK("time", second >= before / 1000000 - 1 && second <= by_library(CLOCK_REALTIME) / 1000000000);

	int64_t start = by_library(CLOCK_MONOTONIC);
	struct timespec pause = { 0, 3000000 }, left;
	CHECK("nanosleep is not short", !nanosleep(&pause, &left) && by_library(CLOCK_MONOTONIC) - start >= 3000000);
	start = by_library(CLOCK_MONOTONIC);
	t = (struct timespec){ (start + 5000000) / 1000000000, (start + 5000000) % 1000000000 };
	CHECK("sleep until a time", !clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL)
		&& by_library(CLOCK_MONOTONIC) >= start + 5000000);
	t.tv_nsec = 1000000000;
	CHECK("nanoseconds out of range", nanosleep(&t, NULL) == -1 && errno == EINVAL);

	int64_t used = by_library(CLOCK_PROCESS_CPUTIME_ID);
	for (volatile int i = 0; i < 100000; i++)
		;
	CHECK("work uses time", by_library(CLOCK_PROCESS_CPUTIME_ID) > used && by_library(CLOCK_THREAD_CPUTIME_ID) > 0);

	pthread_t thread[4];
	long backwards = 0;
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, watch, NULL);
	for (int i = 0; i < 4; i++) {
		void *result;

		pthread_join(thread[i], &result);
		backwards += (long)result;
	}
	CHECK("no thread sees an earlier time", backwards == 0);

	signal(SIGALRM, tick);
	struct itimerval timer = { { 0, 2000 }, { 0, 2000 } }, old;
	setitimer(ITIMER_REAL, &timer, NULL);
	while (ticks < 3) {
		t = (struct timespec){ 1, 0 };
		nanosleep(&t, &left);
	}
	memset(&timer, 0, sizeof timer);
	CHECK("interval timer", !setitimer(ITIMER_REAL, &timer, &old) && old.it_interval.tv_usec == 2000 && nanoseconds(left) < 1000000000);

	int descriptor = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec once = { { 0, 0 }, { 0, 2000000 } };
	uint64_t expirations = 0;
	CHECK("timer as a file", descriptor >= 0 && !timerfd_settime(descriptor, 0, &once, NULL) && read(descriptor, &expirations, 8) == 8
		&& expirations == 1);
	return guest_done("time");
}
