// SPDX-License-Identifier: MIT
/* How much memory is promised: vm.overcommit_memory, _ratio, _kbytes and the reserves, for everything that takes promises. As root. */
#include "guest.h"
#include <pthread.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define MIB (1UL << 20)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define BOTH (PROT_READ | PROT_WRITE)
#define VM "/proc/sys/vm/overcommit_"
static char text[65536];

static int set(const char *file, long value)
{
	int fd = open(file, O_WRONLY), n = snprintf(text, sizeof(text), "%ld\n", value), done = write(fd, text, n);

	close(fd);
	return done == n;
}

static long get(const char *file)
{
	return guest_read(file, text, sizeof(text)) > 0 ? atol(text) : -1;
}

/* A line of meminfo in KiB. */
static long kib(const char *name)
{
	char *at;

	guest_read("/proc/meminfo", text, sizeof(text));
	at = strstr(text, name);
	return at ? atol(at + strlen(name)) : -1;
}

/* 0: there is such a mapping (it is gone again), else the error. */
static int map(unsigned long size, int prot, int flags)
{
	void *at = mmap(NULL, size, prot, flags, -1, 0);

	return at == MAP_FAILED ? errno : munmap(at, size);
}

static void as_usual(unsigned long all)
{
	CHECK("as usual", get(VM "memory") == 0 && get(VM "ratio") == 50 && get(VM "kbytes") == 0);
	CHECK("half of RAM is the limit", labs(kib("CommitLimit:") - (long)(all / 2048)) < 4096);
	CHECK("as much as there is", map(all - 16 * MIB, BOTH, ANONYMOUS) == 0);
	CHECK("twice", map(all - 16 * MIB, BOTH, ANONYMOUS) == 0);
	CHECK("more than all", map(all + 16 * MIB, BOTH, ANONYMOUS) == ENOMEM);
	CHECK("that nobody writes to", map(all + 16 * MIB, PROT_READ, ANONYMOUS) == 0 && map(all + 16 * MIB, PROT_NONE, ANONYMOUS) == 0);
	CHECK("or wants promised", map(all + 16 * MIB, BOTH, ANONYMOUS | MAP_NORESERVE) == 0);
	CHECK("shared", map(all + 16 * MIB, BOTH, MAP_SHARED | MAP_ANONYMOUS) == ENOMEM);
	CHECK("shared and not promised", map(all + 16 * MIB, BOTH, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE) == 0);
	char *later = mmap(NULL, all + 16 * MIB, PROT_READ, ANONYMOUS, -1, 0);
	FAILS("written to later", ENOMEM, mprotect(later, all + 16 * MIB, BOTH));
	CHECK("in two parts", mprotect(later, all / 2, BOTH) == 0 && mprotect(later + all / 2, all / 2, BOTH) == 0);
	munmap(later, all + 16 * MIB);
	CHECK("brk", sbrk(all + 16 * MIB) == (void *)-1 && errno == ENOMEM);
	char *grows = mmap(NULL, MIB, BOTH, ANONYMOUS, -1, 0);
	CHECK("mremap", mremap(grows, MIB, all + 32 * MIB, MREMAP_MAYMOVE) == MAP_FAILED && errno == ENOMEM);
	munmap(grows, MIB);
	FAILS("a segment", ENOMEM, shmget(IPC_PRIVATE, all + 16 * MIB, IPC_CREAT | 0600));
	int id = shmget(IPC_PRIVATE, all + 16 * MIB, IPC_CREAT | SHM_NORESERVE | 0600);
	CHECK("a segment without a promise", id >= 0 && shmctl(id, IPC_RMID, NULL) == 0);
}

static void always(unsigned long all)
{
	CHECK("always", set(VM "memory", 1) && get(VM "memory") == 1);
	CHECK("ten times as much", map(all * 10, BOTH, ANONYMOUS) == 0 && map(all * 10, BOTH, MAP_SHARED | MAP_ANONYMOUS) == 0);
	int fd = open(VM "memory", O_WRONLY);
	FAILS("no such way", EINVAL, write(fd, "3\n", 2));
	close(fd);
}

