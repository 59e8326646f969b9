// SPDX-License-Identifier: MIT
/* bombs WHAT: takes as much of one thing as the system gives, then says how many and ends with the error that stopped it. */
#include "guest.h"
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

static char block[65536];

static int stop(const char *what, long count)
{
	int error = errno;

	printf("%s: %ld, then %s\n", what, count, strerror(error));
	return error;
}

/* Descriptors: each call of what opens one or more. */
static void descriptor_limit(void)
{
	struct rlimit most;

	getrlimit(RLIMIT_NOFILE, &most);
	most.rlim_cur = most.rlim_max;
	setrlimit(RLIMIT_NOFILE, &most);
}

static int one_of(const char *what)
{
	int pair[2];

	if (!strcmp(what, "pipes"))
		return pipe2(pair, O_NONBLOCK) || write(pair[1], block, sizeof(block)) < 0 ? -1 : 0;
	if (!strcmp(what, "sockets"))
		return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) || write(pair[0], block, sizeof(block)) < 0 ? -1 : 0;
	if (!strcmp(what, "files"))
		return open("/proc/self/exe", O_RDONLY);
	if (!strcmp(what, "terminals"))
		return open("/dev/ptmx", O_RDWR);
	if (!strcmp(what, "watches"))
		return inotify_init1(0);
	if (!strcmp(what, "clocks"))
		return timerfd_create(CLOCK_MONOTONIC, 0);
	if (!strcmp(what, "sets")) {
		struct epoll_event wanted = { .events = EPOLLIN };
		static int set = -1;
		int file = eventfd(0, 0);

		if (set < 0)
			set = epoll_create1(0);
		return file < 0 ? -1 : epoll_ctl(set, EPOLL_CTL_ADD, file, &wanted);
	}
	if (!strcmp(what, "events")) {
		int attributes[32] = { 0, 128 };

		return syscall(SYS_perf_event_open, attributes, 0, -1, -1, 0);
	}
	errno = EINVAL;
	return -1;
}

static void *asleep(void *nothing)
{
	pause();
	return nothing;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char path[64];
	long n = 0;
	int file;

	memset(block, 1, sizeof(block));
	if (!strcmp(what, "forks") || !strcmp(what, "zombies")) {
		for (pid_t child; (child = fork()) >= 0; n++)
			if (!child)
				*what == 'f' ? pause() : 0, _exit(0);
		return stop(what, n);
	}
	if (!strcmp(what, "spaces")) {
		/* What an IPC namespace has goes with it: of 200 MB no more than 20 KB are there at a time. */
		static struct { long type; char text[8000]; } message = { 1, "" };
		for (; n < 10000; n++) {
			int queue, one = unshare(CLONE_NEWIPC), set = semget(IPC_PRIVATE, 250, 0600);

			queue = msgget(IPC_PRIVATE, 0600);
			if (one || set < 0 || queue < 0 || msgsnd(queue, &message, 8000, 0) || msgsnd(queue, &message, 8000, 0))
				return stop(what, n);
		}
		return 0;
	}
	if (!strcmp(what, "threads")) {
		pthread_attr_t small;
		pthread_t thread;

		pthread_attr_init(&small);
		pthread_attr_setstacksize(&small, 16384);
		while (!(errno = pthread_create(&thread, &small, asleep, NULL)))
			n++;
		return stop(what, n);
	}
	if (!strcmp(what, "paths")) {
		for (; snprintf(path, sizeof(path), "/tmp/a-file-with-a-name-of-its-own-%ld", n), (file = creat(path, 0600)) >= 0; n++)
			close(file);
		return stop(what, n);
	}
	if (!strcmp(what, "timers")) {
		struct sigevent event = { .sigev_notify = SIGEV_NONE };
		timer_t timer;

		while (!timer_create(CLOCK_MONOTONIC, &event, &timer))
			n++;
		return stop(what, n);
	}
	if (!strcmp(what, "signals")) {
		union sigval value = { 0 };
		sigset_t all;

		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
		while (!sigqueue(getpid(), SIGRTMIN, value))
			n++;
		return stop(what, n);
	}
	if (!strcmp(what, "changes")) {
		/* More than an inotify queue takes: the rest is one event. */
		file = inotify_init1(IN_NONBLOCK);
		inotify_add_watch(file, "/tmp", IN_ALL_EVENTS);
		for (; n < 100000; n++)
			close(creat(n & 1 ? "/tmp/a" : "/tmp/b", 0600));
		for (n = 0; (file = inotify_init1(0)) >= 0; n++)
			;
		return stop(what, n);
	}
	if (!strcmp(what, "messages")) {
		struct { long type; char text[8000]; } message = { 1, "" };

		for (int queue; (queue = msgget(IPC_PRIVATE, 0600 | IPC_CREAT)) >= 0; n++)
			while (!msgsnd(queue, &message, sizeof(message.text), IPC_NOWAIT))
				;
		return stop(what, n);
	}
	if (!strcmp(what, "typed")) {
		/* Nobody reads what is typed, and no line ends. */
		for (file = open("/dev/ptmx", O_RDWR | O_NONBLOCK | O_NOCTTY); n < 4000 && write(file, block, sizeof(block)) > 0; n++)
			;
		return n == 4000 ? 0 : stop(what, n);
	}
	if (!strcmp(what, "sleep")) {
		/* Until the end of time: the clocks have far to go. */
		struct timespec forever = { INT64_MAX, 999999999 };

		return nanosleep(&forever, NULL) ? stop(what, n) : 0;
	}
	descriptor_limit();
	for (errno = 0; one_of(what) >= 0; n++)
		;
	return stop(what, n);
}
