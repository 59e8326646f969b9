/* SPDX-License-Identifier: MIT */
/* hostile WHAT: what a bad program does to the system. The statuses are those of Linux. */
#include "guest.h"
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

static void again(int number)
{
	raise(number);
}

/* Takes so many hundredths of what was free. */
static void take(const struct sysinfo *at_first, int hundredths)
{
	size_t size = at_first->freeram / 100 * at_first->mem_unit * hundredths;
	char *all = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	for (size_t i = 0; i < size; i += 4096)
		all[i] = 1;
}

static int deep(int n)
{
	volatile char frame[1000];
	frame[0] = n;
	return n < 0 ? 0 : deep(n + 1) + frame[0];
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	static char block[1 << 20];
	if (!strcmp(what, "fork"))
		for (;;)
			fork();
	if (!strcmp(what, "memory"))
		for (;;)
			memset(malloc(sizeof(block)), 1, sizeof(block));
	if (!strcmp(what, "largest") || !strcmp(what, "spared")) {
		/* Two that want more than there is: the larger one is ended, not the one that asks, unless it must not be. */
		struct sysinfo at_first;
		int ends[2], status;
		char ready;
		sysinfo(&at_first);
		if (pipe(ends))
			return errno;
		pid_t pid = fork();
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			int fd = open("/proc/self/oom_score_adj", O_WRONLY);
			if (*what == 's' && write(fd, "-1000", 5) != 5)
				_exit(errno);
			take(&at_first, 60);
			if (write(ends[1], "r", 1) == 1)
				pause();
		}
		if (read(ends[0], &ready, 1) != 1)
			return errno;
		take(&at_first, 50);
		return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : 1;
	}
	if (!strcmp(what, "file") || !strcmp(what, "memfd")) {
		int fd = *what == 'f' ? open("/tmp/big", O_RDWR | O_CREAT, 0600) : memfd_create("big", 0);
		for (;;)
			if (write(fd, block, sizeof(block)) < 0)
				return errno;
	}
	if (!strcmp(what, "hole")) {
		int fd = open("/tmp/hole", O_RDWR | O_CREAT, 0600);
		CHECK("size", ftruncate(fd, 1l << 45) == 0 && pwrite(fd, "x", 1, 1l << 44) == 1);
		CHECK("data", lseek(fd, 5, SEEK_DATA) == 1l << 44 && lseek(fd, (1l << 44) + 5000, SEEK_DATA) == -1 && errno == ENXIO);
		CHECK("hole", lseek(fd, 5, SEEK_HOLE) == 5 && lseek(fd, 1l << 44, SEEK_HOLE) == (1l << 44) + 4096);
		CHECK("punch", fallocate(fd, 3, 0, 1l << 45) == 0 && lseek(fd, 0, SEEK_DATA) == -1);
		return guest_done("hole");
	}
	if (!strcmp(what, "maps")) {
		long n = 0;
		while (mmap(0, 4096, n & 1 ? PROT_READ : PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
			n++;
		return n > 60000 && n < 66000 && errno == ENOMEM ? 0 : 1;
	}
	if (!strcmp(what, "folders")) {
		for (int i = 0; i < 3000; i++)
			if (mkdir("d", 0777) || chdir("d"))
				return 1;
		char path[4096];
		return syscall(SYS_getcwd, path, sizeof(path)) == -1 && errno == ENAMETOOLONG ? 0 : 2;
	}
	if (!strcmp(what, "stack"))
		return deep(0);
	if (!strcmp(what, "handlers")) {
		struct sigaction action = { .sa_handler = again, .sa_flags = SA_NODEFER };
		sigaction(SIGUSR1, &action, 0);
		raise(SIGUSR1);
	}
	if (!strcmp(what, "loop"))
		for (;;)
			;
	if (!strcmp(what, "kill"))
		kill(getpid(), SIGKILL);
	if (!strcmp(what, "yes") || !strcmp(what, "ignore")) {
		if (*what == 'i')
			signal(SIGPIPE, SIG_IGN);
		while (write(1, "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n", 32) == 32)
			;
		return errno;
	}
	if (!strcmp(what, "read"))
		return read(0, block, 10);
	if (!strcmp(what, "clone")) {
		/* A child that asks for a signal that does not exist when it ends. */
		pid_t pid = syscall(SYS_clone, 200, 0, 0, 0, 0);
		if (!pid)
			_exit(3);
		int status = 0;
		return waitpid(pid, &status, __WALL) == pid && WEXITSTATUS(status) == 3 ? 0 : 1;
	}
	if (!strcmp(what, "marks")) {
		/* Each keeps a pipe that nobody has open. */
		int group = fanotify_init(FAN_UNLIMITED_MARKS, 0), ends[2];
		while (pipe(ends) == 0 && fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN, ends[0], NULL) == 0)
			close(ends[0]), close(ends[1]);
		return errno;
	}
	if (!strcmp(what, "name")) {
		/* A name that a terminal would obey, on two CPUs. */
		prctl(PR_SET_NAME, "a\33[2Jb");
		if (!fork())
			_exit(0);
		wait(NULL);
		return 0;
	}
	if (!strcmp(what, "rules")) {
		/* The same rule of Landlock over and over takes no memory. */
		uint64_t about[2] = { 0, 1 }, port[2] = { 1, 80 };
		int rules = syscall(444, about, sizeof(about), 0);
		for (int i = 0; i < 50; i++)
			memset(malloc(sizeof(block)), 1, sizeof(block));
		for (int i = 0; i < 100000; i++)
			if (syscall(445, rules, 2, port, 0))
				return errno;
		return 0;
	}
	return 0;
}
