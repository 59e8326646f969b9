/*
 * The guest of "armvdso check --kernel-image": the first process of a booted kernel. Another, the victim, calls each function
 * of the vDSO at check_call and writes down what system calls say before and after; the host lets bytes come in on the console
 * in the middle of a call. The first process reads them, on the victim's CPU and with a higher priority, and does what each
 * stands for, or sends a signal, whose handler does it. The victim's parent is on another CPU. It looks every now and then for
 * what the host has written to ORDER while the victim's CPU stood still, so that nothing runs there.
 * Freestanding; built by build.sh with clang-19 and ld.lld-19.
 */
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned short u16;

#include "syscall.h"

enum { S_clock_gettime, S_gettimeofday, S_clock_getres, S_getrandom, S_getpid, S_gettid, S_getuid, S_geteuid, S_getgid, S_getegid,
	S_getppid, S_getcpu, S_getpgid, S_getsid, S_COUNT };

#define FUNCTION_NAMES									\
	"__kernel_clock_gettime", "__kernel_gettimeofday", "__kernel_clock_getres",	\
	"__kernel_getrandom", "__kernel_getpid", "__kernel_gettid", "__kernel_getuid",	\
	"__kernel_geteuid", "__kernel_getgid", "__kernel_getegid", "__kernel_getppid",	\
	"__kernel_getcpu", "__kernel_getpgid", "__kernel_getsid",

static u64 pointers[S_COUNT];

#include "vdso.h"

#define CALL(nr, a, b, c) syscall6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)

/* Words that the host reads (tools/ArmVdso.Lab/Boot/CallRecord.cs), in a page that all processes share. An answer is four
 * words. */
enum {
	IMAGE,			/* the vDSO's first byte */
	NAME,			/* of the function, as the laboratory calls it */
	LIFE,			/* how the victim lives: enum life */
	CAN,			/* what the kernel has: enum part */
	COUNTER_BEFORE,		/* the counter, in ns */
	COARSE_BEFORE,		/* CLOCK_MONOTONIC_COARSE in ns, by system call */
	BEFORE,			/* what the system call answers before */
	RETURNED,		/* 1: the call came back */
	RESULT,			/* what the function returned */
	ANSWER,			/* what it wrote */
	BEGUN = ANSWER + 4,	/* events that had begun when it returned */
	AFTER,			/* what the system call answers then */
	COARSE_AFTER,
	COUNTER_AFTER,
	AGAIN_RESULT,		/* another call of the function */
	AGAIN,
	HANDLED = AGAIN + 4,	/* calls that an event led to: a handler's, a child's, a new program's */
	INNER_RESULT,		/* the last of them */
	INNER,
	INNER_BEFORE = INNER + 4, /* what the system call answered there before it */
	INNER_AFTER,
	CHILD,			/* 1: a child, made in the middle of the call, has come back from it, too */
	CHILD_RESULT,
	CHILD_ANSWER,
	CHILD_AFTER = CHILD_ANSWER + 4,
	WRITTEN,		/* what the call had written when the child was made */
	EARLIER = WRITTEN + 4,	/* a call before */
	CPU = EARLIER + 4,	/* where the thread is afterwards */
	DONE,			/* what events do besides was done so often */
	/* The host reads none of these. */
	EVENTS,			/* events that have begun */
	WHICH,			/* number of the function */
	ACT,			/* what the handler is to do: the byte of the event */
	VICTIM,			/* its number */
	/* The host writes it. */
	ORDER = 64,		/* what the victim's parent is to do: the byte of the event */
};

enum life {
	PLAIN,
	UNMAPPED,		/* in a user namespace where no ID has a number */
};

enum part {
	USER_NS = 1,
	PID_NS = 2,
	TIME_NS = 4,
};

/* Descriptors. */
enum {
	WORDS_FD = 100,
	USER_NS_FD,
	TIME_NS_FD,
	WAKE_FD,		/* wakes the inhabitant of another PID namespace */
	SLEEP_FD,
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
	{ "getpgid", S_getpgid, 155, 0, NUMBER },
	{ "getsid", S_getsid, 156, 0, NUMBER },
};

static const struct function *current;
static u64 answer[4];
static u64 state, state_size;

/* Failures of what the laboratory needs end the guest; the console says which line. */
#define SURE(call) sure(call, __LINE__)

