/*
 * The guest of "armvdso kernel-truth": it makes system calls, faults, processes and
 * switches, each many times, and measures nothing itself: the host watches the
 * functions mark_NAME. It runs as a program, or as the first process of a kernel,
 * where it switches the machine off at its end. "truth -" ends at once.
 * Freestanding; built by build.sh with clang-19 and ld.lld-19.
 */
typedef unsigned long u64;
typedef unsigned int u32;

#include "syscall.h"

#define ROUNDS 48
#define FEW 16
#define PAGE 4096

static char *self;
static u64 buffer[64];
__attribute__((used)) static unsigned char stack[8192] __attribute__((aligned(16)));
static volatile u32 here, there, stop;
static char page[PAGE];

#define CALL(nr, a, b, c) syscall6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)

/* What must not fail. */
static long sure(long result)
{
	if (result < 0 && result > -4096) {
		syscall6(64, 2, (long)"truth: a call failed\n", 21, 0, 0, 0);
		syscall6(94, 1, 0, 0, 0, 0, 0);
	}
	return result;
}

/* So many rounds of something, each of which ends at the entry of mark_NAME. */
#define LOOP(name, count, ...)								\
__attribute__((noinline)) void mark_##name(void)					\
{											\
	__asm__ volatile("");								\
}											\
static void loop_##name(void)								\
{											\
	for (int i = 0; i < (count); i++) {						\
		__VA_ARGS__;								\
		mark_##name();								\
	}										\
}

#define SIMPLE(name, nr, a, b, c) LOOP(name, ROUNDS, sure(CALL(nr, a, b, c)))

#define BLOCK 512
#define MANY 16		/* pages that a mapping of many has */

static int file, zero, null, memory, pipe[2];
static u64 area, more;
#define MORE 256	/* pages */

/* Sleeps until a clock has begun another second, and the tick has come after that. Linux adds wall_to_monotonic to the wall's time and
 * takes whole seconds off the sum of nanoseconds: there is one while CLOCK_MONOTONIC's nanoseconds are fewer than CLOCK_REALTIME's,
 * so behind a second of the former, and none behind one of the latter. */
static void next_second(int clock)
{
	sure(CALL(113, clock, buffer, 0));
	buffer[0]++;
	buffer[1] = 10000000;
	sure(syscall6(115, clock, 1, (long)buffer, 0, 0, 0));
}

