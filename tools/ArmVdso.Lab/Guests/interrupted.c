/*
 * The guest of "armvdso check --kernel-image": the first process of a booted kernel. Its child, the victim, calls each
 * function of the vDSO at check_call and writes down what system calls say before and after; the host lets bytes come in on
 * the console in the middle of a call. The first process reads them, on the victim's CPU and with a higher priority, and does
 * what each stands for. Freestanding; built by build.sh with clang-19 and ld.lld-19.
 */
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned short u16;

#include "syscall.h"

enum { S_clock_gettime, S_gettimeofday, S_clock_getres, S_getrandom, S_getpid, S_gettid, S_getuid, S_geteuid, S_getgid, S_getegid,
	S_getppid, S_getcpu, S_COUNT };

#define FUNCTION_NAMES									\
	"__kernel_clock_gettime", "__kernel_gettimeofday", "__kernel_clock_getres",	\
	"__kernel_getrandom", "__kernel_getpid", "__kernel_gettid", "__kernel_getuid",	\
	"__kernel_geteuid", "__kernel_getgid", "__kernel_getegid", "__kernel_getppid",	\
	"__kernel_getcpu",

static u64 pointers[S_COUNT];

#include "vdso.h"

#define CALL(nr, a, b, c) syscall6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)

/* Words that the host reads (tools/ArmVdso.Lab/Boot/CallRecord.cs), in a page that both processes share. */
enum {
	IMAGE,			/* the vDSO's first byte */
	NAME,			/* of the function, as the laboratory calls it */
	MONO_BEFORE,		/* CLOCK_MONOTONIC in ns, by system call */
	COARSE_BEFORE,		/* CLOCK_MONOTONIC_COARSE, likewise */
	BEFORE,			/* what the system call answers before */
	RESULT,			/* what the function returned */
	ANSWER,			/* what it wrote: four words */
	BEGUN = ANSWER + 4,	/* events that had begun when it returned */
	AFTER,			/* what the system call answers then */
	COARSE_AFTER,
	MONO_AFTER,
	AGAIN_RESULT,		/* another call of the function */
	AGAIN,
	HANDLED = AGAIN + 4,	/* calls of the handler */
	INNER_RESULT,		/* the last of them */
	INNER,
	EARLIER = INNER + 4,	/* a call before */
	CPU = EARLIER + 4,	/* where the thread is afterwards */
	EVENTS,			/* events that have begun */
	WORDS
};

volatile u64 *words;

enum kind { CLOCK, TIMEOFDAY, RESOLUTION, RANDOM, NUMBER, CPU_NUMBER };

static const struct function {
	const char *name;
	u32 slot, number, first;
	enum kind kind;
} functions[] = {
	{ "clock_gettime_realtime", S_clock_gettime, 113, 0, CLOCK },
	{ "clock_gettime_monotonic", S_clock_gettime, 113, 1, CLOCK },
	{ "clock_gettime_monotonic_raw", S_clock_gettime, 113, 4, CLOCK },
	{ "clock_gettime_realtime_coarse", S_clock_gettime, 113, 5, CLOCK },
	{ "clock_gettime_monotonic_coarse", S_clock_gettime, 113, 6, CLOCK },
	{ "clock_gettime_boottime", S_clock_gettime, 113, 7, CLOCK },
	{ "clock_gettime_tai", S_clock_gettime, 113, 11, CLOCK },
	{ "gettimeofday", S_gettimeofday, 113, 0, TIMEOFDAY },
	{ "clock_getres", S_clock_getres, 114, 1, RESOLUTION },
	{ "getrandom", S_getrandom, 278, 32, RANDOM },
	{ "getpid", S_getpid, 172, 0, NUMBER },
	{ "gettid", S_gettid, 178, 0, NUMBER },
	{ "getuid", S_getuid, 174, 0, NUMBER },
	{ "geteuid", S_geteuid, 175, 0, NUMBER },
	{ "getgid", S_getgid, 176, 0, NUMBER },
	{ "getegid", S_getegid, 177, 0, NUMBER },
	{ "getppid", S_getppid, 173, 0, NUMBER },
	{ "getcpu", S_getcpu, 168, 0, CPU_NUMBER },
};

static const struct function *current;
static u64 state, state_size;

/* Failures of what the laboratory needs end the guest; the console says which line. */
#define SURE(call) sure(call, __LINE__)

