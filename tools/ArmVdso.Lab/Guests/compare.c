/*
 * The guest of "armvdso compare" and "armvdso trace": threads that call each
 * function many times by system call and by vDSO. It measures nothing itself:
 * the host watches the labels NAME_sys_ret, NAME_vdso_ret and empty_ret.
 *
 *	compare [THREADS [r|- [ROUNDS]]]	r: each thread registers an rseq area
 *	compare m PROCESSES THREADS		only makes them, for a count of pages at memory_ret
 *
 * With OWN it is the guest for functions of other designs, labels own0_sys_ret and on:
 *	own THREADS r|- ROUNDS [SYMBOL NUMBER ARGUMENT|b]...	b: a buffer
 * With BOOTED it is the first process of a booted kernel, one thread of one CPU; it switches the machine off at its end.
 * Freestanding; built by build.sh with clang-19 and ld.lld-19.
 */
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

#ifndef ITERATIONS
#define ITERATIONS 400
#endif
#define MAX_THREADS 130
#define STACK_SIZE 8192

#include "syscall.h"
#ifdef OWN
#include "own.h"
#else
#include "calls.h"
#endif

static u64 pointers[S_COUNT > 16 ? S_COUNT : 16];	/* vDSO functions; 0 when there is none */
static u8 stacks[MAX_THREADS][STACK_SIZE] __attribute__((aligned(16)));
static volatile u32 running[MAX_THREADS];
static u64 rounds = ITERATIONS;
static u32 with_rseq, only_memory;

/*
 * One loop by system call and one by vDSO. The arguments are set up anew in
 * each round, as in the empty loop, so that the difference is the call alone.
 */
#define CLOBBERS "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", \
	"x14", "x15", "x16", "x17", "x30", "memory", "cc"

#define BENCH(name, number, slot, first)						\
static void bench_##name(u64 *buffer, u64 count)					\
{											\
	register u64 n __asm__("x20") = count;						\
	register u64 *p __asm__("x21") = buffer;					\
	register u64 f __asm__("x22") = pointers[slot];					\
	__asm__ volatile(								\
		"1:	mov	x0, %[a]\n"						\
		"	mov	x1, x21\n"						\
		"	mov	x8, %[nr]\n"						\
		"	svc	#0\n"							\
		"	.globl	" #name "_sys_ret\n"					\
		#name "_sys_ret:\n"							\
		"	subs	x20, x20, #1\n"						\
		"	b.ne	1b\n"							\
		: "+r"(n), "+r"(p) : [nr] NUMBER(number), [a] first : CLOBBERS);		\
	if (!f)										\
		return;									\
	n = count;									\
	p = buffer;									\
	__asm__ volatile(								\
		"1:	mov	x0, %[a]\n"						\
		"	mov	x1, x21\n"						\
		"	mov	x8, %[nr]\n"						\
		"	blr	x22\n"							\
		"	.globl	" #name "_vdso_ret\n"					\
		#name "_vdso_ret:\n"							\
		"	subs	x20, x20, #1\n"						\
		"	b.ne	1b\n"							\
		: "+r"(n), "+r"(p), "+r"(f) : [nr] NUMBER(number), [a] first : CLOBBERS);	\
}

#ifdef OWN
#define NUMBER(number) "r"(number)
#else
#define NUMBER(number) "i"(number)
#endif
#define POINTER "r"(buffer + 4)
#define VALUE(id) "i"(id)

BENCHES

static void bench_empty(u64 *buffer, u64 count)
{
	register u64 n __asm__("x20") = count;
	register u64 *p __asm__("x21") = buffer;

	__asm__ volatile(
		"1:	mov	x0, #0\n"
		"	mov	x1, x21\n"
		"	mov	x8, #172\n"
		"	.globl	empty_ret\n"
		"empty_ret:\n"
		"	subs	x20, x20, #1\n"
		"	b.ne	1b\n"
		: "+r"(n), "+r"(p) : : CLOBBERS);
}

/* A change of credentials that changes nothing: what the design does for it. */
static void bench_setresuid(u64 count)
{
	register u64 n __asm__("x20") = count;

	__asm__ volatile(
		"1:	mov	x0, #-1\n"
		"	mov	x1, #-1\n"
		"	mov	x2, #-1\n"
		"	mov	x8, #147\n"
		"	svc	#0\n"
		"	.globl	setresuid_sys_ret\n"
		"setresuid_sys_ret:\n"
		"	subs	x20, x20, #1\n"
		"	b.ne	1b\n"
		: "+r"(n) : : CLOBBERS);
}

__attribute__((used)) static void work(void)
{
	u64 buffer[8];
	u64 rseq[4] __attribute__((aligned(32))) = { 0 };
	u64 n = rounds;

	if (only_memory)
		for (;;)
			syscall6(73, 0, 0, 0, 0, 0, 0);
	if (with_rseq)
		syscall6(293, (long)rseq, 32, 0, 0xd428bc00, 0, 0);

	/* gettimeofday(tv, NULL) and getcpu(&cpu, &node): x1 is buffer or buffer[0..] */
	bench_empty(buffer, n);
	RUN_BENCHES(buffer, n)
	bench_setresuid(n);
}

