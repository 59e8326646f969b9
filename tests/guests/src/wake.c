// SPDX-License-Identifier: MIT
/* How far a thread that wakes another one gets before the woken one runs, on a CPU of its own that was idle. Cycles of a machine are
 * one order: the woken one begins when it was woken, give or take a slice of the machine's order. For the emulator only. */
#include "guest.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>

static volatile int word, asleep;
static volatile long done, seen;

static void on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *sleeper(void *unused)
{
	on(1);
	asleep = 1;
	while (!word)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
	seen = done;
	return unused;
}

int main(void)
{
	pthread_t thread;

	on(0);
	pthread_create(&thread, 0, sleeper, 0);
	while (!asleep)
		sched_yield();
	usleep(1000);
	word = 1;
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
	while (!seen)
		done++;
	/* Some thousand instructions of the kernel bring it back; a count takes three or four. */
	CHECK("the woken thread runs when it is woken", seen > 10 && seen < 3000);
	if (seen >= 3000)
		printf("  %ld\n", seen);
	pthread_join(thread, 0);
	return guest_done("wake");
}
