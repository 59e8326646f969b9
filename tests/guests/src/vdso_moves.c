// SPDX-License-Identifier: MIT
/*
 * vdso_moves [race N]: what a process may do to the vDSO's mappings, after reports of checkpoint and restore (CRIU #90,
 * #288, #3012): they are moved, unmapped, mapped over; written after mprotect; and never split or grown
 * (special_mapping_split of mm/mmap.c). Afterwards each answer is the system call's. With race: after a move, processes
 * ask as fast as they can while they are preempted and moved between CPUs.
 */
#include "guest.h"
#include "vdso.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

static const struct { const char *name; int number; } calls[] = {
	{ "getpid", SYS_getpid }, { "gettid", SYS_gettid }, { "getppid", SYS_getppid }, { "getuid", SYS_getuid },
	{ "geteuid", SYS_geteuid }, { "getgid", SYS_getgid }, { "getegid", SYS_getegid }, { "getpgid", SYS_getpgid },
	{ "getsid", SYS_getsid },
};
enum { COUNT = sizeof(calls) / sizeof(calls[0]), AREAS = 4 };

static int (*function[COUNT])(int);
static int (*gettime)(clockid_t, struct timespec *);
/* The mappings in ascending order; the image is the last. */
static struct { char *start; size_t size; } area[AREAS];
static int areas;

static void find(void)
{
	char line[256], name[64];
	FILE *maps = fopen("/proc/self/maps", "r");

	while (fgets(line, sizeof(line), maps)) {
		unsigned long from, to;

		if ((strstr(line, "[vvar") || strstr(line, "[vdso]")) && sscanf(line, "%lx-%lx", &from, &to) == 2 && areas < AREAS) {
			area[areas].start = (char *)from;
			area[areas++].size = to - from;
		}
	}
	fclose(maps);
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "__kernel_%s", calls[i].name);
		function[i] = (int (*)(int))vdso_find(name, "LINUX_2.6.39");
	}
	gettime = (int (*)(clockid_t, struct timespec *))vdso_find("__kernel_clock_gettime", "LINUX_2.6.39");
}

static char *image(void) { return area[areas - 1].start; }
static size_t image_size(void) { return area[areas - 1].size; }

static long ns(const struct timespec *t) { return t->tv_sec * 1000000000l + t->tv_nsec; }

static sigjmp_buf escape;
static void fault(int number) { siglongjmp(escape, number); }

/* 1: each answer is right; 0: one is not; the signal, negative, where an access faulted. */
static int asked(const char *when)
{
	volatile int good = 1;
	struct timespec before, said, after;
	int number = sigsetjmp(escape, 1);

	if (number) {
		printf("%s: signal %d\n", when, number);
		return -number;
	}
	for (int i = 0; i < COUNT; i++) {
		int answer = function[i] ? function[i](0) : 0, truth = (int)syscall(calls[i].number, 0);

		if (function[i] && answer != truth) {
			printf("wrong %s: %s is %d, the vDSO says %d\n", when, calls[i].name, truth, answer);
			good = 0;
		}
	}
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &before);
	if (gettime(CLOCK_MONOTONIC, &said))
		good = 0;
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &after);
	return good && ns(&before) <= ns(&said) && ns(&said) <= ns(&after);
}

static int right(const char *when) { return asked(when) == 1; }

/* The identities alone: right, or nothing at all. */
static int never_wrong(const char *when)
{
	volatile int good = 1;

	for (volatile int i = 0; i < COUNT; i++) {
		if (!function[i] || sigsetjmp(escape, 1))
			continue;
		int answer = function[i](0), truth = (int)syscall(calls[i].number, 0);

		if (answer != truth) {
			printf("wrong %s: %s is %d, the vDSO says %d\n", when, calls[i].name, truth, answer);
			good = 0;
		}
	}
	return good;
}

