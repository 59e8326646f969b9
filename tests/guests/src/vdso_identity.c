// SPDX-License-Identifier: MIT
/*
 * vdso_identity [-u]: the vDSO's getpid and its like against the system calls, after everything that changes their
 * answers: credentials, fork, clone, exec, migration, reparenting and (-u) namespaces. Functions that the image does
 * not have are left out.
 */
#include "guest.h"
#include "vdso.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { PID, TID, PPID, UID, EUID, GID, EGID, PGID, SID, COUNT };

static const struct { const char *name; int number; } calls[COUNT] = {
	[PID] = { "getpid", SYS_getpid }, [TID] = { "gettid", SYS_gettid }, [PPID] = { "getppid", SYS_getppid },
	[UID] = { "getuid", SYS_getuid }, [EUID] = { "geteuid", SYS_geteuid },
	[GID] = { "getgid", SYS_getgid }, [EGID] = { "getegid", SYS_getegid },
	[PGID] = { "getpgid", SYS_getpgid }, [SID] = { "getsid", SYS_getsid },
};
/* What takes a PID is asked about the caller. */
static int (*function[COUNT])(int);
static long (*get_cpu)(unsigned *, unsigned *, void *);

static void find(void)
{
	char name[64];

	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "__kernel_%s", calls[i].name);
		function[i] = (int (*)(int))vdso_find(name, "LINUX_2.6.39");
	}
	get_cpu = (long (*)(unsigned *, unsigned *, void *))vdso_find("__kernel_getcpu", "LINUX_2.6.39");
}

/* Each answer is that of the system call. In what order they are asked must not matter: no system call lies between. */
static int right(const char *when)
{
	int answer[COUNT], good = 1;

	for (int i = 0; i < COUNT; i++)
		answer[i] = function[i] ? function[i](0) : 0;
	for (int i = 0; i < COUNT; i++) {
		int truth = (int)syscall(calls[i].number, 0);

		if (function[i] && answer[i] != truth) {
			printf("wrong %s: %s is %d, the vDSO says %d\n", when, calls[i].name, truth, answer[i]);
			good = 0;
		}
	}
	return good;
}

static int on_cpu(int cpu)
{
	unsigned c = 99, n = 99;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return 0;
	return right("after migration") && (!get_cpu || (!get_cpu(&c, &n, NULL) && (int)c == cpu && n == 0));
}

static void *thread(void *argument)
{
	(void)argument;
	for (int i = 0; i < 20; i++) {
		if (!right("in a thread") || !on_cpu(i & 1))
			return (void *)1;
	}
	/* Credentials of this thread only: the system call itself, not the C library's, which changes all threads. */
	if (syscall(SYS_setresuid, 11, 12, 0) || !right("after setresuid of a thread"))
		return (void *)1;
	return NULL;
}

static volatile sig_atomic_t in_handler;

static void handler(int number)
{
	(void)number;
	in_handler += right("in a handler");
}

