// SPDX-License-Identifier: MIT
/* Pages that another thread provides: userfaultfd; as root. */
#include "guest.h"
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PAGE 4096UL
#ifndef UFFDIO_POISON
#define UFFDIO_POISON _IOWR(UFFDIO, 0x08, struct uffdio_poison)
struct uffdio_poison { struct uffdio_range range; __u64 mode; __s64 updated; };
#endif
#ifndef UFFDIO_MOVE
#define UFFDIO_MOVE _IOWR(UFFDIO, 0x05, struct uffdio_move)
struct uffdio_move { __u64 dst, src, len, mode; __s64 move; };
#endif

static char *area, *source;
static int uffd, served;
static struct uffd_msg last, later;
static volatile int heard, refused;

static int open_with(unsigned long long features, int flags)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };

	uffd = syscall(SYS_userfaultfd, flags);
	return uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ? -1 : 0;
}

static int enlist(char *at, unsigned long length, int mode)
{
	struct uffdio_register r = { .range = { (unsigned long)at, length }, .mode = mode };

	return ioctl(uffd, UFFDIO_REGISTER, &r);
}

static int copy(char *to, unsigned long length, int mode)
{
	struct uffdio_copy c = { .dst = (unsigned long)to, .src = (unsigned long)source, .len = length, .mode = mode };

	return ioctl(uffd, UFFDIO_COPY, &c);
}

/* Answers one fault. */
static void *serve(void *how)
{
	struct pollfd p = { uffd, POLLIN, 0 };
	struct uffdio_zeropage z;
	struct uffdio_writeprotect w;
	struct uffdio_move m;
	struct uffdio_continue g;
	char *at;

	if (poll(&p, 1, 5000) != 1 || read(uffd, &last, sizeof(last)) != sizeof(last))
		return NULL;
	served++;
	at = (char *)(last.arg.pagefault.address & ~(PAGE - 1));
	switch (*(const char *)how) {
	case 'c':
		copy(at, PAGE, 0);
		break;
	case 'w':
		copy(at, PAGE, UFFDIO_COPY_MODE_DONTWAKE);
		usleep(1000);
		z.range = (struct uffdio_range){ (unsigned long)at, PAGE };
		ioctl(uffd, UFFDIO_WAKE, &z.range);
		break;
	case 'z':
		z = (struct uffdio_zeropage){ .range = { (unsigned long)at, PAGE } };
		ioctl(uffd, UFFDIO_ZEROPAGE, &z);
		break;
	case 'p':
		w = (struct uffdio_writeprotect){ .range = { (unsigned long)at, PAGE } };
		ioctl(uffd, UFFDIO_WRITEPROTECT, &w);
		break;
	case 'g':
		g = (struct uffdio_continue){ .range = { (unsigned long)at, PAGE } };
		ioctl(uffd, UFFDIO_CONTINUE, &g);
		break;
	case 'm':
		m = (struct uffdio_move){ .dst = (unsigned long)at, .src = (unsigned long)source + PAGE, .len = PAGE };
		ioctl(uffd, UFFDIO_MOVE, &m);
		break;
	}
	return NULL;
}

static pthread_t server;

static void begin(const char *how)
{
	pthread_create(&server, NULL, serve, (void *)how);
}

static void end(void)
{
	pthread_join(server, NULL);
}

static sigjmp_buf back;
static volatile int got_signal, got_code;

static void handler(int number, siginfo_t *info, void *context)
{
	(void)context;
	got_signal = number;
	got_code = info->si_code;
	siglongjmp(back, 1);
}

static int touch(volatile char *at)
{
	got_signal = got_code = 0;
	if (sigsetjmp(back, 1))
		return -1;
	return *at;
}

static char *fresh(unsigned long length, int flags)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
}