LOOP(empty, ROUNDS, (void)0)
LOOP(enosys, ROUNDS, CALL(999, 0, 0, 0))
SIMPLE(getpid, 172, 0, 0, 0)
SIMPLE(gettid, 178, 0, 0, 0)
SIMPLE(getppid, 173, 0, 0, 0)
SIMPLE(getuid, 174, 0, 0, 0)
SIMPLE(getegid, 177, 0, 0, 0)
SIMPLE(getcpu, 168, buffer, buffer + 1, 0)
SIMPLE(clock_gettime, 113, 1, buffer, 0)
SIMPLE(clock_gettime_coarse, 113, 6, buffer, 0)
SIMPLE(clock_gettime_carry, 113, 1, buffer, 0)
SIMPLE(clock_coarse_carry, 113, 6, buffer, 0)
SIMPLE(gettimeofday, 169, buffer, 0, 0)
SIMPLE(clock_getres, 114, 1, buffer, 0)
SIMPLE(umask, 166, 18, 0, 0)
SIMPLE(times, 153, buffer, 0, 0)
SIMPLE(uname, 160, buffer, 0, 0)
LOOP(prlimit64, ROUNDS, sure(syscall6(261, 0, 7, 0, (long)buffer, 0, 0)))
SIMPLE(sched_yield, 124, 0, 0, 0)
LOOP(rt_sigprocmask, ROUNDS, sure(syscall6(135, 0, 0, (long)buffer, 8, 0, 0)))
LOOP(rt_sigaction, ROUNDS, sure(syscall6(134, 12, 0, (long)buffer, 8, 0, 0)))
SIMPLE(fcntl_getfl, 25, file, 3, 0)
SIMPLE(lseek, 62, file, 0, 0)
SIMPLE(fstat, 80, file, buffer, 0)
LOOP(newfstatat, ROUNDS, sure(syscall6(79, -100, (long)self, (long)buffer, 0, 0, 0)))
SIMPLE(read_zero, 63, zero, buffer, 1)
SIMPLE(write_null, 64, null, buffer, 1)
LOOP(pread_file, ROUNDS, sure(syscall6(67, file, (long)buffer, 64, 64, 0, 0)))
LOOP(pread_page, ROUNDS, sure(syscall6(67, memory, (long)page, PAGE, 0, 0, 0)))
LOOP(pwrite_file, ROUNDS, sure(syscall6(68, memory, (long)buffer, 1, 0, 0, 0)))
LOOP(pwrite_page, ROUNDS, sure(syscall6(68, memory, (long)page, PAGE, 0, 0, 0)))
SIMPLE(cpu_clock, 113, 2, buffer, 0)
SIMPLE(getrusage, 165, 0, buffer, 0)
SIMPLE(sched_getaffinity, 123, 0, 8, buffer)
SIMPLE(set_tid_address, 96, &here, 0, 0)
SIMPLE(getrandom, 278, buffer, 8, 0)
LOOP(ioctl_bad, ROUNDS, CALL(29, file, 0x1234, buffer))
LOOP(epoll_create_close, ROUNDS, CALL(57, sure(CALL(20, 0, 0, 0)), 0, 0))
LOOP(dup_close, ROUNDS, CALL(57, sure(CALL(23, file, 0, 0)), 0, 0))
LOOP(open_close, ROUNDS, CALL(57, sure(syscall6(56, -100, (long)self, 0, 0, 0, 0)), 0, 0))
LOOP(pipe_write_read, ROUNDS, sure(CALL(64, pipe[1], buffer, 1)); sure(CALL(63, pipe[0], buffer, 1)))
LOOP(pipe_write_read_block, ROUNDS, sure(CALL(64, pipe[1], page, BLOCK)); sure(CALL(63, pipe[0], page, BLOCK)))
LOOP(futex_wake, ROUNDS, sure(CALL(98, &here, 129, 1)))
LOOP(futex_changed, ROUNDS, CALL(98, &here, 128, 1))
LOOP(ppoll, ROUNDS, sure(syscall6(73, 0, 0, (long)(buffer + 32), 0, 0, 0)))
SIMPLE(brk, 214, 0, 0, 0)
LOOP(mmap_munmap, ROUNDS, CALL(215, sure(syscall6(222, 0, 4 * PAGE, 3, 0x22, -1, 0)), 4 * PAGE, 0))
LOOP(mprotect, ROUNDS, sure(CALL(226, area, PAGE, i & 1 ? 3 : 1)))
LOOP(fault_read, ROUNDS, (void)*(volatile char *)(area + (u64)(8 + i) * PAGE))
LOOP(fault_write, ROUNDS, *(volatile char *)(area + (u64)(8 + ROUNDS + i) * PAGE) = 1)

/* A mapping is used and goes. */
static void map(int pages, int prot, int flags, int of, int touch)
{
	volatile char *at = (volatile char *)sure(syscall6(222, 0, pages * PAGE, prot, flags, of, 0));

	for (int i = 0; touch && i < pages; i++)
		at[i * PAGE] = 1;
	if (!touch)
		(void)at[0];
	CALL(215, at, pages * PAGE, 0);
}

LOOP(map_touch, ROUNDS, map(1, 3, 0x22, -1, 1))
LOOP(map_touch_many, ROUNDS, map(MANY, 3, 0x22, -1, 1))
LOOP(map_file_read, ROUNDS, map(1, 1, 2, memory, 0))
LOOP(map_file_read_many, ROUNDS, map(MANY, 1, 2, memory, 0))
LOOP(map_file_write, ROUNDS, map(MANY, 3, 2, memory, 1))
LOOP(signal_ignored, ROUNDS, sure(CALL(131, CALL(172, 0, 0, 0), CALL(178, 0, 0, 0), 23)))
LOOP(signal, ROUNDS, sure(CALL(131, CALL(172, 0, 0, 0), CALL(178, 0, 0, 0), 10)))