/* The most that can be mapped, in MiB. */
static unsigned long most(unsigned long all)
{
	unsigned long low = 0, high = 2 * all / MIB;

	while (high - low > 1) {
		unsigned long middle = (low + high) / 2;

		if (map(middle * MIB, BOTH, ANONYMOUS) == 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static int as_nobody(unsigned long all, int (*what)(unsigned long, unsigned long), unsigned long with)
{
	int status;

	if (fork() == 0)
		_exit(setgid(65534) || setuid(65534) || what(all, with));
	wait(&status);
	return status;
}

static int has_as_much(unsigned long all, unsigned long than)
{
	return labs((long)most(all) - (long)than) > 3;
}

static void never(unsigned long all)
{
	CHECK("never", set(VM "memory", 2) && set("/proc/sys/vm/user_reserve_kbytes", 0));
	long limit = kib("CommitLimit:") / 1024, promised = kib("Committed_AS:") / 1024;
	long mine = most(all);
	CHECK("up to the limit", mine >= limit - promised - 4 && mine <= limit - promised + 4);
	CHECK("not without a promise", map((limit + 16) * MIB, BOTH, ANONYMOUS | MAP_NORESERVE) == ENOMEM);
	CHECK("what nobody writes to", map((limit + 16) * MIB, PROT_READ, ANONYMOUS) == 0);
	char *held = mmap(NULL, (mine / 2) * MIB, BOTH, ANONYMOUS, -1, 0);
	long now = kib("Committed_AS:") / 1024;
	CHECK("is counted", held != MAP_FAILED && labs(now - promised - mine / 2) <= 3);
	CHECK("only the rest is left", labs((long)most(all) - (mine - mine / 2)) <= 3);
	/* A fork promises as much again. */
	char *more = mmap(NULL, (mine / 4) * MIB, BOTH, ANONYMOUS, -1, 0);
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	CHECK("a fork does not fit", more != MAP_FAILED && child == -1 && errno == ENOMEM);
	munmap(more, (mine / 4) * MIB);
	CHECK("over what there is", mmap(held, (mine / 2) * MIB, BOTH, ANONYMOUS | MAP_FIXED, -1, 0) == held);
	munmap(held, (mine / 2) * MIB);
	CHECK("given back", labs((long)most(all) - mine) <= 3);
	held = mmap(NULL, (mine / 2) * MIB, BOTH, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK("shared is counted", labs(kib("Committed_AS:") / 1024 - promised - mine / 2) <= 3);
	if ((child = fork()) == 0)
		_exit(labs(kib("Committed_AS:") / 1024 - promised - mine / 2) > 3);
	int status;
	wait(&status);
	CHECK("once", child > 0 && status == 0);
	munmap(held, (mine / 2) * MIB);
	mkdir("/tmp/promises", 0755);
	CHECK("files in memory", mount("tmpfs", "/tmp/promises", "tmpfs", 0, "size=100%") == 0);
	int fd = open("/tmp/promises/file", O_RDWR | O_CREAT, 0600);
	CHECK("are", fallocate(fd, 0, 0, 16 * MIB) == 0 && labs(kib("Committed_AS:") / 1024 - promised - 16) <= 3);
	FAILS("and end there, too", ENOSPC, fallocate(fd, 0, 0, (mine + 8) * MIB));
	close(fd);
	umount("/tmp/promises");
	rmdir("/tmp/promises");
	set("/proc/sys/vm/admin_reserve_kbytes", 16384);
	CHECK("some is for root", as_nobody(all, has_as_much, most(all) - 16) == 0);
	set("/proc/sys/vm/admin_reserve_kbytes", 0);
	CHECK("none is", as_nobody(all, has_as_much, most(all)) == 0);
	CHECK("another share", set(VM "ratio", 40) && labs(kib("CommitLimit:") - (long)(all / 1024 / 10 * 4)) < 4096);
	CHECK("in KiB", set(VM "kbytes", 200000) && kib("CommitLimit:") == 200000 && get(VM "ratio") == 0);
	CHECK("as that says", labs((long)most(all) - (200000 / 1024 - promised)) <= 4);
	CHECK("a share again", set(VM "ratio", 50) && get(VM "kbytes") == 0);
	set(VM "memory", 0);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	unsigned long all = kib("MemTotal:") * 1024UL & ~(2 * MIB - 1);

	as_usual(all);
	always(all);
	never(all);
	return guest_done("promises");
}
