// SPDX-License-Identifier: MIT
/*
 * threads [-p PROCESSES] [-t THREADS] [-n ITERATIONS] [-e]
 * Asks the vDSO in a loop, in THREADS threads (4) of PROCESSES processes (1), and counts the answers that are
 * not the system call's. That of a thread is asked for once, or with -e at each iteration; getcpu's, which
 * may change at any time, before and after each call: it counts when both agree and the vDSO does not.
 * More threads than CPUs give migrations; several processes, other processes' answers to be mistaken for.
 * Last line: "calls N wrong M". Wrong answers are the result, not an error: the status is 0.
 */
#include "guest.h"
#include "vdso.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { GETTERS = 7, GETCPU = GETTERS, FUNCTIONS };

static const struct {
	const char *name, *symbol;
	long number;
} functions[FUNCTIONS] = {
	{ "getpid", "__kernel_getpid", SYS_getpid },
	{ "gettid", "__kernel_gettid", SYS_gettid },
	{ "getuid", "__kernel_getuid", SYS_getuid },
	{ "geteuid", "__kernel_geteuid", SYS_geteuid },
	{ "getgid", "__kernel_getgid", SYS_getgid },
	{ "getegid", "__kernel_getegid", SYS_getegid },
	{ "getppid", "__kernel_getppid", SYS_getppid },
	{ "getcpu", "__kernel_getcpu", SYS_getcpu },
};

static struct counters {
	atomic_ulong calls[FUNCTIONS], wrong[FUNCTIONS];
} *counters;

static void *entry[FUNCTIONS];
static long iterations = 5000;
static int each;

static void *ask(void *unused)
{
	unsigned long calls[FUNCTIONS] = { 0 }, wrong[FUNCTIONS] = { 0 };
	long expected[GETTERS];

	(void)unused;
	for (int f = 0; f < GETTERS; f++)
		expected[f] = syscall(functions[f].number);
	for (long i = 0; i < iterations; i++) {
		for (int f = 0; f < GETTERS; f++) {
			if (!entry[f])
				continue;
			unsigned answer = ((unsigned (*)(void))entry[f])();
			if (each)
				expected[f] = syscall(functions[f].number);
			calls[f]++;
			wrong[f] += answer != (unsigned)expected[f];
		}
		if (entry[GETCPU]) {
			unsigned before[2] = { ~0U, ~0U }, cpu[2] = { ~0U, ~0U }, after[2] = { ~0U, ~0U };

			syscall(SYS_getcpu, &before[0], &before[1], NULL);
			int result = ((int (*)(unsigned *, unsigned *, void *))entry[GETCPU])(&cpu[0], &cpu[1], NULL);
			syscall(SYS_getcpu, &after[0], &after[1], NULL);
			calls[GETCPU]++;
			wrong[GETCPU] += result || (!memcmp(before, after, sizeof before) && memcmp(before, cpu, sizeof cpu));
		}
	}
	for (int f = 0; f < FUNCTIONS; f++) {
		counters->calls[f] += calls[f];
		counters->wrong[f] += wrong[f];
	}
	return NULL;
}

static int run(int threads)
{
	pthread_t thread[threads];

	for (int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, ask, NULL))
			return 1;
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

int main(int argc, char **argv)
{
	int processes = 1, threads = 4, option, status, failed = 0;
	unsigned long calls = 0, wrong = 0;

	while ((option = getopt(argc, argv, "p:t:n:e")) != -1) {
		switch (option) {
		case 'p': processes = atoi(optarg); break;
		case 't': threads = atoi(optarg); break;
		case 'n': iterations = atol(optarg); break;
		case 'e': each = 1; break;
		default: return 2;
		}
	}
	if (processes < 1 || threads < 1 || threads > 1000) {
		fprintf(stderr, "threads: at least one process, 1 to 1000 threads\n");
		return 2;
	}
	counters = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counters == MAP_FAILED)
		return 3;
	for (int f = 0; f < FUNCTIONS; f++)
		entry[f] = vdso_find(functions[f].symbol, "LINUX_2.6.39");

	for (int p = 1; p < processes; p++) {
		pid_t child = fork();

		if (child < 0)
			return 3;
		if (!child)
			_exit(run(threads));
	}
	failed = run(threads);
	while (wait(&status) > 0)
		failed |= status;

	for (int f = 0; f < FUNCTIONS; f++) {
		if (entry[f])
			printf("%s calls %lu wrong %lu\n", functions[f].name, counters->calls[f], counters->wrong[f]);
		else
			printf("%s absent\n", functions[f].name);
		calls += counters->calls[f];
		wrong += counters->wrong[f];
	}
	printf("calls %lu wrong %lu\n", calls, wrong);
	return failed ? 3 : 0;
}