/* What the child does before it exits: nothing, an execve, or it makes the pages of "more" its own. */
enum after_fork { EXIT, EXEC, TOUCH };

static long fork_and_wait(enum after_fork after)
{
	long child = sure(syscall6(220, 17, 0, 0, 0, 0, 0));

	if (child == 0) {
		char *arguments[] = { self, "-", 0 };
		char *environment[] = { 0 };

		if (after == EXEC)
			CALL(221, self, arguments, environment);
		for (int i = 0; after == TOUCH && i < MORE; i++)
			*(volatile char *)(more + (u64)i * PAGE) = 2;
		CALL(94, after == EXEC, 0, 0);
	}
	return sure(syscall6(260, child, (long)buffer, 0, 0, 0, 0));
}

LOOP(fork_exit_wait, FEW, fork_and_wait(EXIT); sure(-(long)(u32)buffer[0]))
LOOP(fork_exec_exit_wait, FEW, fork_and_wait(EXEC); sure(-(long)(u32)buffer[0]))

/* The same with as many pages again: what a page costs, and one that is the child's own by then. */
LOOP(fork_of_many, FEW, fork_and_wait(EXIT); sure(-(long)(u32)buffer[0]))
LOOP(fork_touch_exit, FEW, fork_and_wait(TOUCH); sure(-(long)(u32)buffer[0]))

/* Pages that a sleeping child shares are written to. */
LOOP(copy_on_write, FEW, *(volatile char *)(area + (u64)(8 + ROUNDS + i) * PAGE) = 2)

/* A thread: CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, CHILD_CLEARTID. */
__attribute__((naked)) static long spawn(volatile u32 *tid __attribute__((unused)), void (*body)(void) __attribute__((unused)))
{
	__asm__(
		"	mov	x9, x1\n"
		"	mov	x4, x0\n"
		"	adrp	x1, stack\n"
		"	add	x1, x1, :lo12:stack\n"
		"	add	x1, x1, #8192\n"
		"	mov	x0, #0x0f00\n"
		"	movk	x0, #0x25, lsl #16\n"
		"	mov	x2, #0\n"
		"	mov	x3, #0\n"
		"	mov	x8, #220\n"
		"	svc	#0\n"
		"	cbz	x0, 1f\n"
		"	ret\n"
		"1:	blr	x9\n"
		"	mov	x0, #0\n"
		"	mov	x8, #93\n"
		"	svc	#0\n");
}

static volatile u32 alive;

static void nothing(void)
{
}

static void thread_and_wait(void (*body)(void))
{
	alive = 1;
	sure(spawn(&alive, body));
}

static void join(void)
{
	while (alive)
		CALL(98, &alive, 0, alive);
}

LOOP(thread_exit_wait, FEW, thread_and_wait(nothing); join())

static void wait_for(volatile u32 *word)
{
	while (!*word)
		CALL(98, word, 128, 0);
	*word = 0;
}

static void tell(volatile u32 *word)
{
	*word = 1;
	CALL(98, word, 129, 1);
}

static void answer(void)
{
	for (;;) {
		wait_for(&there);
		if (stop)
			return;
		tell(&here);
	}
}

LOOP(futex_two_switches, ROUNDS, tell(&there); wait_for(&here))

static int to[2], from[2];

LOOP(pipe_two_switches, ROUNDS, sure(CALL(64, to[1], buffer, 1)); sure(CALL(63, from[0], buffer, 1)))

static void switches(void)
{
	/* SCHED_BATCH: who wakes another one goes on until it sleeps, so each wait of a round is one that sleeps. */
	buffer[0] = 0;
	sure(CALL(119, 0, 3, buffer));
	thread_and_wait(answer);
	loop_futex_two_switches();
	stop = 1;
	tell(&there);
	join();
	sure(CALL(59, to, 0, 0));
	sure(CALL(59, from, 0, 0));
	if (sure(syscall6(220, 17, 0, 0, 0, 0, 0)) == 0) {
		CALL(57, to[1], 0, 0);
		while (CALL(63, to[0], buffer, 1) == 1)
			CALL(64, from[1], buffer, 1);
		CALL(94, 0, 0, 0);
	}
	loop_pipe_two_switches();
	loop_copy_on_write();
	CALL(57, to[1], 0, 0);
	sure(syscall6(260, -1, 0, 0, 0, 0, 0));
}

