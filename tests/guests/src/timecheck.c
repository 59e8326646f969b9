/* Clocks under change: what adjtimex, clock_settime, a suspend and PR_SET_TSC do to the answers of the vDSO and
 * of the kernel, which must be the same. Each line is a property that holds on Linux. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000LL

static long long now(clockid_t id) { struct timespec t; clock_gettime(id, &t); return t.tv_sec * NS + t.tv_nsec; }
static long long asked(clockid_t id) { struct timespec t; syscall(SYS_clock_gettime, id, &t); return t.tv_sec * NS + t.tv_nsec; }
static void sleep_ms(long ms) { struct timespec t = { ms / 1000, ms % 1000 * 1000000 }; nanosleep(&t, NULL); }
static int failed;
static void say(const char *what, int good) { printf("%s %s\n", good ? "ok" : "FAILED", what); failed += !good; }

/* The vDSO's answer lies between two of the kernel's, for every clock, many times. */
static int agrees(void)
{
	static const clockid_t ids[] = { 0, 1, 4, 5, 6, 7, 11 };
	for (int i = 0; i < 200; i++)
		for (unsigned k = 0; k < sizeof ids / sizeof *ids; k++) {
			long long before = asked(ids[k]), middle = now(ids[k]), after = asked(ids[k]);
			if (middle < before || middle > after) {
				printf("clock %d: %lld is not in [%lld, %lld]\n", ids[k], middle, before, after);
				return 0;
			}
		}
	return 1;
}

static int monotone(long ms)
{
	long long last = now(CLOCK_MONOTONIC), end = last + ms * 1000000LL;
	while (last < end) {
		long long t = now(CLOCK_MONOTONIC);
		if (t < last) {
			printf("CLOCK_MONOTONIC went back from %lld to %lld\n", last, t);
			return 0;
		}
		last = t;
	}
	return 1;
}

static long long rate_ppm(long ms)
{
	long long m = now(CLOCK_MONOTONIC), r = now(CLOCK_MONOTONIC_RAW);
	sleep_ms(ms);
	m = now(CLOCK_MONOTONIC) - m;
	r = now(CLOCK_MONOTONIC_RAW) - r;
	/* To the nearest, also below zero. */
	return ((m - r) * 1000000 + (m < r ? -r / 2 : r / 2)) / r;
}

static sigjmp_buf out;
static void on_segv(int signal) { (void)signal; siglongjmp(out, 1); }

static uint64_t counter(void) { uint64_t value; __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value)); return value; }

