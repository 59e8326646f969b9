// SPDX-License-Identifier: MIT
/* Address spaces: mapping, protection, copy on write, sharing, moving, files, the heap's end. */
#include "guest.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { PAGE = 4096 };

static sigjmp_buf back;
static volatile int code, number;

static void fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	number = signal;
	code = info->si_code;
	siglongjmp(back, 1);
}

/* The signal that reading or writing this byte gives, or 0. */
static int touch(volatile char *address, int write)
{
	number = code = 0;
	if (!sigsetjmp(back, 1)) {
		if (write)
			*address = 1;
		else
			(void)*address;
	}
	return number;
}

static char *map(size_t length, int flags)
{
	return mmap(NULL, length, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO };
	int status, zero = 1;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);

	char *p = map(16 * PAGE, MAP_PRIVATE);
	for (int i = 0; i < 16 * PAGE; i++)
		zero &= !p[i];
	CHECK("new pages are zero", p != MAP_FAILED && zero && (uintptr_t)p % PAGE == 0);
	memset(p, 'a', 16 * PAGE);

	CHECK("mprotect to read", !mprotect(p + PAGE, PAGE, PROT_READ) && !touch(p + PAGE, 0) && touch(p + PAGE, 1) == SIGSEGV
		&& code == SEGV_ACCERR);
	CHECK("neighbours stay", !touch(p, 1) && !touch(p + 2 * PAGE, 1));
	CHECK("mprotect to none", !mprotect(p + PAGE, PAGE, PROT_NONE) && touch(p + PAGE, 0) == SIGSEGV);
	CHECK("mprotect back", !mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE) && p[PAGE] == 'a' && !touch(p + PAGE, 1));
	CHECK("hole", !munmap(p + 4 * PAGE, 2 * PAGE) && touch(p + 4 * PAGE, 0) == SIGSEGV && code == SEGV_MAPERR && p[6 * PAGE] == 'a'
		&& p[4 * PAGE - 1] == 'a');
	CHECK("mprotect over a hole", mprotect(p, 16 * PAGE, PROT_READ) == -1 && errno == ENOMEM);
	mprotect(p, 4 * PAGE, PROT_READ | PROT_WRITE);
	CHECK("fixed mapping fills it", mmap(p + 4 * PAGE, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		0) == p + 4 * PAGE && p[4 * PAGE] == 0);
	CHECK("fixed, replacing nothing", mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED
		&& errno == EEXIST);
	CHECK("unaligned unmapping", munmap(p + 1, PAGE) == -1 && errno == EINVAL);
	CHECK("no length", mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);

	char *private = map(4 * PAGE, MAP_PRIVATE), *shared = map(4 * PAGE, MAP_SHARED);
	memset(private, 'p', 4 * PAGE);
	memset(shared, 's', 4 * PAGE);
	pid_t pid = fork();
	if (!pid) {
		int right = private[0] == 'p' && shared[0] == 's';

		private[0] = 'c';
		shared[0] = 'c';
		_exit(right && private[0] == 'c' && private[1] == 'p' ? 0 : 1);
	}
	private[PAGE] = 'q';
	waitpid(pid, &status, 0);
	CHECK("copy on write", status == 0 && private[0] == 'p' && private[PAGE] == 'q');
	CHECK("shared pages", shared[0] == 'c');

	char *moved = mremap(private, 4 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	CHECK("mremap grows", moved != MAP_FAILED && moved[0] == 'p' && moved[PAGE] == 'q' && moved[63 * PAGE] == 0);
	char *target = map(64 * PAGE, MAP_PRIVATE);
	CHECK("mremap to a place", mremap(moved, 64 * PAGE, 64 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target
		&& target[PAGE] == 'q' && touch(moved, 0) == SIGSEGV);
	CHECK("mremap shrinks", mremap(target, 64 * PAGE, 2 * PAGE, 0) == target && target[PAGE] == 'q'
		&& touch(target + 2 * PAGE, 0) == SIGSEGV);

	memset(p, 'b', PAGE);
	CHECK("madvise throws away", !madvise(p, PAGE, MADV_DONTNEED) && p[0] == 0);

	int file = memfd_create("memory", 0);
	char text[8] = "";
	CHECK("file", file >= 0 && !ftruncate(file, PAGE + 100) && pwrite(file, "content", 7, 10) == 7);
	char *copy = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	char *view = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	CHECK("mapped file", !memcmp(copy + 10, "content", 7) && !memcmp(view + 10, "content", 7));
	copy[10] = 'X';
	view[11] = 'Y';
	pread(file, text, 7, 10);
	CHECK("private and shared writes", !strcmp(text, "cYntent") && copy[10] == 'X' && view[10] == 'c');
	pwrite(file, "Z", 1, 12);
	CHECK("write is seen in the mapping", view[12] == 'Z');
	CHECK("end of the last page is zero", view[PAGE + 100] == 0 && !touch(view + 2 * PAGE - 1, 0));
	CHECK("page behind the end", touch(view + 2 * PAGE, 0) == SIGBUS);
	CHECK("offset into the file", mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 100) == MAP_FAILED && errno == EINVAL);

	char *end = sbrk(0), *grown;
	CHECK("brk grows", sbrk(3 * PAGE) == end && (grown = sbrk(0)) == end + 3 * PAGE && (end[0] = 1) && (end[3 * PAGE - 1] = 1));
	CHECK("brk shrinks", !brk(end) && sbrk(0) == end);

	unsigned *function = (unsigned *)map(PAGE, MAP_PRIVATE);
	function[0] = 0x52800540;	/* mov w0, #42 */
	function[1] = 0xd65f03c0;	/* ret */
	__builtin___clear_cache((char *)function, (char *)(function + 2));
	mprotect(function, PAGE, PROT_READ | PROT_EXEC);
	CHECK("code made here", ((int (*)(void))function)() == 42);
	mprotect(function, PAGE, PROT_READ | PROT_WRITE);
	function[0] = 0x52800560;	/* mov w0, #43 */
	__builtin___clear_cache((char *)function, (char *)(function + 1));
	mprotect(function, PAGE, PROT_READ | PROT_EXEC);
	CHECK("code changed here", ((int (*)(void))function)() == 43);

	size_t huge = (size_t)1 << 30;
	char *sparse = mmap(NULL, huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK("sparse gigabyte", sparse != MAP_FAILED && (sparse[0] = 1) && (sparse[huge - 1] = 1) && !sparse[huge / 2]);
	CHECK("bad pointer to a call", syscall(SYS_write, 1, 8, 1) == -1 && errno == EFAULT);
	return guest_done("memory");
}