static void handler(int number)
{
	(void)number;
}

__attribute__((used)) static void start(u64 *sp)
{
	u64 action[4] = { (u64)handler, 0, 0, 0 };

	self = ((char **)(sp + 1))[0];
	if (sp[0] > 1 && ((char **)(sp + 1))[1][0] == '-')
		CALL(94, 0, 0, 0);
	/* Who watches begins between two turns of the CPU: sleep 10 ms. */
	CALL(64, 1, "kernel-truth: begin\n", 20);
	buffer[0] = 0;
	buffer[1] = 10000000;
	sure(CALL(101, buffer, 0, 0));
	file = (int)sure(syscall6(56, -100, (long)self, 0, 0, 0, 0));
	zero = (int)sure(syscall6(56, -100, (long)"/dev/zero", 0, 0, 0, 0));
	null = (int)sure(syscall6(56, -100, (long)"/dev/null", 1, 0, 0, 0));
	memory = (int)sure(CALL(279, "truth", 0, 0));
	for (int i = 0; i < MANY; i++)
		sure(syscall6(68, memory, (long)page, PAGE, (long)i * PAGE, 0, 0));
	sure(CALL(59, pipe, 0, 0));
	area = (u64)sure(syscall6(222, 0, (8 + 2 * ROUNDS) * PAGE, 3, 0x22, -1, 0));
	sure(syscall6(134, 10, (long)action, 0, 8, 0, 0));
	buffer[32] = buffer[33] = 0;
	loop_empty();
	loop_enosys();
	loop_getpid();
	loop_gettid();
	loop_getppid();
	loop_getuid();
	loop_getegid();
	loop_getcpu();
	next_second(0);
	loop_clock_gettime();
	loop_clock_gettime_coarse();
	next_second(1);
	loop_clock_gettime_carry();
	loop_clock_coarse_carry();
	loop_gettimeofday();
	loop_clock_getres();
	loop_umask();
	loop_times();
	loop_uname();
	loop_prlimit64();
	loop_sched_yield();
	loop_rt_sigprocmask();
	loop_rt_sigaction();
	loop_fcntl_getfl();
	loop_lseek();
	loop_fstat();
	loop_newfstatat();
	loop_read_zero();
	loop_write_null();
	loop_pread_file();
	loop_pread_page();
	loop_pwrite_file();
	loop_pwrite_page();
	loop_cpu_clock();
	loop_getrusage();
	loop_sched_getaffinity();
	loop_set_tid_address();
	loop_getrandom();
	loop_ioctl_bad();
	loop_epoll_create_close();
	loop_dup_close();
	loop_open_close();
	loop_pipe_write_read();
	loop_pipe_write_read_block();
	loop_futex_wake();
	loop_futex_changed();
	buffer[32] = buffer[33] = 0;
	loop_ppoll();
	loop_brk();
	loop_mmap_munmap();
	loop_mprotect();
	loop_fault_read();
	loop_fault_write();
	loop_map_touch();
	loop_map_touch_many();
	loop_map_file_read();
	loop_map_file_read_many();
	loop_map_file_write();
	loop_signal_ignored();
	loop_signal();
	loop_fork_exit_wait();
	loop_fork_exec_exit_wait();
	more = (u64)sure(syscall6(222, 0, MORE * PAGE, 3, 0x22, -1, 0));
	for (int i = 0; i < MORE; i++)
		*(volatile char *)(more + (u64)i * PAGE) = 1;
	loop_fork_of_many();
	loop_fork_touch_exit();
	sure(CALL(215, more, MORE * PAGE, 0));
	loop_thread_exit_wait();
	switches();
	if (CALL(172, 0, 0, 0) == 1)
		syscall6(142, 0xfee1dead, 672274793, 0x4321fedc, 0, 0, 0);
	CALL(94, 0, 0, 0);
}

__attribute__((naked)) void _start(void)
{
	__asm__("mov x0, sp\n\tmov x29, #0\n\tmov x30, #0\n\tb start\n");
}