static void rules(void)
{
	struct uffdio_api api = { .api = 0 };
	struct pollfd p;
	struct uffdio_range range = { 0 };
	char *other = fresh(PAGE, MAP_PRIVATE);
	int second;

	FAILS("flags that there are not", EINVAL, syscall(SYS_userfaultfd, 2));
	uffd = syscall(SYS_userfaultfd, O_NONBLOCK);
	p = (struct pollfd){ uffd, POLLIN, 0 };
	CHECK("before the handshake", poll(&p, 1, 0) == 1 && p.revents == POLLERR
		&& read(uffd, &last, sizeof(last)) == -1 && errno == EINVAL);
	FAILS("nothing goes before it", EINVAL, enlist(area, PAGE, UFFDIO_REGISTER_MODE_MISSING));
	CHECK("another version", ioctl(uffd, UFFDIO_API, &api) == -1 && errno == EINVAL && api.ioctls == 0);
	api = (struct uffdio_api){ .api = UFFD_API, .features = 1ULL << 63 };
	FAILS("features that there are not", EINVAL, ioctl(uffd, UFFDIO_API, &api));
	api = (struct uffdio_api){ .api = UFFD_API };
	CHECK("handshake", ioctl(uffd, UFFDIO_API, &api) == 0
		&& api.ioctls == (1ULL << _UFFDIO_API | 1 << _UFFDIO_REGISTER | 1 << _UFFDIO_UNREGISTER)
		&& (api.features & UFFD_FEATURE_THREAD_ID));
	FAILS("once", EINVAL, ioctl(uffd, UFFDIO_API, &api));
	CHECK("nothing to read", poll(&p, 1, 0) == 0 && read(uffd, &last, sizeof(last)) == -1 && errno == EAGAIN);
	FAILS("too short a read", EINVAL, read(uffd, &last, 8));
	FAILS("no mode", EINVAL, enlist(area, PAGE, 0));
	FAILS("not a whole page", EINVAL, enlist(area + 1, PAGE, UFFDIO_REGISTER_MODE_MISSING));
	FAILS("nothing mapped", EINVAL, (munmap(other, PAGE), enlist(other, PAGE, UFFDIO_REGISTER_MODE_MISSING)));
	CHECK("registered", enlist(area, PAGE, UFFDIO_REGISTER_MODE_MISSING) == 0);
	second = uffd;
	CHECK("another", open_with(0, O_NONBLOCK) == 0);
	FAILS("it is taken", EBUSY, enlist(area, PAGE, UFFDIO_REGISTER_MODE_MISSING));
	FAILS("not its own", ENOENT, copy(source, PAGE, 0));
	close(uffd);
	uffd = second;
	CHECK("filled ahead", copy(area, PAGE, 0) == 0 && area[5] == 'S');
	FAILS("it is there", EEXIST, copy(area, PAGE, 0));
	FAILS("beyond the mapping", ENOENT, copy(area, 64 * PAGE, 0));
	FAILS("no range", EINVAL, ioctl(uffd, UFFDIO_WAKE, &range));
	close(uffd);
}

static void faults(void)
{
	int pipes[2], status;
	struct uffdio_range range = { (unsigned long)area, 16 * PAGE };
	char bytes[64];

	madvise(area, 16 * PAGE, MADV_DONTNEED);
	if (open_with(UFFD_FEATURE_THREAD_ID, O_NONBLOCK) || enlist(area, 16 * PAGE, UFFDIO_REGISTER_MODE_MISSING) || pipe(pipes))
		exit(2);
	begin("c");
	CHECK("a read waits for the page", area[7] == 'S');
	end();
	CHECK("and is told", served == 1 && last.event == UFFD_EVENT_PAGEFAULT && last.arg.pagefault.flags == 0
		&& last.arg.pagefault.address == (unsigned long)area && last.arg.pagefault.feat.ptid == (unsigned)gettid());
	begin("w");
	area[PAGE + 3] = 'x';
	end();
	CHECK("a write", last.arg.pagefault.flags == UFFD_PAGEFAULT_FLAG_WRITE && area[PAGE] == 'S' && area[PAGE + 3] == 'x');
	begin("z");
	CHECK("zeros", area[2 * PAGE] == 0);
	end();
	begin("c");
	CHECK("a system call waits", write(pipes[1], area + 3 * PAGE, 10) == 10 && read(pipes[0], bytes, 10) == 10 && bytes[9] == 'S');
	end();
	begin("z");
	CHECK("one that writes", write(pipes[1], "0123456789", 10) == 10 && read(pipes[0], area + 4 * PAGE + 8, 10) > 0
		&& area[4 * PAGE + 8] == '0' && area[4 * PAGE] == 0);
	end();
	CHECK("five faults", served == 5);
	if (fork() == 0)
		_exit(area[9 * PAGE] == 0 && served == 5 ? 3 : 4);
	wait(&status);
	CHECK("a child is not registered", WEXITSTATUS(status) == 3);
	CHECK("nobody is any more", ioctl(uffd, UFFDIO_UNREGISTER, &range) == 0 && area[10 * PAGE] == 0);
	close(uffd);
	close(pipes[0]);
	close(pipes[1]);
}