static int child_status(pid_t child)
{
	int status = -1;

	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A child whose parent ends while it runs: it asks without pause, and the answer changes from one parent to the other, once. */
static int reparented(void)
{
	int *result = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t middle = fork();

	if (!middle) {
		pid_t self = getpid();

		if (!fork()) {
			int bad = 0, changed = 0;

			result[1] = 1;
			for (long i = 0; i < 200000 && changed < 100; i++) {
				int before = (int)syscall(SYS_getppid), said = function[PPID](0), after = (int)syscall(SYS_getppid);

				bad += said != before && said != after;
				changed += after != self;
			}
			result[0] = bad || !changed ? 2 : 1;
			_exit(0);
		}
		while (!((volatile int *)result)[1])
			;
		_exit(0);
	}
	waitpid(middle, NULL, 0);
	while (!((volatile int *)result)[0])
		usleep(1000);
	return result[0] == 1;
}

/* A child whose group the parent changes while it runs. */
static int regrouped(void)
{
	int *result = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = fork();

	if (!child) {
		int bad = 0, changed = 0, self = (int)syscall(SYS_getpid);

		result[1] = 1;
		for (long i = 0; i < 200000 && changed < 100; i++) {
			int before = (int)syscall(SYS_getpgid, 0), said = function[PGID](0), after = (int)syscall(SYS_getpgid, 0);

			bad += said != before && said != after;
			changed += after == self;
		}
		/* A session of its own: the child of a group's leader may begin one. */
		if (!fork())
			_exit(!(syscall(SYS_setsid) == syscall(SYS_getpid) && right("after setsid")));
		wait(&self);
		result[0] = bad || !changed || self ? 2 : 1;
		_exit(0);
	}
	while (!((volatile int *)result)[1])
		;
	if (setpgid(child, child))
		return 0;
	waitpid(child, NULL, 0);
	/* Of another process the kernel is asked; of none there is an error. */
	return result[0] == 1 && function[PGID](1 << 22) == (int)-ESRCH && function[SID](getpid()) == (int)syscall(SYS_getsid, 0);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		printf("FAILED %s\n", path);
	close(fd);
}

static int namespaces(void)
{
	char map[32];
	int good;

	snprintf(map, sizeof(map), "0 %d 1", (int)syscall(SYS_getuid));
	if (unshare(CLONE_NEWUSER | CLONE_NEWPID))
		return 0;
	good = right("in a user namespace without a map");
	write_file("/proc/self/uid_map", map);
	good &= right("in a user namespace");
	/* Two namespaces switch with each other on one CPU. */
	on_cpu(0);
	for (int i = 0; i < 3; i++) {
		if (!fork()) {
			if (syscall(SYS_getpid) == 1 + i)
				for (int n = 0; n < 50; n++) {
					good &= right("in a PID namespace");
					sched_yield();
				}
			else
				good = 0;
			if (i == 0)
				for (int k = 0; k < 2; k++)
					pause();
			_exit(!good);
		}
	}
	for (int n = 0; n < 200; n++) {
		good &= right("outside of a PID namespace");
		sched_yield();
	}
	return good;
}

int main(int argc, char **argv)
{
	pthread_t threads[4];
	void *value;
	volatile int good = 1;
	pid_t child;

	find();
	if (argc > 1 && !strcmp(argv[1], "-e")) {
		int ok = right("after execve");
		return ok ? 0 : 1;
	}
	CHECK("at the start", right("at the start"));
	CHECK("on each CPU", on_cpu(0) && on_cpu(1) && on_cpu(0));
	cpu_set_t all;
	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);

	CHECK("setegid", !syscall(SYS_setresgid, 21, 22, 23) && right("after setresgid"));
	CHECK("seteuid", !syscall(SYS_setresuid, 31, 32, 0) && right("after setresuid"));
	CHECK("back", !syscall(SYS_setresuid, 0, 0, 0) && right("after setresuid back"));

	child = fork();
	if (!child)
		_exit(!(right("in a child") && !syscall(SYS_setuid, 41) && right("after setuid of a child")));
	CHECK("the parent after fork", right("after fork"));
	CHECK("fork", child_status(child) == 0);
	child = vfork();
	if (!child)
		_exit(!right("in a child of vfork"));
	CHECK("vfork", child_status(child) == 0 && right("after vfork"));
	child = fork();
	if (!child) {
		execl("/proc/self/exe", argv[0], "-e", NULL);
		_exit(9);
	}
	CHECK("execve", child_status(child) == 0);

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, thread, NULL);
	for (int i = 0; i < 50; i++)
		good &= right("beside threads");
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &value);
		good &= !value;
	}
	CHECK("threads", good);

	signal(SIGUSR1, handler);
	for (int i = 0; i < 20; i++)
		raise(SIGUSR1);
	CHECK("in a handler", in_handler == 20 && right("after a handler"));
	if (function[PPID])
		CHECK("reparented", reparented());
	if (function[PGID])
		CHECK("regrouped", regrouped());
	if (argc > 1 && !strcmp(argv[1], "-u"))
		CHECK("namespaces", namespaces());
	return guest_done("vdso_identity");
}
