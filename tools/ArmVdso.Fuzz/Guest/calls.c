/* SPDX-License-Identifier: MIT */
/* Sequences of system calls, of several threads at a time: a sequence keeps near one number half of the time, so that what one call has
 * made the next one finds. */
#include "fuzz.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#define CALLS 12
#define SEQUENCES 8
#define LAST 470

static void open_things(void)
{
	int pair[2];
	open("/tmp/fuzz", O_RDWR | O_CREAT, 0644);
	open("/tmp", O_RDONLY | O_DIRECTORY);
	if (pipe(pair) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair))
		_exit(9);
	socket(AF_INET, SOCK_STREAM, 0);
	socket(AF_INET, SOCK_DGRAM, 0);
	socket(AF_NETLINK, SOCK_RAW, 0);
	epoll_create1(0);
	eventfd(3, 0);
	timerfd_create(CLOCK_MONOTONIC, 0);
	inotify_init1(IN_NONBLOCK);
	memfd_create("m", MFD_ALLOW_SEALING);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	signalfd(-1, &set, 0);
	open("/proc/self/maps", O_RDONLY);
	open("/dev/ptmx", O_RDWR | O_NOCTTY);
	open("/dev/zero", O_RDWR);
	open("/proc/self/fd", O_RDONLY);
	open("/proc/self/mem", O_RDWR);
	open("/tmp/fuzz", O_PATH);
	open("/mnt/file", O_RDWR);
	open("/mnt", O_RDONLY | O_DIRECTORY);
	open("/dev/loop0", O_RDWR);
	syscall(SYS_userfaultfd, O_NONBLOCK);
	syscall(SYS_pidfd_open, getpid(), 0);
}

static const short common[] = {
	SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk, SYS_dup3, SYS_close, SYS_read, SYS_write, SYS_futex, SYS_fcntl,
	SYS_ioctl, SYS_openat, SYS_splice, SYS_epoll_ctl, SYS_ppoll, SYS_sendmsg, SYS_recvmsg, SYS_mount, SYS_setsockopt, SYS_clone,
	SYS_ptrace, SYS_rt_sigaction, SYS_wait4, SYS_unshare, SYS_tgkill, SYS_tkill, SYS_execve, SYS_exit,
};

static long pick(long focus)
{
	uint64_t r = next();
	switch (r & 7) {
	case 0: case 1: case 2: case 3: {
		long near = focus + (long)(r >> 8 & 7) - 3;
		return near < 0 ? 0 : near;
	}
	case 4: return common[(r >> 8) % (sizeof(common) / sizeof(*common))];
	default: return (r >> 8) % (LAST + 1);
	}
}

/* Ends what called it, as it should: rarely, so that sequences have an end of their own. */
static int is_the_end(long number)
{
	return number == SYS_exit || number == SYS_exit_group || number == SYS_rt_sigreturn || number == SYS_reboot;
}

static void nothing(int signal)
{
	(void)signal;
}

/* A call that sleeps is interrupted, as long as the calls leave the timer alone. */
static void wake_me(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM };
	event._sigev_un._tid = syscall(SYS_gettid);
	struct itimerspec each = { { 0, 300000 }, { 0, 300000 } };
	timer_t timer;
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
		timer_settime(timer, 0, &each, 0);
}

static void sequence(void)
{
	long focus = next() % (LAST + 1);
	int copies = 0;
	for (int i = 0; i < CALLS; i++) {
		for (int k = next() & 31; k < 1024; k += 1 + (next() & 127))
			((uint64_t *)page)[k] = next() & 3 ? argument() : next() & 255;
		long number = pick(focus);
		if (is_the_end(number) && (next() & 31))
			continue;
		uint64_t a = argument(), b = argument(), c = argument(), d = argument(), e = argument(), f = argument();
		long result = syscall(number, a, b, c, d, e, f);
		__atomic_add_fetch(&counts->calls, 1, __ATOMIC_RELAXED);
		/* A copy goes on to the end of the sequence; copies of it do not. */
		if (result == 0 && (number == SYS_clone || number == SYS_clone3) && copies++)
			_exit(0);
	}
	if (copies)
		_exit(0);
}

static void *sequences(void *seed)
{
	state = (uint64_t)seed;
	wake_me();
	for (int i = 0; i < SEQUENCES; i++) {
		__atomic_add_fetch(&counts->cases, 1, __ATOMIC_RELAXED);
		sequence();
	}
	return 0;
}

void fuzz_calls(void)
{
	struct sigaction action = { .sa_handler = nothing };
	sigaction(SIGALRM, &action, 0);
	if (next() % 3 == 0)
		with_disk();
	open_things();
	if (next() & 1)
		no_more_rights();
	struct rlimit limit = { 64, 64 };
	setrlimit(RLIMIT_NOFILE, &limit);
	int threads = 1 + next() % most_threads;
	pthread_t others[8];
	for (int i = 1; i < threads; i++) {
		if (pthread_create(&others[i], 0, sequences, (void *)next()))
			threads = i;
	}
	sequences((void *)next());
	for (int i = 1; i < threads; i++)
		pthread_join(others[i], 0);
}