static long sure(long result, int line)
{
	char text[] = "check: the guest failed at line 0000\n";

	if (result >= 0 || result < -4095)
		return result;
	for (int at = 35; at > 31; at--, line /= 10)
		text[at] = (char)('0' + line % 10);
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

/* A call that an event leads to. */
static void inner(void)
{
	words[INNER_BEFORE] = truth();
	words[INNER_RESULT] = call(plain, &words[INNER]);
	words[INNER_AFTER] = truth();
	words[HANDLED]++;
}

__attribute__((noreturn)) static void leave(void)
{
	for (;;)
		CALL(94, 0, 0, 0);
}

static long fork_with(u64 flags)
{
	return SURE(syscall6(220, (long)(flags | 17), 0, 0, 0, 0, 0));
}

static void wait_for(long child)
{
	SURE(syscall6(260, child, 0, 0x40000000, 0, 0, 0));
}

static u64 side_stack[512] __attribute__((aligned(16)));
static volatile u32 side_lives;

/* A task with the caller's memory, which runs function on a stack of its own. */
static long spawn(u64 flags, void (*function)(void))
{
	register long x8 __asm__("x8") = 220;
	register u64 x0 __asm__("x0") = flags;
	register u64 *x1 __asm__("x1") = side_stack + sizeof(side_stack) / sizeof(side_stack[0]);
	register u64 x2 __asm__("x2") = 0;
	register u64 x3 __asm__("x3") = 0;
	register volatile u32 *x4 __asm__("x4") = &side_lives;
	register void (*x9)(void) __asm__("x9") = function;

	__asm__ volatile(
		"	svc	#0\n"
		"	cbnz	x0, 1f\n"
		"	blr	x9\n"
		"	mov	x8, #93\n"
		"	svc	#0\n"
		"1:\n"
		: "+r"(x0), "+r"(x8) : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x9) : "memory", "cc", "x30");
	return SURE((long)x0);
}

/* Where there is a second CPU. */
static void go_away(void)
{
	u64 second = 2;

	CALL(122, 0, 8, &second);
}

static void call_elsewhere(void)
{
	go_away();
	inner();
}

/* CLOCK_MONOTONIC and CLOCK_BOOTTIME of the caller's children are others. */
static long leave_time(void)
{
	static const char offsets[] = "monotonic 1000 5\nboottime 2000 7\n";
	long file;

	if (CALL(97, 0x80, 0, 0))
		return -1;
	file = SURE(syscall6(56, -100, (long)"/proc/self/timens_offsets", 1, 0, 0, 0));
	SURE(CALL(64, file, offsets, sizeof(offsets) - 1));
	return 0;
}

/* In the child: it comes back from the interrupted call, too. */
static int is_child;