int main(int argc, char **argv)
{
	struct timex tx;
	int suspended = argc > 1 && !strcmp(argv[1], "suspend");

	say("clocks agree", agrees());
	memset(&tx, 0, sizeof tx);
	tx.modes = ADJ_FREQUENCY;
	tx.freq = 400L << 16;
	say("ADJ_FREQUENCY", adjtimex(&tx) == TIME_ERROR && tx.freq == 400L << 16);
	say("400 ppm fast", rate_ppm(500) == 400);
	say("clocks agree", agrees());
	tx.modes = ADJ_FREQUENCY;
	tx.freq = -(500L << 16);
	adjtimex(&tx);
	say("500 ppm slow", rate_ppm(500) == -500);
	int good = 1;
	for (int i = 0; i < 40 && good; i++) {
		tx.modes = ADJ_FREQUENCY;
		tx.freq = i % 2 ? 500L << 16 : -(500L << 16);
		adjtimex(&tx);
		good = monotone(1);
	}
	say("monotonic over rate changes", good && agrees());
	tx.modes = ADJ_FREQUENCY | ADJ_TICK;
	tx.freq = 0;
	tx.tick = 10000;
	adjtimex(&tx);
	tx.modes = ADJ_TICK;
	tx.tick = 12000;
	say("ADJ_TICK out of range", adjtimex(&tx) == -1 && errno == EINVAL);
	tx.modes = ADJ_OFFSET_SINGLESHOT;
	tx.offset = 1000;
	adjtimex(&tx);
	long long d = now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC_RAW);
	sleep_ms(4000);
	d = now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC_RAW) - d;
	if (d <= 990000 || d >= 1010000)
		printf("moved by %lld ns\n", d);
	/* A tick of 4 ms at 500 ppm at either end is 2 us each; the two clocks are read one after the other. */
	say("single shot of 1000 us", d > 990000 && d < 1010000);
	tx.modes = ADJ_OFFSET_SS_READ;
	adjtimex(&tx);
	say("nothing left of it", tx.offset == 0);

	long long m = now(CLOCK_MONOTONIC);
	struct timespec set = { 1483228790, 0 };	/* 2016-12-31 23:59:50 */
	say("clock_settime", clock_settime(CLOCK_REALTIME, &set) == 0 && now(CLOCK_REALTIME) / NS == set.tv_sec
		&& now(CLOCK_MONOTONIC) - m < 10000000);
	tx.modes = ADJ_STATUS | ADJ_TAI | ADJ_MAXERROR;	/* too large an error would make the clock unsynchronised */
	tx.maxerror = 0;
	tx.status = STA_INS | STA_PLL;
	tx.constant = 36;
	adjtimex(&tx);
	say("TAI set", now(CLOCK_TAI) - now(CLOCK_REALTIME) > 35 * NS + 900000000);
	long long tai = now(CLOCK_TAI);
	sleep_ms(9500);
	tx.modes = 0;
	int before = adjtimex(&tx);
	sleep_ms(1000);
	tx.modes = 0;
	int during = adjtimex(&tx);
	long long repeated = now(CLOCK_REALTIME) / NS;
	sleep_ms(1000);
	tx.modes = 0;
	int after = adjtimex(&tx);
	if (before != TIME_INS || during != TIME_OOP || after != TIME_WAIT)
		printf("states %d %d %d\n", before, during, after);
	say("leap second", before == TIME_INS && during == TIME_OOP && after == TIME_WAIT && repeated == 1483228799 && tx.tai == 37);
	say("TAI goes on", now(CLOCK_TAI) - tai > 11 * NS && now(CLOCK_TAI) - tai < 12 * NS && agrees());

	int fd = timerfd_create(CLOCK_REALTIME, 0);
	struct itimerspec it = { { 0, 0 }, { time(NULL) + 1000, 0 } };
	uint64_t count;
	timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &it, NULL);
	set.tv_sec = time(NULL) + 5;
	clock_settime(CLOCK_REALTIME, &set);
	say("timerfd cancelled", read(fd, &count, 8) == -1 && errno == ECANCELED);
	it.it_value.tv_sec = time(NULL) + 1000;
	timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL);
	set.tv_sec = time(NULL) + 2000;
	m = now(CLOCK_MONOTONIC);
	clock_settime(CLOCK_REALTIME, &set);
	say("timerfd follows the clock", read(fd, &count, 8) == 8 && count == 1 && now(CLOCK_MONOTONIC) - m < NS);

	if (suspended) {
		long long b = now(CLOCK_BOOTTIME), r = now(CLOCK_REALTIME);
		timer_t timer;
		/* A timer that tells nobody is not armed, and wakes no machine; the signal is ignored. */
		struct sigevent ignored = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG };
		struct itimerspec alarm = { { 0, 0 }, { 3600, 0 } };
		m = now(CLOCK_MONOTONIC);
		int state = open("/sys/power/state", O_WRONLY);
		say("no alarm, no suspend", write(state, "mem", 3) == -1 && errno == EBUSY);
		timer_create(CLOCK_BOOTTIME_ALARM, &ignored, &timer);
		timer_settime(timer, 0, &alarm, NULL);
		say("suspend", write(state, "mem", 3) == 3);
		b = now(CLOCK_BOOTTIME) - b;
		r = now(CLOCK_REALTIME) - r;
		m = now(CLOCK_MONOTONIC) - m;
		say("monotonic stood still", m < NS);
		say("boottime and realtime went on", b >= 3600 * NS && b < 3601 * NS && r >= 3600 * NS && r < 3601 * NS && agrees());
	}

	int mode = 0;
	signal(SIGSEGV, on_segv);
	say("PR_GET_TSC", prctl(PR_GET_TSC, &mode) == 0 && mode == PR_TSC_ENABLE);
	say("PR_SET_TSC of nonsense", prctl(PR_SET_TSC, 7) == -1 && errno == EINVAL);
	prctl(PR_SET_TSC, PR_TSC_SIGSEGV);
	int killed = sigsetjmp(out, 1);
	if (!killed)
		counter();
	long long kernel = asked(CLOCK_MONOTONIC);
	prctl(PR_GET_TSC, &mode);
	prctl(PR_SET_TSC, PR_TSC_ENABLE);
	say("PR_TSC_SIGSEGV", killed && mode == PR_TSC_SIGSEGV && kernel > 0 && counter() > 0 && agrees());
	printf("timecheck: %d failed\n", failed);
	return failed != 0;
}