#include "vdso.h"

/* A thread: pthread's clone flags without TLS; the kernel clears running[] at its end. */
__attribute__((naked)) static long spawn(u64 flags __attribute__((unused)), u64 stack __attribute__((unused)),
	volatile u32 *tid __attribute__((unused)))
{
	__asm__(
		"	mov	x4, x2\n"
		"	mov	x3, #0\n"
		"	mov	x8, #220\n"
		"	svc	#0\n"
		"	cbz	x0, 1f\n"
		"	ret\n"
		"1:	bl	work\n"
		"	mov	x0, #0\n"
		"	mov	x8, #93\n"
		"	svc	#0\n");
}

static u64 number(const char *s)
{
	u64 n = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (u64)(*s - '0');
	return n;
}

/* The first process goes on when each of the others has its threads. */
static u32 pipes[2], others;

static void processes(u64 count, u64 threads)
{
	syscall6(59, (long)pipes, 0, 0, 0, 0, 0);
	for (u64 p = 1; p < count; p++) {
		if (syscall6(220, 17, 0, 0, 0, 0, 0) == 0) {
			others = ~0U;
			return;
		}
		others++;
	}
	(void)threads;
}

static void memory_done(void)
{
	char byte = 0;

	if (others == ~0U) {
		syscall6(64, pipes[1], (long)&byte, 1, 0, 0, 0);
		return;
	}
	while (others) {
		syscall6(63, pipes[0], (long)&byte, 1, 0, 0, 0);
		others--;
	}
	__asm__ volatile("	.globl	memory_ret\nmemory_ret:\n	nop\n");
	syscall6(94, 0, 0, 0, 0, 0, 0);
}

__attribute__((used)) static void start(u64 *sp)
{
	u64 argc = sp[0];
	u64 *p = sp + 1 + argc + 1;
	u64 threads = 4;
	char **argv = (char **)(sp + 1);

	while (*p)
		p++;
#ifdef OWN
	for (u64 i = 0; 4 + 3 * i + 2 < argc && i < S_COUNT; i++) {
		own[i].name = argv[4 + 3 * i];
		own[i].number = number(argv[4 + 3 * i + 1]);
		own[i].buffer = argv[4 + 3 * i + 2][0] == 'b';
		own[i].first = argv[4 + 3 * i + 2][0] == '-' ? -number(argv[4 + 3 * i + 2] + 1) : number(argv[4 + 3 * i + 2]);
	}
#endif
	for (p++; p[0]; p += 2)
		if (p[0] == 33)
			find_vdso(p[1]);
	if (argc > 3 && argv[1][0] == 'm') {
		only_memory = 1;
		threads = number(argv[3]);
		processes(number(argv[2]), threads);
	} else if (argc > 1) {
		threads = number(argv[1]);
	}
	with_rseq = argc > 2 && argv[2][0] == 'r';
#ifdef OWN
	rounds = argc > 3 && number(argv[3]) ? number(argv[3]) : ITERATIONS;
#else
	if (argc > 3 && !only_memory)
		rounds = number(argv[3]);
#endif
	if (threads < 1 || threads > MAX_THREADS)
		syscall6(94, 2, 0, 0, 0, 0, 0);
	for (u64 i = 1; i < threads; i++) {
		running[i] = 1;
		/* VM FS FILES SIGHAND THREAD SYSVSEM CHILD_CLEARTID */
		if (spawn(0x250f00, (u64)stacks[i] + STACK_SIZE, &running[i]) < 0)
			syscall6(94, 1, 0, 0, 0, 0, 0);
	}
#ifdef BOOTED
	/* Who watches begins between two turns of the CPU: sleep 10 ms. */
	u64 mask = 1, pause[2] = { 0, 10000000 };

	syscall6(122, 0, 8, (long)&mask, 0, 0, 0);
	syscall6(64, 1, (long)"compare: begin\n", 15, 0, 0, 0);
	syscall6(101, (long)pause, 0, 0, 0, 0, 0);
	threads = 1;
#endif
	if (only_memory)
		memory_done();
	work();
#ifdef BOOTED
	syscall6(142, 0xfee1dead, 672274793, 0x4321fedc, 0, 0, 0);
#endif
	for (u64 i = 1; i < threads; i++)
		while (running[i])
			syscall6(98, (long)&running[i], 0, 1, 0, 0, 0);
	syscall6(94, 0, 0, 0, 0, 0, 0);
}

__attribute__((naked)) void _start(void)
{
	__asm__("mov x0, sp\n\tmov x29, #0\n\tmov x30, #0\n\tb start\n");
}
