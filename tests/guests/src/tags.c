// SPDX-License-Identifier: MIT
/* The tagged address ABI (Documentation/arm64/tagged-address-abi.rst): a tag makes an address of a system call wrong until the task
 * says that it does not, whoever in the kernel accesses it; children have what their parent said, a new program has not. */
#include "guest.h"
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#define TAGGED(p) ((void *)((uintptr_t)(p) | 0x5aull << 56))

static int enabled(void)
{
	return prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0);
}

#define CALL(...) do { \
	long result = syscall(__VA_ARGS__); \
	int as_expected = expected ? result == -1 && errno == expected : result >= 0; \
	if (!as_expected) \
		fprintf(stderr, "  %s: %ld\n", #__VA_ARGS__, result < 0 ? -(long)errno : result); \
	wrong += !as_expected; \
} while (0)

/* Each call with an address that has a tag: all work, or all say that the address is bad. */
static int all(long expected)
{
	static char text[16] = "text", path[] = "/";
	struct timespec got;
	struct timeval of_day;
	struct timezone zone;
	struct utsname name;
	struct iovec part = { TAGGED(text), 4 };
	unsigned cpu, node, word = 0;
	int pipes[2], wrong = 0;

	pipe(pipes);
	CALL(SYS_write, pipes[1], TAGGED(text), 4);
	write(pipes[1], "more", 4);
	CALL(SYS_read, pipes[0], TAGGED(text), 2);
	CALL(SYS_writev, pipes[1], TAGGED(&part), 1);
	part.iov_base = TAGGED(text);
	CALL(SYS_writev, pipes[1], &part, 1);
	CALL(SYS_clock_gettime, CLOCK_MONOTONIC, TAGGED(&got));
	CALL(SYS_clock_gettime, CLOCK_REALTIME_COARSE, TAGGED(&got));
	CALL(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, TAGGED(&got));
	CALL(SYS_gettimeofday, TAGGED(&of_day), 0);
	CALL(SYS_gettimeofday, 0, TAGGED(&zone));
	CALL(SYS_getcpu, TAGGED(&cpu), 0, 0);
	CALL(SYS_getcpu, 0, TAGGED(&node), 0);
	CALL(SYS_uname, TAGGED(&name));
	CALL(SYS_faccessat, AT_FDCWD, TAGGED(path), F_OK);
	CALL(SYS_futex, TAGGED(&word), FUTEX_WAKE, 1, 0, 0, 0);
	CALL(SYS_pipe2, TAGGED(&pipes), 0);
	CALL(SYS_getcwd, TAGGED(text), sizeof(text));
	return wrong == 0;
}

/* Those that qemu-user does not tell. */
static int further(long expected)
{
	struct timespec time = { 0, 1 }, got;
	int wrong = 0;

	CALL(SYS_clock_getres, CLOCK_MONOTONIC, TAGGED(&got));
	CALL(SYS_nanosleep, TAGGED(&time), 0);
	return wrong == 0;
}

static void *thread(void *seen)
{
	*(int *)seen = enabled();
	return 0;
}

int main(int count, char **arguments)
{
	int seen = -1, status;
	char *page;
	pthread_t other;

	if (count > 1)
		return enabled();
	/* Its name fits wherever the program was started. */
	chdir("/");
	CHECK("tags count at first", enabled() == 0 && all(EFAULT));
	page = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK("in these calls, too", further(EFAULT));
	CHECK("but not where addresses of mappings are told", mprotect(TAGGED(page), 4096, PROT_READ) == 0
		&& madvise(TAGGED(page + 4096), 4096, MADV_DONTNEED) == 0 && munmap(TAGGED(page), 8192) == 0);
	FAILS("no other bits", EINVAL, prctl(PR_SET_TAGGED_ADDR_CTRL, 1 << 20, 0, 0, 0));
	FAILS("no other arguments", EINVAL, prctl(PR_SET_TAGGED_ADDR_CTRL, PR_TAGGED_ADDR_ENABLE, 1, 0, 0));
	CHECK("they are to be ignored", prctl(PR_SET_TAGGED_ADDR_CTRL, PR_TAGGED_ADDR_ENABLE, 0, 0, 0) == 0 && enabled() == 1);
	CHECK("and are", all(0));
	CHECK("bit 55 is no tag", syscall(SYS_clock_gettime, 1, (uintptr_t)&seen | 1ull << 55) == -1 && errno == EFAULT);
	pthread_create(&other, 0, thread, &seen);
	pthread_join(other, 0);
	CHECK("by a thread, too", seen == 1);
	if (!fork())
		_exit(enabled());
	wait(&status);
	CHECK("and by a child", WEXITSTATUS(status) == 1);
	if (!fork()) {
		execl("/proc/self/exe", arguments[0], "again", NULL);
		_exit(99);
	}
	wait(&status);
	CHECK("not by another program", WEXITSTATUS(status) == 0);
	CHECK("no more", prctl(PR_SET_TAGGED_ADDR_CTRL, 0, 0, 0, 0) == 0 && enabled() == 0 && all(EFAULT));
	return guest_done("tags");
}
