// SPDX-License-Identifier: MIT
/* Pipes hold pages, not bytes: capacity, readiness, packets, splice, vmsplice, tee; FIFO rules are for FIFOs. */
#include "guest.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define READS (POLLIN | POLLRDNORM)
#define WRITES (POLLOUT | POLLWRNORM)

static char bytes[131072] __attribute__((aligned(4096)));

static void ignore(int number)
{
	(void)number;
}

static int ready(int file)
{
	struct pollfd p = { .fd = file, .events = READS | WRITES };

	poll(&p, 1, 0);
	return p.revents;
}

static void capacity(void)
{
	int p[2], q = 0;

	CHECK("a pipe", !pipe2(p, O_NONBLOCK) && fcntl(p[0], F_GETPIPE_SZ) == 65536);
	CHECK("takes 16 pages", write(p[1], bytes, 70000) == 65536);
	FAILS("and no more", EAGAIN, write(p[1], bytes, 1));
	CHECK("it is ready for reading alone", ready(p[0]) == READS && ready(p[1]) == 0);
	CHECK("4000 bytes read", read(p[0], bytes, 4000) == 4000);
	FAILS("are not a free page", EAGAIN, write(p[1], bytes, 4000));
	CHECK("the rest of the page is", read(p[0], bytes, 96) == 96 && write(p[1], bytes, 4096) == 4096);
	CHECK("FIONREAD", !ioctl(p[0], FIONREAD, &q) && q == 65536);
	FAILS("made smaller than its contents", EBUSY, fcntl(p[0], F_SETPIPE_SZ, 4096));
	while (read(p[0], bytes, sizeof(bytes)) > 0)
		;
	CHECK("a size is rounded to pages and powers of two", fcntl(p[0], F_SETPIPE_SZ, 5000) == 8192);
	CHECK("an empty one is ready for writing", ready(p[0]) == 0 && ready(p[1]) == WRITES);
	CHECK("single bytes share a page", write(p[1], "a", 1) == 1 && write(p[1], "b", 1) == 1 && read(p[0], bytes, 9) == 2);
	close(p[1]);
	CHECK("the end is a hang-up", ready(p[0]) == POLLHUP && read(p[0], bytes, 1) == 0);
	close(p[0]);
	CHECK("packets", !pipe2(p, O_DIRECT) && write(p[1], bytes, 10) == 10 && write(p[1], bytes, 20) == 20);
	CHECK("are read one by one", read(p[0], bytes, 100) == 10);
	CHECK("and what does not fit is lost", read(p[0], bytes, 5) == 5 && !ioctl(p[0], FIONREAD, &q) && q == 0);
	close(p[0]);
	CHECK("nobody to read", ready(p[1]) == (WRITES | POLLERR));
	FAILS("is an error", EPIPE, write(p[1], bytes, 1));
	close(p[1]);
}

static void interrupted(void)
{
	struct sigaction action = { .sa_handler = ignore };
	struct itimerval timer = { .it_value = { .tv_usec = 3000 } };
	int p[2];

	CHECK("another pipe", !pipe(p));
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	CHECK("a write that a signal ends tells how far it came", write(p[1], bytes, 70000) == 65536);
	close(p[0]);
	close(p[1]);
}

static void moving(void)
{
	struct iovec part = { bytes, sizeof(bytes) };
	int p[2], q[2], file = memfd_create("file", 0), count;
	loff_t at = 0;

	CHECK("two pipes", !pipe(p) && !pipe(q) && !ftruncate(file, 10000));
	CHECK("vmsplice gives what fits", vmsplice(p[1], &part, 1, 0) == 65536);
	FAILS("vmsplice into a full pipe", EAGAIN, vmsplice(p[1], &part, 1, SPLICE_F_NONBLOCK));
	CHECK("splice into a file", splice(p[0], NULL, file, &at, 65536, 0) == 65536 && at == 65536);
	part.iov_len = 100;
	for (count = 0; count < 20 && vmsplice(p[1], &part, 1, SPLICE_F_NONBLOCK) == 100; count++)
		;
	CHECK("each part takes a page of the pipe", count == 16);
	CHECK("tee doubles them", tee(p[0], q[1], 1600, 0) == 1600 && !ioctl(p[0], FIONREAD, &count) && count == 1600);
	FAILS("tee into a full pipe", EAGAIN, tee(p[0], q[1], 100, SPLICE_F_NONBLOCK));
	CHECK("splice takes one of them", read(q[0], bytes, 100) == 100 && splice(p[0], NULL, q[1], NULL, 250, 0) == 100);
	FAILS("splice between files", EINVAL, splice(file, NULL, file, NULL, 10, 0));
	FAILS("splice into itself", EINVAL, splice(p[0], NULL, p[1], NULL, 10, 0));
	FAILS("an offset of a pipe", ESPIPE, splice(p[0], &at, file, NULL, 10, 0));
	FAILS("tee of a file", EINVAL, tee(file, q[1], 10, 0));
	FAILS("unknown flags", EINVAL, splice(p[0], NULL, file, NULL, 10, 16));
	close(p[0]);
	close(p[1]);
	close(q[0]);
	close(q[1]);
	close(file);
}

static void names(void)
{
	char path[64];
	int p[2], file;
	pid_t child;

	CHECK("a pipe whose writer is gone", !pipe(p) && write(p[1], "hi", 2) == 2 && !close(p[1]));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
	file = open(path, O_RDONLY);
	CHECK("opens again at once", file >= 0 && read(file, bytes, 9) == 2);
	close(file);
	unlink("/tmp/pipes-fifo");
	CHECK("a FIFO", !mkfifo("/tmp/pipes-fifo", 0600));
	FAILS("a writer without reader", ENXIO, open("/tmp/pipes-fifo", O_WRONLY | O_NONBLOCK));
	file = open("/tmp/pipes-fifo", O_RDONLY | O_NONBLOCK);
	CHECK("no hang-up before the first writer", ready(file) == 0);
	close(open("/tmp/pipes-fifo", O_WRONLY));
	CHECK("one after it", ready(file) == POLLHUP);
	close(file);
	child = fork();
	if (!child) {
		usleep(5000);
		file = open("/tmp/pipes-fifo", O_WRONLY);
		_exit(write(file, "z", 1) != 1);
	}
	file = open("/tmp/pipes-fifo", O_RDONLY);
	CHECK("an open waits for the writer", read(file, bytes, 4) == 1 && waitpid(child, NULL, 0) == child);
	unlink("/tmp/pipes-fifo");
}

static void counters(void)
{
	int event = eventfd(0, EFD_NONBLOCK);
	uint64_t value = 1;

	FAILS("an event of 4 bytes", EINVAL, write(event, &value, 4));
	value = -1;
	FAILS("an event of all ones", EINVAL, write(event, &value, 8));
	value = -2;
	CHECK("the largest", write(event, &value, 8) == 8);
	value = 1;
	FAILS("one more", EAGAIN, write(event, &value, 8));
	CHECK("it is ready for reading alone", ready(event) == POLLIN);
	FAILS("a read of 7 bytes", EINVAL, read(event, bytes, 7));
	close(event);
}

static void numbers(void)
{
	int before = dup(0), after;

	close(before);
	FAILS("a bad pointer for a pipe", EFAULT, syscall(SYS_pipe2, (void *)8, 0));
	FAILS("flags that pipes do not have", EINVAL, syscall(SYS_pipe2, bytes, 0x10));
	after = dup(0);
	CHECK("leaves no descriptor behind", after == before);
	close(after);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	numbers();
	capacity();
	interrupted();
	moving();
	names();
	counters();
	return guest_done("pipes");
}
