// SPDX-License-Identifier: MIT
/* slots PROCESSES THREADS: so many processes with so many threads each, all alive at once. Prints how many of them the kernel gave a place
 * (TPIDRRO_EL0 is not 0), and what [vvar] of one process holds, in pages of 4 KiB. */
#include "guest.h"
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

static volatile int *placed, *alive, *over;

static void count_me(void)
{
	uint64_t place;

	__asm__ volatile("mrs %0, tpidrro_el0" : "=r"(place));
	__sync_fetch_and_add(placed, place != 0);
	__sync_fetch_and_add(alive, 1);
}

static void wait_over(void)
{
	while (!*over)
		syscall(SYS_futex, over, 0, 0, NULL, NULL, 0);
}

static int thread(void *unused)
{
	(void)unused;
	count_me();
	wait_over();
	syscall(SYS_exit, 0);
	return 0;
}

/* The threads of a process besides the first. Stacks of 4 KiB, without the C library's. */
static int make_threads(int n)
{
	char *stacks = mmap(NULL, (size_t)n * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int made = 0;

	for (int i = 0; i < n; i++)
		made += clone(thread, stacks + (size_t)i * 4096 + 4096,
			      CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, NULL) > 0;
	return made;
}

/* Pages of [vvar] that are there: others are EFAULT for a call that reads them. */
static long pages_of_vvar(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[256];
	unsigned long start, end;
	long there = 0;
	int ends[2];

	if (pipe(ends))
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (!strstr(line, "[vvar") || sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		for (; start < end; start += 4096) {
			char byte;

			if (write(ends[1], (void *)start, 1) == 1)
				there += read(ends[0], &byte, 1);
		}
	}
	fclose(f);
	return there;
}

int main(int argc, char **argv)
{
	int processes = argc > 1 ? atoi(argv[1]) : 1, threads = argc > 2 ? atoi(argv[2]) : 1, made = 1, wanted;
	volatile int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(placed = shared, alive = shared + 16, over = shared + 32);
	for (int i = 1; i < processes; i++) {
		pid_t child = fork();

		if (child < 0)
			break;
		if (!child) {
			make_threads(threads - 1);
			count_me();
			wait_over();
			_exit(0);
		}
		made++;
	}
	make_threads(threads - 1);
	count_me();
	wanted = made * threads;
	for (int last = -1; *alive < wanted && *alive != last;) {
		last = *alive;
		usleep(100000);
	}
	printf("%d processes, %d threads alive, %d with a place, %ld pages of [vvar] in one process\n", made, *alive, *placed, pages_of_vvar());
	fflush(stdout);
	*over = 1;
	syscall(SYS_futex, over, 1, 1 << 30, NULL, NULL, 0);
	for (int i = 1; i < made; i++)
		wait(NULL);
	/* The other threads of this process end with it. */
	syscall(SYS_exit_group, 0);
}