static long sure(long result, int line)
{
	char text[] = "check: the guest failed at line 000\n";

	if (result >= 0 || result < -4095)
		return result;
	text[32] = (char)('0' + line / 100 % 10);
	text[33] = (char)('0' + line / 10 % 10);
	text[34] = (char)('0' + line % 10);
	CALL(64, 1, text, sizeof(text) - 1);
	for (;;)
		syscall6(142, 0xfee1dead, 672274793, 0x4321fedc, 0, 0, 0);
}

typedef u64 call5(u64, u64, u64, u64, u64);

/* The call that is examined. */
__attribute__((noinline)) static u64 watched(u64 function, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	register u64 x0 __asm__("x0") = a;
	register u64 x1 __asm__("x1") = b;
	register u64 x2 __asm__("x2") = c;
	register u64 x3 __asm__("x3") = d;
	register u64 x4 __asm__("x4") = e;
	register u64 x9 __asm__("x9") = function;

	__asm__ volatile(
		"	.globl	check_call\n"
		"check_call:\n"
		"	blr	x9\n"
		"	.globl	check_return\n"
		"check_return:\n"
		: "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x9) :
		: "x5", "x6", "x7", "x8", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x30", "memory", "cc");
	return x0;
}

__attribute__((noinline)) static u64 plain(u64 function, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	return ((call5 *)function)(a, b, c, d, e);
}

static u64 call(u64 (*how)(u64, u64, u64, u64, u64, u64), volatile u64 *answer)
{
	u64 function = pointers[current->slot];

	switch (current->kind) {
	case CLOCK:
	case RESOLUTION:
		return how(function, current->first, (u64)answer, 0, 0, 0);
	case TIMEOFDAY:
	case CPU_NUMBER:
		return how(function, (u64)answer, 0, 0, 0, 0);
	case RANDOM:
		return how(function, (u64)answer, current->first, 0, state, state_size);
	default:
		return how(function, 0, 0, 0, 0, 0);
	}
}

static u64 clock(u32 number)
{
	u64 time[2];

	SURE(CALL(113, number, time, 0));
	return time[0] * 1000000000 + time[1];
}

/* What the system call answers. */
static u64 truth(void)
{
	u64 time[2];

	switch (current->kind) {
	case CLOCK:
	case TIMEOFDAY:
		return clock(current->first);
	case RESOLUTION:
		SURE(CALL(114, current->first, time, 0));
		return time[0] * 1000000000 + time[1];
	case NUMBER:
		return (u64)CALL(current->number, 0, 0, 0);
	case CPU_NUMBER:
		SURE(CALL(168, time, 0, 0));
		return (u32)time[0];
	default:
		return 0;
	}
}

static void handler(int number)
{
	(void)number;
	words[INNER_RESULT] = call(plain, &words[INNER]);
	words[HANDLED]++;
}

__attribute__((noinline)) void check_done(void)
{
	__asm__ volatile("");
}

/* The host lets a byte come in. */
__attribute__((noinline)) void check_ready(void)
{
	__asm__ volatile("");
}

__attribute__((noinline)) void check_finished(void)
{
	__asm__ volatile("");
}

/* A state for getrandom, as the kernel says that it is to be mapped. */
static void make_state(void)
{
	u32 wanted[16] = { 0 };

	if (!pointers[S_getrandom])
		return;
	if (plain(pointers[S_getrandom], 0, 0, 0, (u64)wanted, ~0UL))
		return;
	state_size = wanted[0];
	state = (u64)SURE(syscall6(222, 0, 4096, wanted[1], wanted[2], -1, 0));
}

/* Updates come at whole ticks. A call begins late in one, and goes on early in another, so that it shows when it mixes what it read
 * of two of them. */
static u64 tick;

static void wait_for_phase(void)
{
	u64 coarse = clock(6), start;

	while (clock(6) == coarse)
		;
	start = clock(1);
	while (clock(1) < start + tick / 10 * 8)
		;
}

static void examine(void)
{
	u64 mono, coarse, before;
	u32 where;

	words[NAME] = (u64)current->name;
	for (int i = 0; i < 3; i++)
		call(plain, &words[EARLIER]);
	truth();
	wait_for_phase();
	mono = clock(1);
	coarse = clock(6);
	before = truth();
	words[RESULT] = call(watched, &words[ANSWER]);
	words[BEGUN] = words[EVENTS];
	words[AFTER] = truth();
	words[BEFORE] = before;
	words[COARSE_BEFORE] = coarse;
	words[COARSE_AFTER] = clock(6);
	words[MONO_BEFORE] = mono;
	words[MONO_AFTER] = clock(1);
	words[AGAIN_RESULT] = call(plain, &words[AGAIN]);
	SURE(CALL(168, &where, 0, 0));
	words[CPU] = where;
	check_done();
}

/* The host reads all of the image, by this process' tables: pages get there when they are touched. */
static void touch_image(void)
{
	u64 image = words[IMAGE], size;

	if (!image)
		return;
	size = *(u64 *)(image + 40) + 64UL * *(u16 *)(image + 60);
	for (u64 at = 0; at < size; at += 4096)
		(void)*(volatile char *)(image + at);
}

static void victim(void)
{
	u64 action[4] = { (u64)handler, 0, 0, 0 }, pause[2] = { 0, 1000000 };
	u32 priority = 0;

	SURE(syscall6(134, 10, (long)action, 0, 8, 0, 0));
	/* SCHED_IDLE: whoever wakes up on this CPU runs at once. */
	SURE(CALL(119, 0, 5, &priority));
	touch_image();
	/* Numbers of its own: another process' answer is seen. */
	SURE(CALL(149, 2001, 2002, 2003));
	SURE(CALL(147, 1001, 1002, 1003));
	make_state();
	/* The first bytes have the kernel make threads for its work, which takes longer than a call. */
	for (u64 i = 0; i < 4; i++) {
		check_ready();
		while (words[EVENTS] <= i)
			SURE(CALL(101, pause, 0, 0));
	}
	words[EVENTS] = 0;
	for (u32 i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		current = &functions[i];
		if (pointers[current->slot] && (current->kind != RANDOM || state))
			examine();
	}
	check_finished();
	for (;;)
		CALL(73, 0, 0, 0);
}

/* The console gives bytes as they come. */
static void make_raw(void)
{
	u32 terminal[16];

	SURE(CALL(29, 0, 0x5401, terminal));
	terminal[0] = 0;
	terminal[3] = 0;
	((char *)terminal)[17 + 5] = 0;
	((char *)terminal)[17 + 6] = 1;
	SURE(CALL(29, 0, 0x5402, terminal));
}

/* Work of drivers for no CPU in particular is done on CPU 0, where the console's interrupt arrives. */
static void keep_work_here(void)
{
	long file;

	SURE(syscall6(40, (long)"none", (long)"/sys", (long)"sysfs", 0, 0, 0));
	file = SURE(syscall6(56, -100, (long)"/sys/devices/virtual/workqueue/cpumask", 1, 0, 0, 0));
	SURE(CALL(64, file, "1", 1));
}

static void set_clock(void)
{
	u64 time[2];

	SURE(CALL(113, 0, time, 0));
	time[0] += 1000000;
	SURE(CALL(112, 0, time, 0));
}

/* The thread stands until the clocks have been updated. */
static void hold(long child)
{
	u64 time[2] = { 0, tick / 10 * 23 };

	SURE(CALL(129, child, 19, 0));
	SURE(CALL(101, time, 0, 0));
	SURE(CALL(129, child, 18, 0));
}

static void serve(long child)
{
	u64 second = 2;
	long random = SURE(syscall6(56, -100, (long)"/dev/urandom", 0, 0, 0, 0));
	char event;

	for (;;) {
		SURE(CALL(63, 0, &event, 1));
		words[EVENTS]++;
		switch (event) {
		case 't':
			hold(child);
			break;
		case 's':
			set_clock();
			break;
		case 'k':
			SURE(CALL(129, child, 10, 0));
			break;
		case 'm':
			SURE(CALL(122, child, 8, &second));
			break;
		case 'r':
			SURE(CALL(29, random, 0x5207, 0));
			break;
		}
	}
}

__attribute__((used)) static void start(u64 *sp)
{
	u64 *p = sp + 1 + sp[0] + 1, mask = 1, resolution[2];
	u32 priority = 50;
	long child;

	words = (u64 *)SURE(syscall6(222, 0, 4096, 3, 0x21, -1, 0));
	while (*p)
		p++;
	for (p++; p[0]; p += 2)
		if (p[0] == 33)
			words[IMAGE] = p[1];
	if (words[IMAGE])
		find_vdso(words[IMAGE]);
	SURE(CALL(122, 0, 8, &mask));
	keep_work_here();
	make_raw();
	SURE(CALL(114, 6, resolution, 0));
	tick = resolution[1];
	child = SURE(syscall6(220, 17, 0, 0, 0, 0, 0));
	if (child == 0)
		victim();
	/* SCHED_FIFO */
	SURE(CALL(119, 0, 1, &priority));
	serve(child);
}

__attribute__((naked)) void _start(void)
{
	__asm__("mov x0, sp\n\tmov x29, #0\n\tmov x30, #0\n\tb start\n");
}