/* Moves everything as it lies to another place, [vvar] first, as CRIU does. */
static int move(void)
{
	size_t total = image() + image_size() - area[0].start;
	char *to = mmap(NULL, total + 0x100000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *old = image();
	long by = to - area[0].start;

	for (int i = 0; i < areas; i++) {
		char *target = area[i].start + by;

		if (mremap(area[i].start, area[i].size, area[i].size, MREMAP_MAYMOVE | MREMAP_FIXED, target) != target)
			return 0;
		area[i].start = target;
	}
	for (int i = 0; i < COUNT; i++)
		if (function[i])
			function[i] = (int (*)(int))((char *)function[i] + (image() - old));
	gettime = (int (*)(clockid_t, struct timespec *))((char *)gettime + (image() - old));
	return 1;
}

static char *volatile returns_to;
static volatile int handled;

static void handler(int number)
{
	(void)number;
	returns_to = __builtin_return_address(0);
	handled += right("in a handler");
}

/* The kernel's own signal frame, with no restorer of the C library's. */
static int by_signal(void)
{
	struct { void (*handler)(int); unsigned long flags; void *restorer; unsigned long mask; } action = { handler, SA_NODEFER, NULL, 0 };

	handled = 0;
	if (syscall(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8))
		return 0;
	raise(SIGUSR1);
	return handled == 1 && returns_to > image() && returns_to < image() + image_size();
}

static int in_maps(const char *name, char *at)
{
	char line[256];
	int found = 0;
	FILE *maps = fopen("/proc/self/maps", "r");

	while (fgets(line, sizeof(line), maps)) {
		unsigned long from;

		if (strstr(line, name) && sscanf(line, "%lx-", &from) == 1)
			found = (char *)from == at;
	}
	fclose(maps);
	return found;
}

static pthread_barrier_t barrier;

/* One that is there before the move, one that begins after it. */
static void *early(void *result)
{
	*(int *)result = right("in a thread before the move");
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	*(int *)result &= right("in a thread that saw the move");
	syscall(SYS_setresuid, 51, 52, 0);
	*(int *)result &= right("in a thread that saw the move and changed its user");
	return NULL;
}

static void *late(void *result)
{
	*(int *)result = right("in a thread after the move");
	return NULL;
}

/* Runs a part in a process of its own. */
static int apart(int (*part)(void))
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		int good = part();

		fflush(stdout);
		_exit(!good);
	}
	return waitpid(child, &status, 0) == child && status == 0;
}

static int child_asks(void) { return right("in a child"); }

static int moved(void)
{
	pthread_t threads[2];
	int results[2] = { 0, 0 };
	int good;

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&threads[0], NULL, early, &results[0]);
	pthread_barrier_wait(&barrier);
	good = move() && right("after the move");
	pthread_barrier_wait(&barrier);
	pthread_create(&threads[1], NULL, late, &results[1]);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	good &= results[0] && results[1] && by_signal() && in_maps("[vdso]", image()) && apart(child_asks);
	good &= move() && right("after a second move");
	return good & (!syscall(SYS_setresuid, 61, 62, 0) && right("after setresuid"));
}

