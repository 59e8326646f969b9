// SPDX-License-Identifier: MIT
/* Clocks that are stepped, and timers with tiny intervals. Sets CLOCK_REALTIME: for the emulator only. */
#include "guest.h"
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>

static volatile int count;

static void counted(int number)
{
	(void)number;
	count++;
}

static int64_t ns(int clock, int by_call)
{
	struct timespec t;

	if (by_call)
		syscall(SYS_clock_gettime, clock, &t);
	else
		clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* After a step no clock may show a time before it. */
static void check_step(int64_t wanted)
{
	int64_t fine = ns(CLOCK_REALTIME, 0), coarse = ns(CLOCK_REALTIME_COARSE, 0);
	int64_t fine_call = ns(CLOCK_REALTIME, 1), coarse_call = ns(CLOCK_REALTIME_COARSE, 1);
	int64_t behind = ns(CLOCK_MONOTONIC, 0) - ns(CLOCK_MONOTONIC_COARSE, 0);

	CHECK("the clock has the time that was set", fine >= wanted && fine - wanted < 50000000);
	CHECK("the coarse one too", coarse >= wanted && coarse <= fine);
	CHECK("and by system call", coarse_call >= wanted && coarse_call <= fine_call);
	CHECK("time() does", time(NULL) >= wanted / 1000000000);
	CHECK("the monotonic coarse one is at most a tick behind", behind >= -1000000 && behind < 5000000);
}

static void clocks(void)
{
	for (int i = 0; i < 4; i++) {
		struct timespec t;

		clock_gettime(CLOCK_REALTIME, &t);
		t.tv_sec += i & 1 ? -5000 : 7000;
		t.tv_nsec = i * 100000000;
		CHECK("clock_settime", !clock_settime(CLOCK_REALTIME, &t));
		check_step(t.tv_sec * 1000000000ll + t.tv_nsec);
		if (i == 2)
			usleep(4500);
	}
	struct timex offset = { .modes = ADJ_SETOFFSET, .time = { .tv_sec = 100 } };
	int64_t before = ns(CLOCK_REALTIME, 0);

	CHECK("adjtimex moves it", adjtimex(&offset) >= 0);
	check_step(before + 100000000000ll);
}

static void timers(void)
{
	struct itimerspec tiny = { .it_interval = { .tv_nsec = 1 }, .it_value = { .tv_nsec = 1 } };
	/* Longer than a delivery takes: else nothing but deliveries would happen, as on a real machine. */
	struct itimerval tiny_us = { .it_interval = { .tv_usec = 50 }, .it_value = { .tv_usec = 1 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN }, none = { .sigev_notify = SIGEV_NONE };
	struct timespec pause_time = { .tv_nsec = 2000000 };
	struct sigaction action = { .sa_handler = counted };
	siginfo_t info;
	sigset_t mask;
	uint64_t expirations = 0;
	timer_t timer, quiet;
	int file;

	sigemptyset(&mask);
	sigaddset(&mask, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	CHECK("a timer of a nanosecond", !timer_create(CLOCK_MONOTONIC, &event, &timer) && !timer_settime(timer, 0, &tiny, NULL));
	nanosleep(&pause_time, NULL);
	CHECK("its signal waits", sigwaitinfo(&mask, &info) == SIGRTMIN && info.si_code == SI_TIMER);
	CHECK("and tells how often it expired", info.si_overrun > 1000000 && info.si_overrun < 100000000);
	CHECK("timer_getoverrun says the same", timer_getoverrun(timer) == info.si_overrun);
	CHECK("it goes on then", sigwaitinfo(&mask, &info) == SIGRTMIN);
	timer_delete(timer);
	CHECK("a timer that tells nobody", !timer_create(CLOCK_MONOTONIC, &none, &quiet) && !timer_settime(quiet, 0, &tiny, NULL));
	nanosleep(&pause_time, NULL);
	CHECK("costs nothing", !timer_gettime(quiet, &tiny) && tiny.it_value.tv_nsec <= 1);
	timer_delete(quiet);
	tiny.it_value.tv_nsec = tiny.it_interval.tv_nsec = 1;
	signal(SIGRTMIN, SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	CHECK("a timer whose signal is ignored", !timer_create(CLOCK_MONOTONIC, &event, &timer) && !timer_settime(timer, 0, &tiny, NULL));
	nanosleep(&pause_time, NULL);
	timer_delete(timer);
	file = timerfd_create(CLOCK_MONOTONIC, 0);
	CHECK("a timer of a nanosecond that is read", !timerfd_settime(file, 0, &tiny, NULL));
	nanosleep(&pause_time, NULL);
	CHECK("counts all", read(file, &expirations, 8) == 8 && expirations > 1000000);
	close(file);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &tiny_us, NULL);
	while (count < 20)
		;
	tiny_us.it_value.tv_usec = 0;
	setitimer(ITIMER_REAL, &tiny_us, NULL);
	CHECK("ITIMER_REAL goes on with each delivery", count >= 20);
}

int main(void)
{
	clocks();
	timers();
	return guest_done("steps");
}
