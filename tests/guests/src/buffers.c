// SPDX-License-Identifier: MIT
/* What sockets have room for (socket(7), unix(7)), whom a message queue tells, and the times of a mapped file. */
#include "guest.h"
#include <fcntl.h>
#include <linux/sockios.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { USUAL = 212992 };
static char bytes[USUAL];

static int size(int fd, int option)
{
	int value = -1;
	socklen_t length = sizeof value;

	getsockopt(fd, SOL_SOCKET, option, &value, &length);
	return value;
}

static int set(int fd, int option, int value)
{
	setsockopt(fd, SOL_SOCKET, option, &value, sizeof value);
	return size(fd, option);
}

static int writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0);
}

static int queued(int fd)
{
	int value = -1;

	ioctl(fd, SIOCOUTQ, &value);
	return value;
}

static void sizes(void)
{
	FILE *f = fopen("/proc/sys/net/core/wmem_max", "r");
	int s[2], most = 0;

	fscanf(f, "%d", &most);
	fclose(f);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
	CHECK("usual sizes", size(s[0], SO_SNDBUF) == USUAL && size(s[0], SO_RCVBUF) == USUAL);
	CHECK("doubled", set(s[0], SO_SNDBUF, 10000) == 20000 && set(s[0], SO_RCVBUF, 10000) == 20000);
	CHECK("least", set(s[0], SO_SNDBUF, 0) == 4608 && set(s[0], SO_RCVBUF, 0) == 2304);
	CHECK("a negative one is a large one", set(s[0], SO_SNDBUF, -1) == 2 * most);
	close(s[0]);
	close(s[1]);
}

static void datagrams(void)
{
	int s[2], n = 0;

	socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s);
	CHECK("a large message", write(s[0], bytes, USUAL / 2) == USUAL / 2);
	CHECK("counted by its buffers", queued(s[0]) > USUAL / 2 && queued(s[0]) < USUAL);
	CHECK("not ready", !writable(s[0]) && writable(s[1]));
	CHECK("and a second one", write(s[0], bytes, USUAL / 2) == USUAL / 2);
	CHECK("no third", write(s[0], "x", 1) < 0 && errno == EAGAIN);
	CHECK("the other way", write(s[1], "x", 1) == 1);
	CHECK("one is read", read(s[1], bytes, sizeof bytes) == USUAL / 2 && !writable(s[0]) && write(s[0], "x", 1) == 1);
	CHECK("all are", read(s[1], bytes, sizeof bytes) == USUAL / 2 && read(s[1], bytes, 9) == 1 && writable(s[0]) && !queued(s[0]));
	CHECK("too large", write(s[0], bytes, USUAL - 31) < 0 && errno == EMSGSIZE);
	set(s[0], SO_SNDBUF, 0);
	while (write(s[0], "x", 1) == 1)
		n++;
	CHECK("small ones take buffers, too", n == 6 && queued(s[0]) == 6 * 768);
	close(s[0]);
	close(s[1]);
}

static void streams(void)
{
	int s[2];
	long n, sum = 0;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
	while ((n = write(s[0], bytes, sizeof bytes)) > 0)
		sum += n;
	CHECK("a stream's room", sum > 200000 && sum < 240000 && errno == EAGAIN);
	n = read(s[1], bytes, 60000);
	CHECK("a little less is not enough", n == 60000 && !writable(s[0]));
	while ((n = read(s[1], bytes, sizeof bytes)) > 0)
		sum -= n;
	CHECK("empty again", sum == 60000 && writable(s[0]) && !queued(s[0]));
	sum = 0;
	while (write(s[0], "x", 1) == 1)
		sum++;
	CHECK("bytes one by one", sum == 278);
	close(s[0]);
	close(s[1]);
}

static void queues(void)
{
	struct mq_attr attr = { .mq_maxmsg = 4, .mq_msgsize = 8 };
	struct sigevent tell = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	char name[32], text[100] = "";
	int status;
	mqd_t q, other;

	signal(SIGUSR1, SIG_IGN);
	snprintf(name, sizeof name, "/buffers-%d", getpid());
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	other = mq_open(name, O_RDWR);
	CHECK("told", !mq_notify(q, &tell));
	if (!fork()) {
		int fd = mq_open(name, O_RDWR);

		// A child's descriptor is another process's.
		_exit(close(q) || mq_notify(fd, &tell) >= 0 || errno != EBUSY || mq_notify(fd, 0));
	}
	wait(&status);
	CHECK("one process at a time", WIFEXITED(status) && !WEXITSTATUS(status) && mq_notify(other, &tell) < 0 && errno == EBUSY);
	read(q, text, sizeof text - 1);
	CHECK("who is told", strstr(text, "NOTIFY:0     SIGNO:10    NOTIFY_PID:"));
	mq_close(other);
	CHECK("any of its descriptors ends it", !mq_notify(q, &tell) && !mq_notify(q, 0) && !mq_notify(q, &tell));
	mq_close(q);
	q = mq_open(name, O_RDWR);
	tell.sigev_signo = 0;
	CHECK("no signal is one, too", !mq_notify(q, &tell) && !mq_send(q, "x", 1, 0) && !mq_notify(q, &tell));
	mq_close(q);
	mq_unlink(name);
}

static long long ns(struct timespec t)
{
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void mapped(void)
{
	struct stat a, b, c, d;
	char name[32];
	volatile char *p;
	int fd;

	snprintf(name, sizeof name, "buffers-%d", getpid());
	fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	write(fd, bytes, 8192);
	fstat(fd, &a);
	usleep(20000);
	p = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	fstat(fd, &b);
	CHECK("a mapping reads the file", ns(b.st_atim) > ns(a.st_atim) && ns(b.st_mtim) == ns(a.st_mtim));
	usleep(20000);
	(void)p[0];
	fstat(fd, &c);
	CHECK("reading a page does not change it", ns(c.st_mtim) == ns(b.st_mtim));
	p[0] = 1;
	fstat(fd, &d);
	CHECK("writing does", ns(d.st_mtim) > ns(c.st_mtim) && ns(d.st_ctim) > ns(c.st_ctim));
	usleep(20000);
	p[4096] = 1;
	fstat(fd, &a);
	CHECK("each page is heard of", ns(a.st_mtim) > ns(d.st_mtim));
	CHECK("no user's address", mlock((void *)0x7ffffffffffff000, 8) < 0 && errno == ENOMEM);
	unlink(name);
}

int main(void)
{
	sizes();
	datagrams();
	streams();
	queues();
	mapped();
	return guest_done("buffers");
}
