// SPDX-License-Identifier: MIT
/*
 * Which concurrency IDs (mm_cid of rseq areas) two threads on two CPUs get, pinned, moving, taking turns and ending: a CPU
 * keeps its ID for the memory while another thread may come, and a thread that is alone takes its own along. What is
 * expected is what kernel/sched/core.c of Linux 6.12 does; it is recorded from that kernel (tests/guests/booted). A kernel
 * without them (before 6.3) leaves the field 0.
 */
#include "guest.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <time.h>

#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE 27
#endif
#define MM_CID		24
#define WITH_MM_CID	28

extern const ptrdiff_t __rseq_offset;

/* IDs one after another, as digits. */
#define IDS(what, expected, ...) do { \
	int ids[] = { __VA_ARGS__ }; \
	unsigned int i; \
	char text[16] = ""; \
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) \
		text[i] = '0' + ids[i]; \
	CHECK(what, strcmp(text, expected) == 0); \
	if (strcmp(text, expected) != 0) \
		printf("# %s instead of %s\n", text, expected); \
} while (0)

static sem_t go, done;
static int to_cpu, seen;

static int mm_cid(void)
{
	return *(volatile int *)((char *)__builtin_thread_pointer() + __rseq_offset + MM_CID);
}

/* Goes to one CPU, or (3) may be on both; the ID there. */
static int on(int cpus)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int cpu = 0; cpu < 2; cpu++)
		if (cpus >> cpu & 1)
			CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		perror("sched_setaffinity");
	return mm_cid();
}

static void spin(long ms)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
}

static void rest(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
}

/* Says what it has whenever it is told to, on the CPUs that it is told; told none, it ends. */
static void *worker(void *unused)
{
	(void)unused;
	for (;;) {
		while (sem_wait(&go) != 0)
			;
		if (to_cpu == 0)
			return NULL;
		seen = on(to_cpu);
		sem_post(&done);
	}
}

/* The worker's ID on these CPUs; the caller sleeps meanwhile. */
static int ask(int cpus)
{
	to_cpu = cpus;
	sem_post(&go);
	while (sem_wait(&done) != 0)
		;
	return seen;
}

static void end(pthread_t thread)
{
	to_cpu = 0;
	sem_post(&go);
	pthread_join(thread, NULL);
}

int main(void)
{
	pthread_t thread;
	int status;

	if (getauxval(AT_RSEQ_FEATURE_SIZE) < WITH_MM_CID) {
		printf("no concurrency IDs: %d %d\n", on(1), on(2));
		return 0;
	}
	sem_init(&go, 0, 0);
	sem_init(&done, 0, 0);
	IDS("a thread that is alone takes its ID along", "000", on(1), on(2), on(1));

	pthread_create(&thread, NULL, worker, NULL);
	IDS("a new one shares that of its CPU and takes it along, since nobody runs there", "0011", ask(1), ask(2), mm_cid(), mm_cid());
	IDS("each CPU keeps its own, also while nobody is on the other", "0101", ask(2), mm_cid(), ask(2), mm_cid());
	IDS("two that take turns on a CPU have what the CPU has", "1100", ask(1), mm_cid(), ask(2), on(2));
	IDS("and leave it there", "1010", on(1), ask(2), on(1), ask(2));
	end(thread);
	IDS("the end of a thread gives its CPU's back", "111", mm_cid(), on(2), on(1));

	pthread_create(&thread, NULL, worker, NULL);
	to_cpu = 2;
	sem_post(&go);
	spin(100);
	while (sem_wait(&done) != 0)
		;
	IDS("a thread that is moved takes its CPU's along, also when another runs on there", "01", mm_cid(), seen);
	IDS("and leaves it where it has gone", "01", ask(1), (end(thread), on(2)));
	spin(500);
	rest();
	IDS("IDs are made compact in time", "0", mm_cid());

	fflush(stdout);
	if (fork() == 0) {
		IDS("a child's memory has its own", "00", on(1), on(2));
		fflush(stdout);
		_exit(0);
	}
	wait(&status);
	CHECK("the child ends", status == 0);
	return guest_done("mm_cids");
}
