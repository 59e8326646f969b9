// SPDX-License-Identifier: MIT
/* What splice, sendfile and tee say of each pair of kinds of descriptors: a line a source, for each destination three letters (bytes, or
 * i EINVAL, b EBADF, a EAGAIN, n ENOTCONN, p EPIPE, d EDESTADDRREQ). As root. native/splices.out is what Linux says. */
#include "guest.h"
#include <fcntl.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static int other;

static int file(int flags)
{
	int fd = open("/tmp/splices", flags | O_CREAT | O_TRUNC, 0600);

	if (flags != O_WRONLY && write(fd, "abcdefghij", 10) == 10)
		lseek(fd, 0, SEEK_SET);
	unlink("/tmp/splices");
	return fd;
}

static int piped(int end)
{
	int p[2];

	if (pipe2(p, O_NONBLOCK))
		return -1;
	other = p[!end];
	if (!end && write(p[1], "0123", 4) != 4)
		return -1;
	return p[end];
}

static int paired(int kind)
{
	int p[2];

	if (socketpair(AF_UNIX, kind | SOCK_NONBLOCK, 0, p))
		return -1;
	other = p[1];
	return write(p[1], "wxyz", 4) == 4 ? p[0] : -1;
}

static int signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	return signalfd(-1, &none, 0);
}

static int memory(void)
{
	int fd = memfd_create("splices", 0);

	if (write(fd, "abcdefghij", 10) != 10)
		return -1;
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int counter(void)
{
	struct perf_event_attr a = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(a), .config = PERF_COUNT_SW_CPU_CLOCK, .disabled = 1,
		.exclude_kernel = 1 };

	return syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);
}

static const char *const names[] = { "file", "append", "writeonly", "memfd", "directory", "O_PATH", "null", "zero", "full", "urandom",
	"ptmx", "maps", "status", "cmdline", "mem", "mounts", "version", "uptime", "sysctl", "sysfs", "pipe", "pipe's end", "unix",
	"unix pair", "unix datagrams", "tcp", "udp", "epoll", "eventfd", "signalfd", "timerfd", "pidfd", "inotify", "fanotify",
	"userfaultfd", "mqueue", "fsopen", "perf" };
enum { KINDS = sizeof(names) / sizeof(names[0]) };

static int make(int kind)
{
	other = -1;
	switch (kind) {
	case 0: return file(O_RDWR);
	case 1: return file(O_RDWR | O_APPEND);
	case 2: return file(O_WRONLY);
	case 3: return memory();
	case 4: return open("/tmp", O_RDONLY);
	case 5: return open("/tmp", O_PATH);
	case 6: return open("/dev/null", O_RDWR);
	case 7: return open("/dev/zero", O_RDWR);
	case 8: return open("/dev/full", O_RDWR);
	case 9: return open("/dev/urandom", O_RDWR);
	case 10: return open("/dev/ptmx", O_RDWR | O_NONBLOCK | O_NOCTTY);
	case 11: return open("/proc/self/maps", O_RDONLY);
	case 12: return open("/proc/self/status", O_RDONLY);
	case 13: return open("/proc/self/cmdline", O_RDONLY);
	case 14: return open("/proc/self/mem", O_RDWR);
	case 15: return open("/proc/self/mounts", O_RDONLY);
	case 16: return open("/proc/version", O_RDONLY);
	case 17: return open("/proc/uptime", O_RDONLY);
	case 18: return open("/proc/sys/kernel/ostype", O_RDONLY);
	case 19: return open("/sys/devices/system/cpu/online", O_RDONLY);
	case 20: return piped(0);
	case 21: return piped(1);
	case 22: return socket(AF_UNIX, SOCK_STREAM, 0);
	case 23: return paired(SOCK_STREAM);
	case 24: return paired(SOCK_DGRAM);
	case 25: return socket(AF_INET, SOCK_STREAM, 0);
	case 26: return socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	case 27: return epoll_create1(0);
	case 28: return eventfd(1, 0);
	case 29: return signals();
	case 30: return timerfd_create(CLOCK_MONOTONIC, 0);
	case 31: return syscall(SYS_pidfd_open, getpid(), 0);
	case 32: return inotify_init1(0);
	case 33: return fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);
	case 34: return syscall(SYS_userfaultfd, 0);
	case 35: return syscall(SYS_mq_open, "splices", O_RDWR | O_CREAT | O_NONBLOCK, 0600, NULL);
	case 36: return syscall(430 /* fsopen */, "tmpfs", 0);
	default: return counter();
	}
}

static char letter(int how, int from, int to)
{
	int in = make(from), in_other = other, out = make(to), out_other = other;
	long result = in < 0 || out < 0 ? -1 : how == 0 ? splice(in, NULL, out, NULL, 3, SPLICE_F_NONBLOCK)
		: how == 1 ? sendfile(out, in, NULL, 3) : tee(in, out, 3, SPLICE_F_NONBLOCK);
	int error = in < 0 || out < 0 ? 0 : errno;

	close(in);
	close(out);
	close(in_other);
	close(out_other);
	if (result >= 0)
		return '0' + result;
	switch (error) {
	case EINVAL: return 'i';
	case EBADF: return 'b';
	case EAGAIN: return 'a';
	case ENOTCONN: return 'n';
	case EPIPE: return 'p';
	case EDESTADDRREQ: return 'd';
	default: return '?';
	}
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	for (int from = 0; from < KINDS; from++) {
		printf("%s:", names[from]);
		for (int to = 0; to < KINDS; to++)
			printf(" %c%c%c", letter(0, from, to), letter(1, from, to), letter(2, from, to));
		printf("\n");
	}
	syscall(SYS_mq_unlink, "splices");
	return 0;
}
