// SPDX-License-Identifier: MIT
/* dirty FOLDER DEVICE: pages of mapped files in a folder of a disk with blocks of 1 KiB: which are dirty (/proc/kpageflags), when they
 * are clean again, what there is no room for, what a file's end takes away; as root. */
#include "guest.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define PAGE 4096L

static const char *folder;
static char path[256];
static sigjmp_buf back;
static volatile int code;

static const char *in(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static uint64_t word(const char *file, uint64_t index)
{
	uint64_t value = 0;
	int fd = open(file, O_RDONLY);

	if (fd < 0 || pread(fd, &value, 8, index * 8) != 8)
		perror(file);
	close(fd);
	return value;
}

static uint64_t flags_of(volatile char *at)
{
	uint64_t entry = word("/proc/self/pagemap", (uintptr_t)at / PAGE), frame = entry & ((1ULL << 55) - 1);

	return frame ? word("/proc/kpageflags", frame) : 0;
}

static int dirty(volatile char *at)
{
	return flags_of(at) >> 4 & 1;
}

static void handler(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	code = info->si_code;
	siglongjmp(back, 1);
}

/* Writes a byte: 0, or the code of SIGBUS. */
static int set(volatile char *at, char value)
{
	code = 0;
	if (sigsetjmp(back, 1))
		return code;
	*at = value;
	return 0;
}

static int get(volatile char *at)
{
	code = 0;
	if (sigsetjmp(back, 1))
		return -code;
	return *at;
}

static char *mapped(int fd, long length, int prot, int flags)
{
	return mmap(NULL, length, prot, flags, fd, 0);
}

static void bits(void)
{
	int fd = open(in("bits"), O_CREAT | O_RDWR, 0600), status, both = PROT_READ | PROT_WRITE;
	volatile char *m, *n;
	char page[PAGE], *copy;

	memset(page, 'a', PAGE);
	for (int i = 0; i < 4; i++)
		status = write(fd, page, PAGE);
	fsync(fd);
	m = mapped(fd, 4 * PAGE, both, MAP_SHARED);
	n = mapped(fd, 4 * PAGE, both, MAP_SHARED);
	CHECK("read, a page is clean", m[0] == 'a' && !dirty(m));
	CHECK("written to, it is dirty", set(m, 'b') == 0 && dirty(m));
	CHECK("its neighbour is not", m[PAGE] == 'a' && !dirty(m + PAGE));
	CHECK("another mapping has the same page", n[0] == 'b' && dirty(n));
	CHECK("msync cleans it", msync((void *)m, PAGE, MS_SYNC) == 0 && !dirty(m) && !dirty(n));
	CHECK("the other mapping dirties it", set(n, 'c') == 0 && dirty(m));
	CHECK("msync of another page does not clean", msync((void *)(m + PAGE), PAGE, MS_SYNC) == 0 && dirty(m));
	CHECK("nor MS_ASYNC", msync((void *)m, PAGE, MS_ASYNC) == 0 && dirty(m));
	CHECK("fsync does", fsync(fd) == 0 && !dirty(m));
	CHECK("and sync", set(m + PAGE, 'd') == 0 && dirty(m + PAGE) && (sync(), 1) && !dirty(m + PAGE));
	CHECK("protected and back, writes are told", m[2 * PAGE] == 'a' && mprotect((void *)m, 4 * PAGE, PROT_READ) == 0 &&
		mprotect((void *)m, 4 * PAGE, both) == 0 && set(m + 2 * PAGE, 'e') == 0 && dirty(m + 2 * PAGE));
	fsync(fd);
	if (fork() == 0)
		_exit(set(m, 'f') != 0);
	CHECK("a child's write is told", wait(&status) > 0 && status == 0 && m[0] == 'f' && dirty(m));
	CHECK("a call's, too", fsync(fd) == 0 && !dirty(m + 3 * PAGE) && pread(fd, (void *)(m + 3 * PAGE), 4, 0) == 4 && dirty(m + 3 * PAGE));
	copy = mapped(fd, PAGE, both, MAP_PRIVATE);
	CHECK("a private copy is nobody's else", set(copy, 'g') == 0 && copy[0] == 'g' && m[0] == 'f' && (flags_of(copy) >> 12 & 1));
	CHECK("how often a page is mapped",
		word("/proc/kpagecount", word("/proc/self/pagemap", (uintptr_t)m / PAGE) & ((1ULL << 55) - 1)) == 2);
	munmap((void *)m, 4 * PAGE);
	munmap((void *)n, 4 * PAGE);
	close(fd);
}

static void ends(void)
{
	int fd = open(in("ends"), O_CREAT | O_RDWR, 0600), both = PROT_READ | PROT_WRITE;
	volatile char *m, *p;

	if (ftruncate(fd, 3 * PAGE))
		perror("ftruncate");
	m = mapped(fd, 3 * PAGE, both, MAP_SHARED);
	p = mapped(fd, 3 * PAGE, both, MAP_PRIVATE);
	CHECK("a file", set(m, 'a') == 0 && set(m + 2 * PAGE, 'b') == 0 && set(m + 100, 'c') == 0 && set(p + 2 * PAGE, 'p') == 0);
	CHECK("cut short", ftruncate(fd, 50) == 0 && m[0] == 'a' && m[100] == 0);
	CHECK("has no pages there", get(m + 2 * PAGE) == -BUS_ADRERR && set(m + PAGE, 'x') == BUS_ADRERR);
	CHECK("nor copies", get(p + 2 * PAGE) == -BUS_ADRERR);
	CHECK("longer again they are empty", ftruncate(fd, 3 * PAGE) == 0 && m[2 * PAGE] == 0 && p[2 * PAGE] == 0 && m[0] == 'a');
	munmap((void *)m, 3 * PAGE);
	munmap((void *)p, 3 * PAGE);
	close(fd);
}

/* The same in memory alone: there is no writing back. */
static void ends_in_memory(void)
{
	int fd = memfd_create("ends", 0);
	volatile char *m;

	if (fd < 0 || ftruncate(fd, 2 * PAGE))
		perror("memfd");
	m = mapped(fd, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	CHECK("in memory", set(m, 'a') == 0 && set(m + PAGE, 'b') == 0 && dirty(m) && ftruncate(fd, 1) == 0);
	CHECK("the same", m[0] == 'a' && get(m + PAGE) == -BUS_ADRERR);
	CHECK("and back", ftruncate(fd, 2 * PAGE) == 0 && m[PAGE] == 0);
	munmap((void *)m, 2 * PAGE);
	close(fd);
}

static void full(void)
{
	int part = open(in("part"), O_CREAT | O_RDWR, 0600), holes = open(in("holes"), O_CREAT | O_RDWR, 0600),
		filler = open(in("filler"), O_CREAT | O_WRONLY, 0600);
	volatile char *m, *h;
	char block[1024];

	memset(block, 'x', sizeof(block));
	if (write(part, block, 1024) != 1024 || ftruncate(holes, 2 * PAGE))
		perror("files");
	m = mapped(part, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	h = mapped(holes, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	CHECK("a block of a page", set(m, 'a') == 0 && set(h, 'h') == 0);
	CHECK("a longer file", ftruncate(part, 2 * PAGE) == 0);
	while (write(filler, block, 1024) == 1024)
		;
	CHECK("nothing is left", errno == ENOSPC);
	CHECK("no block for the rest of the page", set(m + 1024, 'b') == BUS_ADRERR);
	CHECK("nor for the next", set(m + PAGE, 'b') == BUS_ADRERR && get(m + PAGE) == 0);
	CHECK("which a hole can be read as", get(h + PAGE) == 0 && set(h + PAGE, 'h') == BUS_ADRERR);
	CHECK("a call fails", pread(part, (void *)(h + PAGE), 4, 0) == -1 && errno == EFAULT);
	CHECK("what has a block is written", set(h + 5, 'i') == 0 && msync((void *)h, PAGE, MS_SYNC) == 0 && h[5] == 'i');
	unlink(in("filler"));
	close(filler);
	sync();
	CHECK("with room again", set(m + 1024, 'b') == 0 && set(m + PAGE, 'c') == 0 && msync((void *)m, 2 * PAGE, MS_SYNC) == 0);
	munmap((void *)m, 2 * PAGE);
	munmap((void *)h, 2 * PAGE);
	close(part);
	close(holes);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	sigaction(SIGBUS, &action, NULL);
	folder = argc > 1 ? argv[1] : "/mnt";
	bits();
	ends();
	ends_in_memory();
	full();
	return guest_done("dirty");
}