static void handler(int number)
{
	static const char *const arguments[] = { "armvdso-guest", "again", 0 };
	long child;

	(void)number;
	switch (words[ACT]) {
	case 'u':
		SURE(CALL(147, 1011, 1012, 1013));
		inner();
		break;
	case 'g':
		SURE(CALL(149, 2011, 2012, 2013));
		inner();
		break;
	case 'l':
		SURE(CALL(157, 0, 0, 0));
		inner();
		break;
	case 'f':
	case 'n':
		for (int i = 0; i < 4; i++)
			words[WRITTEN + i] = ((volatile u64 *)answer)[i];
		child = fork_with(words[ACT] == 'n' ? 0x30000000 : 0);
		if (!child) {
			is_child = 1;
			go_away();
			return;
		}
		wait_for(child);
		break;
	case 'v':
		wait_for(spawn(0x4111, inner));
		break;
	case 'h':
		side_lives = 1;
		spawn(0x250f00, call_elsewhere);
		while (side_lives)
			syscall6(98, (long)&side_lives, 0, 1, 0, 0, 0);
		break;
	case 'e':
		SURE(CALL(221, "/armvdso-guest", arguments, arguments + 2));
		break;
	case 'x':
		child = fork_with(0);
		if (!child) {
			SURE(CALL(97, 0x10000000, 0, 0));
			inner();
			leave();
		}
		wait_for(child);
		break;
	case 'y':
		SURE(CALL(268, USER_NS_FD, 0x10000000, 0));
		inner();
		break;
	case 'z':
		child = fork_with(0);
		if (!child) {
			SURE(leave_time());
			child = fork_with(0);
			if (child)
				wait_for(child);
			else
				inner();
			leave();
		}
		wait_for(child);
		break;
	case 'j':
		SURE(CALL(268, TIME_NS_FD, 0x80, 0));
		inner();
		break;
	default:
		inner();
	}
	words[DONE]++;
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

/* The counter is the same in all time namespaces, and nobody sets it. */
static u64 counter(void)
{
	u64 count, frequency;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tmrs %1, cntfrq_el0" : "=r"(count), "=r"(frequency) : : "memory");
	return count / frequency * 1000000000 + count % frequency * 1000000000 / frequency;
}

static void examine(void)
{
	u64 mono, coarse, before, result;
	u32 where;

	words[NAME] = (u64)current->name;
	words[WHICH] = (u64)(current - functions);
	for (int i = 0; i < 3; i++)
		call(plain, &words[EARLIER]);
	truth();
	for (int i = 0; i < 4; i++)
		answer[i] = 0;
	wait_for_phase();
	mono = counter();
	coarse = clock(6);
	before = truth();
	words[BEFORE] = before;
	words[COUNTER_BEFORE] = mono;
	words[COARSE_BEFORE] = coarse;
	result = call(watched, answer);
	if (is_child) {
		words[CHILD_RESULT] = result;
		for (int i = 0; i < 4; i++)
			words[CHILD_ANSWER + i] = answer[i];
		words[CHILD_AFTER] = truth();
		words[CHILD] = 1;
		leave();
	}
	words[BEGUN] = words[EVENTS];
	/* What another CPU does may have to wait for this one. */
	while (words[ORDER])
		;
	words[AFTER] = truth();
	words[RESULT] = result;
	for (int i = 0; i < 4; i++)
		words[ANSWER + i] = answer[i];
	words[COARSE_AFTER] = clock(6);
	words[COUNTER_AFTER] = counter();
	words[AGAIN_RESULT] = call(plain, &words[AGAIN]);
	SURE(CALL(168, &where, 0, 0));
	words[CPU] = where;
	words[RETURNED] = 1;
	check_done();
	words[RETURNED] = 0;
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

/* Other IDs than the first process has, with all that root may do: another process' answer is seen. */
static void change_ids(void)
{
	u32 header[2] = { 0x20080522, 0 }, sets[6];

	SURE(syscall6(167, 8, 1, 0, 0, 0, 0));
	SURE(CALL(149, 2001, 2002, 2003));
	SURE(CALL(147, 1001, 1002, 1003));
	SURE(CALL(90, header, sets, 0));
	sets[0] = sets[1];
	sets[3] = sets[4];
	SURE(CALL(91, header, sets, 0));
}

static void examine_all(void)
{
	for (u32 i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		current = &functions[i];
		if (pointers[current->slot] && (current->kind != RANDOM || state))
			examine();
	}
}

/* Before the first call of a victim: everybody has run once. */
static void settle(void)
{
	u64 pause[2] = { 0, 1000000 };

	/* The first bytes have the kernel make threads for its work, which takes longer than a call. */
	words[EVENTS] = 0;
	for (u64 i = 0; i < 4; i++) {
		check_ready();
		while (words[EVENTS] <= i)
			SURE(CALL(101, pause, 0, 0));
	}
	words[EVENTS] = 0;
}

static void victim(void)
{
	u64 action[4] = { (u64)handler, 0, 0, 0 };
	u32 priority = 0, mask = 1;

	SURE(CALL(122, 0, 8, (u64[]){ mask }));
	SURE(syscall6(134, 10, (long)action, 0, 8, 0, 0));
	/* SCHED_IDLE: whoever wakes up on this CPU runs at once. */
	SURE(CALL(119, 0, 5, &priority));
	touch_image();
	change_ids();
	make_state();
	words[VICTIM] = (u64)CALL(172, 0, 0, 0);
	settle();
	examine_all();
	/* Another victim, of the same parent. */
	if ((words[CAN] & USER_NS) && !fork_with(0x8000)) {
		SURE(CALL(97, 0x10000000, 0, 0));
		words[VICTIM] = (u64)CALL(172, 0, 0, 0);
		words[LIFE] = UNMAPPED;
		settle();
		examine_all();
		check_finished();
	}
	if (!(words[CAN] & USER_NS))
		check_finished();
	for (;;)
		CALL(73, 0, 0, 0);
}

static char *digits(char *to, u64 number)
{
	if (number > 9)
		to = digits(to, number / 10);
	*to = (char)('0' + number % 10);
	return to + 1;
}

/* Opens /proc/NUMBER/NAME. */
static long open_proc(u64 number, const char *name, long how)
{
	char path[64] = "/proc/", *to = digits(path + 6, number);

	*to++ = '/';
	while ((*to++ = *name++))
		;
	return SURE(syscall6(56, -100, (long)path, how, 0, 0, 0));
}

/* All IDs get the numbers that they have outside. */
static void map_ids(void)
{
	static const char map[] = "0 0 65536\n";

	SURE(CALL(64, open_proc(words[VICTIM], "uid_map", 1), map, sizeof(map) - 1));
	SURE(CALL(64, open_proc(words[VICTIM], "gid_map", 1), map, sizeof(map) - 1));
}

/* The victim's parent. */
static void parent(void)
{
	u64 second = 2, pause[2] = { 0, 20000 };
	u32 priority = 50;

	if (!fork_with(0))
		victim();
	/* With one CPU nothing can happen on another. */
	while (CALL(122, 0, 8, &second))
		CALL(73, 0, 0, 0);
	SURE(CALL(119, 0, 1, &priority));
	for (;;) {
		u64 order = words[ORDER];

		if (!order) {
			SURE(CALL(101, pause, 0, 0));
			continue;
		}
		words[EVENTS]++;
		switch (order) {
		case 'd':
			words[DONE]++;
			words[ORDER] = 0;
			leave();
		case 'q':
			SURE(CALL(154, words[VICTIM], words[VICTIM], 0));
			break;
		case 'i':
			map_ids();
			break;
		}
		words[DONE]++;
		words[ORDER] = 0;
	}
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

/* A process of another PID namespace, which runs before everybody when it is woken. */
static void inhabit(void)
{
	u32 priority = 60;
	char byte;

	SURE(CALL(119, 0, 1, &priority));
	for (;;) {
		SURE(CALL(63, SLEEP_FD, &byte, 1));
		current = &functions[words[WHICH]];
		if (words[VICTIM])
			inner();
		words[DONE]++;
	}
}

/* What events need that takes long to make, as far as the kernel has it. */
static void make_namespaces(void)
{
	u32 pipe[2];
	long child;

	if (CALL(40, "none", "/proc", "proc"))
		return;
	SURE(CALL(59, pipe, 0, 0));
	child = fork_with(0);
	if (!child) {
		u64 parts = 0;

		if (!leave_time())
			parts |= TIME_NS;
		if (!CALL(97, 0x10000000, 0, 0))
			parts |= USER_NS;
		words[CAN] = parts;
		SURE(CALL(64, pipe[1], "", 1));
		for (;;)
			CALL(73, 0, 0, 0);
	}
	SURE(CALL(63, pipe[0], (char[1]){ 0 }, 1));
	if (words[CAN] & USER_NS)
		SURE(CALL(24, open_proc((u64)child, "ns/user", 0), USER_NS_FD, 0));
	if (words[CAN] & TIME_NS)
		SURE(CALL(24, open_proc((u64)child, "ns/time_for_children", 0), TIME_NS_FD, 0));
	SURE(CALL(24, pipe[0], SLEEP_FD, 0));
	SURE(CALL(24, pipe[1], WAKE_FD, 0));
	child = syscall6(220, 0x20000011, 0, 0, 0, 0, 0);
	if (!child)
		inhabit();
	if (child > 0)
		words[CAN] |= PID_NS;
}

static void serve(void)
{
	u64 second = 2;
	long random = SURE(syscall6(56, -100, (long)"/dev/urandom", 0, 0, 0, 0));
	char event;

	for (;;) {
		SURE(CALL(63, 0, &event, 1));
		words[EVENTS]++;
		switch (event) {
		case 'p':
			break;
		case 't':
			hold((long)words[VICTIM]);
			break;
		case 's':
			set_clock();
			break;
		case 'm':
			SURE(CALL(122, words[VICTIM], 8, &second));
			break;
		case 'r':
			SURE(CALL(29, random, 0x5207, 0));
			break;
		case 'o':
			SURE(CALL(64, WAKE_FD, "", 1));
			break;
		default:
			words[ACT] = (u64)event;
			SURE(CALL(129, words[VICTIM], 10, 0));
		}
	}
}

static u64 image_of(u64 *sp)
{
	u64 *p = sp + 1 + sp[0] + 1;

	while (*p)
		p++;
	for (p++; p[0]; p += 2)
		if (p[0] == 33)
			return p[1];
	return 0;
}

/* The file stays open when a program is replaced by another. */
static void map_words(void)
{
	words = (u64 *)SURE(syscall6(222, 0, 4096, 3, 1, WORDS_FD, 0));
}

/* The program that the victim has become. */
static void new_program(u64 *sp)
{
	map_words();
	find_vdso(image_of(sp));
	current = &functions[words[WHICH]];
	/* The first call with a new state asks the kernel for a key. */
	if (current->kind == RANDOM) {
		make_state();
		call(plain, answer);
	}
	inner();
	words[DONE]++;
	check_done();
	leave();
}

__attribute__((used)) static void start(u64 *sp)
{
	u64 mask = 1, resolution[2];
	u32 priority = 50;

	if (sp[0] == 2 && same((const char *)sp[2], "again"))
		new_program(sp);
	SURE(CALL(24, SURE(syscall6(56, -100, (long)"/words", 0x42, 0600, 0, 0)), WORDS_FD, 0));
	SURE(CALL(46, WORDS_FD, 4096, 0));
	map_words();
	words[IMAGE] = image_of(sp);
	if (words[IMAGE])
		find_vdso(words[IMAGE]);
	SURE(CALL(122, 0, 8, &mask));
	keep_work_here();
	make_raw();
	SURE(CALL(114, 6, resolution, 0));
	tick = resolution[1];
	make_namespaces();
	if (!fork_with(0))
		parent();
	/* SCHED_FIFO */
	SURE(CALL(119, 0, 1, &priority));
	serve();
}

__attribute__((naked)) void _start(void)
{
	__asm__("mov x0, sp\n\tmov x29, #0\n\tmov x30, #0\n\tb start\n");
}
