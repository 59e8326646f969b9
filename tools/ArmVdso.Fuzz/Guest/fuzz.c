/* SPDX-License-Identifier: MIT */
/* Garbage for the kernel: fuzz WHAT SEED COUNT [THREADS]. WHAT: calls (sequences of system calls on up to THREADS threads), elf (programs
 * whose headers are odd, scripts), terminal (bytes and settings), vdso (calls of whatever image is there). What the answers are does not
 * matter: the parent must live to the end, and says how much was done. A dot is a sign of life. */
#include "fuzz.h"
#include <sys/prctl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

struct counts *counts;
unsigned int most_threads = 8;
char *page;
__thread uint64_t state;

uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static const char *const paths[] = {
	"/tmp/fuzz", "/tmp", "/", "", ".", "..", "/proc/self/mem", "/proc/self/fd/5", "/proc/self/exe", "/dev/null", "/dev/ptmx",
	"/proc/1/root", "/none/x", "/proc/self/fd/99999999999999999999", "/dev/tty", "/sys", "/proc/self/maps/x", "a\001\377b",
	"/tmp/../../..//proc/./self/cwd", "/tmp/link", "/tmp/fuzz/x", "/proc/self/task/1/comm", "/dev/shm/s", "tmpfs", "proc", "overlay",
	"user.name", "security.capability", "/dev/loop0", "/dev/loop-control", "/mnt", "/mnt/file", "/mnt/folder", "/mnt/link", "ext2", "ext4",
};

uint64_t argument(void)
{
	uint64_t r = next();
	switch (r >> 8 & 15) {
	case 0: return 0;
	case 1: return -1;
	case 2: case 3: case 4: return r >> 16 & 31;
	case 5: return (uint64_t)page + (r >> 16 & 0x1ff8);
	case 6: return (uint64_t)page + 8192 - (r >> 16 & 63);
	case 7: case 8: return (uint64_t)page;
	case 9: return (uint64_t)paths[(r >> 16) % (sizeof(paths) / sizeof(*paths))];
	case 10: return 1ul << (r >> 16 & 63);
	case 11: return r;
	case 12: return (int32_t)(r >> 20);
	case 13: return (r >> 16 & 1 ? 0x7ffffffffffffffful : 0xffff800000000000ul) - (r >> 20 & 0xfff);
	case 14: return (r >> 16 & 0xffff) << 12;
	default: return r >> 16 & 0xffff;
	}
}

void no_more_rights(void)
{
	/* By the calls themselves: the child may share its parent's memory. */
	if (syscall(SYS_setresgid, 1000, 1000, 1000) || syscall(SYS_setresuid, 1000, 1000, 1000))
		_exit(9);
}

int reap(pid_t child, int rounds)
{
	int status;
	for (int i = 0; i < rounds; i++) {
		pid_t pid = waitpid(child, &status, WNOHANG);
		if (pid == child)
			return status;
		if (pid < 0 && errno == ECHILD)
			return 0;
		struct timespec while_ = { 0, 200000 };
		nanosleep(&while_, 0);
	}
	__atomic_add_fetch(&counts->late, 1, __ATOMIC_RELAXED);
	kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return -1;
}

/* The first process of a PID namespace: when it dies, all that the case has made dies with it. */
void lives_of_its_own(uint64_t seed, void (*body)(void))
{
	counts->processes++;
	fflush(stdout);
	pid_t first = syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);
	if (first == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		int null = open("/dev/null", O_RDWR);
		for (int i = 0; i < 3; i++)
			dup2(null, i);
		if (null > 2)
			close(null);
		pid_t worker = fork();
		if (worker == 0) {
			state = seed;
			body();
			_exit(0);
		}
		int status = 0;
		if (worker > 0)
			waitpid(worker, &status, 0);
		if (WIFSIGNALED(status))
			__atomic_add_fetch(&counts->killed, 1, __ATOMIC_RELAXED);
		_exit(0);
	}
	if (first > 0)
		reap(first, 100);
	/* Those of whom nobody else is left to wait. */
	while (waitpid(-1, 0, WNOHANG) > 0)
		;
}

/* A disk for all cases, which they may damage: a fresh one when it cannot be mounted. */
static int fresh_disk(void)
{
	static char image[256 << 10];
	int from = open("/disk", O_RDONLY), to = open("/tmp/disk", O_RDWR | O_CREAT, 0666), loop = open("/dev/loop0", O_RDWR);
	int good = from >= 0 && to >= 0 && loop >= 0 && read(from, image, sizeof(image)) == sizeof(image)
		&& write(to, image, sizeof(image)) == sizeof(image);
	if (good) {
		ioctl(loop, LOOP_CLR_FD, 0);
		ioctl(loop, LOOP_SET_FD, to);
	}
	close(from);
	close(to);
	close(loop);
	return good;
}

void with_disk(void)
{
	if (mount("/dev/loop0", "/mnt", "ext4", 0, 0) && (!fresh_disk() || mount("/dev/loop0", "/mnt", "ext4", 0, 0)))
		return;
	__atomic_add_fetch(&counts->disks, 1, __ATOMIC_RELAXED);
	mkdir("/mnt/folder", 0777);
	close(open("/mnt/file", O_RDWR | O_CREAT, 0666));
	if (symlink("file", "/mnt/link"))
		errno = 0;
	if (chdir("/mnt/folder"))
		errno = 0;
}

static void sign_of_life(void)
{
	if (write(1, ".", 1) != 1)
		_exit(8);
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	const char *what = argv[1];
	uint64_t seed = strtoull(argv[2], 0, 0), count = strtoull(argv[3], 0, 0);
	if (argc > 4)
		most_threads = atoi(argv[4]);
	page = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	counts = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || counts == MAP_FAILED || mprotect(page + 8192, 4096, PROT_NONE))
		return 3;
	chmod("/tmp", 01777);
	mkdir("/mnt", 0777);
	/* Who runs out of memory is a child. */
	int score = open("/proc/self/oom_score_adj", O_WRONLY);
	if (score < 0 || write(score, "-1000", 5) != 5)
		return 4;
	close(score);
	for (uint64_t i = 0; counts->cases < count; i++) {
		uint64_t before = counts->cases;
		state = (seed << 32) + i * 0x100000001b3;
		next();
		if (!strcmp(what, "elf"))
			fuzz_program();
		else if (!strcmp(what, "vdso"))
			fuzz_vdso();
		else if (!strcmp(what, "calls"))
			lives_of_its_own(state, fuzz_calls);
		else if (!strcmp(what, "terminal"))
			lives_of_its_own(state, fuzz_terminal);
		else if (!strcmp(what, "sleep"))
			pause();
		else if (!strcmp(what, "loop"))
			for (;;)
				;
		else
			return 5;
		if (counts->cases == before)
			counts->cases++;
		sign_of_life();
	}
	printf("\ncases %lu calls %lu processes %lu ended %lu refused %lu killed %lu late %lu disks %lu\n", counts->cases, counts->calls,
	       counts->processes, counts->ended, counts->refused, counts->killed, counts->late, counts->disks);
	return 0;
}