static void other_ways(void)
{
	struct uffdio_writeprotect w = { .range = { (unsigned long)area, PAGE }, .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	struct uffdio_poison bad = { .range = { (unsigned long)area + 4 * PAGE, PAGE } };
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	char *shared = fresh(4 * PAGE, MAP_SHARED);

	sigaction(SIGBUS, &action, NULL);
	madvise(area, 16 * PAGE, MADV_DONTNEED);
	memset(area, 'a', PAGE);
	served = 0;
	if (open_with(0, O_NONBLOCK))
		exit(2);
	CHECK("writes can be told", enlist(area, PAGE, UFFDIO_REGISTER_MODE_WP) == 0 && ioctl(uffd, UFFDIO_WRITEPROTECT, &w) == 0);
	CHECK("reads are not", area[0] == 'a' && served == 0);
	begin("p");
	area[1] = 'b';
	end();
	CHECK("a write is", served == 1
		&& last.arg.pagefault.flags == (UFFD_PAGEFAULT_FLAG_WRITE | UFFD_PAGEFAULT_FLAG_WP) && area[1] == 'b');
	area[2] = 'c';
	CHECK("once", served == 1);
	w.range.start += 2 * PAGE;
	FAILS("what is not registered", ENOENT, ioctl(uffd, UFFDIO_WRITEPROTECT, &w));

	enlist(area + 2 * PAGE, 4 * PAGE, UFFDIO_REGISTER_MODE_MISSING);
	memset(source + PAGE, 'M', PAGE);
	begin("m");
	CHECK("a page that is moved", area[2 * PAGE] == 'M');
	end();
	CHECK("is gone where it was", source[PAGE] == 0);
	CHECK("a poisoned page", ioctl(uffd, UFFDIO_POISON, &bad) == 0 && touch(area + 4 * PAGE) == -1
		&& got_signal == SIGBUS && got_code == BUS_MCEERR_AR);
	madvise(area + 4 * PAGE, PAGE, MADV_DONTNEED);
	begin("z");
	CHECK("is one again", touch(area + 4 * PAGE) == 0 && got_signal == 0);
	end();

	CHECK("shared memory", enlist(shared, 4 * PAGE, UFFDIO_REGISTER_MODE_MISSING) == 0);
	begin("c");
	CHECK("is asked for, too", shared[PAGE] == 'S');
	end();
	close(uffd);
	CHECK("closed: nobody is asked", shared[2 * PAGE] == 0 && area[3 * PAGE] == 0);

	if (open_with(UFFD_FEATURE_SIGBUS, O_NONBLOCK) || enlist(area + 8 * PAGE, PAGE, UFFDIO_REGISTER_MODE_MISSING))
		exit(2);
	CHECK("a signal instead", touch(area + 8 * PAGE) == -1 && got_signal == SIGBUS && got_code == BUS_ADRERR);
	close(uffd);
	if (open_with(0, O_NONBLOCK | UFFD_USER_MODE_ONLY) || enlist(area + 9 * PAGE, PAGE, UFFDIO_REGISTER_MODE_MISSING))
		exit(2);
	FAILS("the kernel does not wait", EFAULT, write(open("/dev/null", O_WRONLY) >= 0 ? memfd_create("m", 0) : -1, area + 9 * PAGE, 10));
	close(uffd);
}

/* Pages of a file in memory that are there and not mapped. */
static void minor(void)
{
	int memory = memfd_create("minor", 0);
	char *other, *at;
	struct uffdio_continue go;
	struct uffdio_register r;
	struct uffdio_copy c;

	if (ftruncate(memory, 3 * PAGE) || open_with(UFFD_FEATURE_MINOR_SHMEM, O_NONBLOCK))
		exit(2);
	at = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	other = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	FAILS("not of private memory", EINVAL, enlist(area, PAGE, UFFDIO_REGISTER_MODE_MINOR));
	r = (struct uffdio_register){ .range = { (unsigned long)at, 4 * PAGE }, .mode = UFFDIO_REGISTER_MODE_MINOR };
	CHECK("registered for such pages", ioctl(uffd, UFFDIO_REGISTER, &r) == 0 && (r.ioctls >> _UFFDIO_CONTINUE & 1)
		&& !(r.ioctls >> _UFFDIO_WRITEPROTECT & 1));
	go = (struct uffdio_continue){ .range = { (unsigned long)at, PAGE } };
	FAILS("one that is not there", EFAULT, ioctl(uffd, UFFDIO_CONTINUE, &go));
	memset(other, 'o', PAGE);
	served = 0;
	begin("g");
	CHECK("one that is", at[9] == 'o');
	end();
	CHECK("is asked for", served == 1 && last.arg.pagefault.flags == UFFD_PAGEFAULT_FLAG_MINOR
		&& last.arg.pagefault.address == (unsigned long)at);
	CHECK("it is the same page", (other[5] = 'p', at[5] == 'p') && (at[6] = 'q', other[6] == 'q'));
	FAILS("it is mapped", EEXIST, ioctl(uffd, UFFDIO_CONTINUE, &go));
	CHECK("which nobody asks for is new", at[PAGE] == 0 && served == 1);
	madvise(at, PAGE, MADV_DONTNEED);
	begin("g");
	at[7] = 'w';
	end();
	CHECK("forgotten, it is asked for again", served == 2 && other[7] == 'w'
		&& last.arg.pagefault.flags == (UFFD_PAGEFAULT_FLAG_MINOR | UFFD_PAGEFAULT_FLAG_WRITE));
	enlist(at, 4 * PAGE, UFFDIO_REGISTER_MODE_MINOR | UFFDIO_REGISTER_MODE_MISSING);
	begin("c");
	CHECK("missing ones as well", at[2 * PAGE] == 'S');
	end();
	CHECK("by their own flag", served == 3 && last.arg.pagefault.flags == 0 && other[2 * PAGE] == 'S');
	c = (struct uffdio_copy){ .dst = (unsigned long)at, .src = (unsigned long)source, .len = PAGE };
	FAILS("what is there is not filled", EEXIST, ioctl(uffd, UFFDIO_COPY, &c));
	c.dst += 3 * PAGE;
	FAILS("nor beyond the end", EFAULT, ioctl(uffd, UFFDIO_COPY, &c));
	CHECK("which is a signal", touch(at + 3 * PAGE) == -1 && got_signal == SIGBUS && got_code == BUS_ADRERR);
	close(uffd);
	munmap(at, 4 * PAGE);
	munmap(other, 4 * PAGE);
	close(memory);
}

/* Reads messages of changes, into last and later; of a fork it answers the child's fault, too. */
static void *hear(void *messages)
{
	struct pollfd p = { uffd, POLLIN, 0 };
	struct uffdio_copy c = { .dst = (unsigned long)area + 12 * PAGE, .src = (unsigned long)source, .len = PAGE };
	static struct uffd_msg fault;

	usleep(20000);
	refused = ioctl(uffd, UFFDIO_COPY, &c) == -1 ? errno : 0;
	for (long n = 0; n < (long)messages; n++)
		heard += poll(&p, 1, 5000) == 1 && read(uffd, n ? &later : &last, sizeof(last)) == sizeof(last);
	if (last.event != UFFD_EVENT_FORK)
		return NULL;
	p.fd = uffd = last.arg.fork.ufd;
	if (poll(&p, 1, 5000) != 1 || read(uffd, &fault, sizeof(fault)) != sizeof(fault))
		return NULL;
	c.dst = fault.arg.pagefault.address & ~(PAGE - 1);
	heard += ioctl(uffd, UFFDIO_COPY, &c) == 0;
	return NULL;
}

static void listen_to(long messages)
{
	heard = 0;
	pthread_create(&server, NULL, hear, (void *)messages);
}

static void changes(void)
{
	const unsigned long long all = UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP | UFFD_FEATURE_EVENT_REMOVE |
		UFFD_FEATURE_EVENT_UNMAP;
	char *at, *moved;
	int first, status;

	madvise(area, 16 * PAGE, MADV_DONTNEED);
	at = fresh(4 * PAGE, MAP_PRIVATE);
	if (open_with(all, O_NONBLOCK) || enlist(area, 16 * PAGE, UFFDIO_REGISTER_MODE_MISSING) ||
		enlist(at, 4 * PAGE, UFFDIO_REGISTER_MODE_MISSING))
		exit(2);
	first = uffd;
	copy(at, PAGE, 0);
	listen_to(1);
	CHECK("pages are thrown away", madvise(at, 2 * PAGE, MADV_DONTNEED) == 0);
	end();
	CHECK("which is told", last.event == UFFD_EVENT_REMOVE && last.arg.remove.start == (unsigned long)at
		&& last.arg.remove.end == (unsigned long)at + 2 * PAGE);
	CHECK("and nothing is filled meanwhile", refused == EAGAIN);
	CHECK("but after", copy(area + 12 * PAGE, PAGE, 0) == 0);
	copy(at, PAGE, 0);
	moved = fresh(4 * PAGE, MAP_PRIVATE);
	listen_to(2);
	CHECK("a mapping moves", mremap(at, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, moved) == moved);
	end();
	CHECK("which is told first", last.event == UFFD_EVENT_REMAP && last.arg.remap.from == (unsigned long)at
		&& last.arg.remap.to == (unsigned long)moved && last.arg.remap.len == 4 * PAGE);
	CHECK("then that its old place is empty", heard == 2 && later.event == UFFD_EVENT_UNMAP
		&& later.arg.remove.start == (unsigned long)at && later.arg.remove.end == (unsigned long)at + 4 * PAGE);
	served = 0;
	begin("c");
	CHECK("it is registered at its new one", moved[PAGE] == 'S');
	end();
	CHECK("and asked there", served == 1 && last.arg.pagefault.address == (unsigned long)moved + PAGE && moved[0] == 'S');
	listen_to(1);
	CHECK("it goes", munmap(moved + PAGE, 2 * PAGE) == 0);
	end();
	CHECK("which is told as well", last.event == UFFD_EVENT_UNMAP && last.arg.remove.start == (unsigned long)moved + PAGE
		&& last.arg.remove.end == (unsigned long)moved + 3 * PAGE);
	listen_to(1);
	status = fork();
	if (status == 0)
		_exit(area[13 * PAGE] == 'S' ? 5 : 6);
	CHECK("a child", status > 0);
	waitpid(status, &status, 0);
	end();
	CHECK("has its own descriptor", last.event == UFFD_EVENT_FORK && uffd != first && heard == 2);
	CHECK("and pages from there", WEXITSTATUS(status) == 5);
	CHECK("which the parent has not", copy(area + 13 * PAGE, PAGE, 0) == -1 && (close(uffd), uffd = first, 1)
		&& copy(area + 13 * PAGE, PAGE, 0) == 0);
	close(uffd);
}

/* Calls that are answered in a few instructions. */
static void short_calls(void)
{
	struct timespec *t = (struct timespec *)(area + 20 * PAGE);
	unsigned *cpu = (unsigned *)(area + 22 * PAGE);

	mprotect(area + 16 * PAGE, 16 * PAGE, PROT_READ | PROT_WRITE);
	if (open_with(0, O_NONBLOCK) || enlist(area + 16 * PAGE, 16 * PAGE, UFFDIO_REGISTER_MODE_MISSING))
		exit(2);
	served = 0;
	begin("z");
	CHECK("a clock waits for the page", syscall(SYS_clock_gettime, CLOCK_REALTIME, t) == 0 && t->tv_sec > 1000000000);
	end();
	begin("z");
	CHECK("a resolution", syscall(SYS_clock_getres, CLOCK_REALTIME, area + 21 * PAGE) == 0);
	end();
	begin("z");
	CHECK("the CPU's number", syscall(SYS_getcpu, cpu, NULL, NULL) == 0 && *cpu < 4096);
	end();
	begin("z");
	CHECK("the time of day", syscall(SYS_gettimeofday, area + 23 * PAGE, NULL) == 0);
	end();
	CHECK("each once", served == 4);
	close(uffd);
}

static void privilege(void)
{
	if (setuid(65534))
		exit(2);
	FAILS("not for everybody", EPERM, syscall(SYS_userfaultfd, 0));
	CHECK("of its own faults", (uffd = syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY)) >= 0);
}

int main(void)
{
	area = fresh(32 * PAGE, MAP_PRIVATE);
	source = fresh(64 * PAGE, MAP_PRIVATE);
	mprotect(area + 16 * PAGE, 16 * PAGE, PROT_NONE);
	memset(source, 'S', PAGE);
	rules();
	faults();
	other_ways();
	minor();
	changes();
	short_calls();
	privilege();
	return guest_done("userfault");
}