/* What the process maps where the data was must not be taken for them. */
static int reused(void)
{
	char *old = area[0].start, *page;
	size_t size = image() - old;

	if (!move() || mmap(old, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != old)
		return 0;
	for (page = old; page < old + size; page++)
		*page = 0x41;
	return right("after the old place was used again") && apart(child_asks);
}

static int child_without_data(void) { return never_wrong("in a child without data"); }

static int without_data(void)
{
	for (int i = 0; i < areas - 1; i++)
		if (munmap(area[i].start, area[i].size))
			return 0;
	return never_wrong("without data") && apart(child_without_data) && never_wrong("after fork without data");
}

/* 4 KiB of additions at the place of the image: no kernel has a reason to move a PC in it. */
static int foreign_code(void)
{
	size_t size = image_size();
	unsigned *code = (unsigned *)image();
	volatile int hold = 1;

	if (munmap(code, size)
		|| mmap(code, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != code)
		return 0;
	for (size_t i = 0; i < size / 4 - 1; i++)
		code[i] = 0x91000400;	/* add x0, x0, #1 */
	code[size / 4 - 1] = 0xd65f03c0;
	__builtin___clear_cache((char *)code, (char *)code + size);
	pid_t others[3];
	for (int i = 0; i < 3; i++) {
		others[i] = fork();
		if (!others[i])
			for (;;)
				hold = 1 - hold;
	}
	int good = 1;
	for (int i = 0; i < 300 && good; i++)
		good = ((unsigned long (*)(unsigned long))code)(0) == size / 4 - 1;
	for (int i = 0; i < 3; i++)
		kill(others[i], SIGKILL);
	return good;
}

#define ERROR(call, number) ((errno = 0), (long)(call) == -1 && errno == (number))

static int rules(void)
{
	char *v = image(), *d = area[0].start, *free_place;
	size_t n = image_size(), m = area[0].size;
	const int moves = MREMAP_MAYMOVE | MREMAP_FIXED;

	free_place = mmap(NULL, n + m, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(free_place, n + m);
	CHECK("grow", ERROR(mremap(v, n, n + 4096, MREMAP_MAYMOVE), EFAULT) && ERROR(mremap(d, m, m + 4096, MREMAP_MAYMOVE), EFAULT));
	CHECK("shrink", ERROR(mremap(v, n, n - 4096, MREMAP_MAYMOVE), EINVAL));
	CHECK("leave a copy", ERROR(mremap(v, n, n, MREMAP_MAYMOVE | 4, NULL), EINVAL));
	CHECK("move a part", ERROR(mremap(v, 4096, 4096, moves, free_place), EINVAL)
		&& ERROR(mremap(v + 4096, n - 4096, n - 4096, moves, free_place), EINVAL)
		&& ERROR(mremap(v, n, 4096, moves, free_place), EINVAL));
	CHECK("unmap a part", ERROR(munmap(v + n - 4096, 4096), EINVAL) && ERROR(munmap(v, 4096), EINVAL)
		&& ERROR(munmap(d + 4096, m - 4096), EINVAL));
	CHECK("map over a part",
		ERROR(mmap(v, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), ENOMEM));
	CHECK("protect a part", ERROR(mprotect(v, 4096, PROT_READ), EINVAL) && !mprotect(v, 4096, PROT_READ | PROT_EXEC));
	CHECK("advise a part", ERROR(madvise(v, 4096, MADV_DONTFORK), EINVAL));
	CHECK("data stay read-only", ERROR(mprotect(d, m, PROT_READ | PROT_WRITE), EACCES)
		&& ERROR(mprotect(d, m, PROT_READ | PROT_EXEC), EACCES) && !mprotect(d, m, PROT_READ));
	CHECK("data stay", ERROR(madvise(d, m, MADV_DONTNEED), EINVAL));
	CHECK("after all that", right("after refused changes"));
	return guest_failures == 0;
}

static int sees_original(void) { return image()[8] == 0; }
static int sees_copy(void) { return image()[8] == 42; }

/* The image can be written, in a copy of the process' own. */
static int written(void)
{
	char *v = image(), byte = 7;
	int pipes[2], good = !mprotect(v, image_size(), PROT_READ | PROT_WRITE | PROT_EXEC);

	v[8] = 42;
	good &= apart(sees_copy) && right("in a copy of the image");
	good &= !pipe(pipes) && write(pipes[1], &byte, 1) == 1 && read(pipes[0], v + 9, 1) == 1 && v[9] == 7;
	good &= !madvise(v, image_size(), MADV_DONTNEED) && v[8] == 0 && v[9] == 0;
	return good && right("in the image again");
}

static int unmapped(void)
{
	struct timespec now;

	return !munmap(image(), image_size()) && !syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
}

static int race(int count)
{
	int kids = 5, good = move() && function[0];

	for (int i = 0; i < kids; i++) {
		if (fork())
			continue;
		int wrong = 0, self = (int)syscall(SYS_getpid);

		for (int k = 0; k < count; k++)
			wrong += function[0](0) != self;
		_exit(wrong != 0);
	}
	int self = (int)syscall(SYS_getpid), wrong = 0, status;

	for (int k = 0; k < 2 * count; k++)
		wrong += function[0](0) != self;
	for (int i = 0; i < kids; i++)
		good &= wait(&status) > 0 && status == 0;
	CHECK("answers after a move", good && !wrong);
	return guest_done("vdso_moves");
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = fault, .sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	find();
	CHECK("the mappings", areas >= 2 && image() == (char *)getauxval(AT_SYSINFO_EHDR));
	if (argc > 2 && !strcmp(argv[1], "race"))
		return race(atoi(argv[2]));
	CHECK("at the start", right("at the start"));
	CHECK("moved", apart(moved));
	CHECK("the old place used again", apart(reused));
	CHECK("without data", apart(without_data));
	CHECK("foreign code", apart(foreign_code));
	CHECK("rules", apart(rules));
	CHECK("written", apart(written) && sees_original());
	CHECK("unmapped", apart(unmapped));
	CHECK("at the end", right("at the end"));
	return guest_done("vdso_moves");
}
