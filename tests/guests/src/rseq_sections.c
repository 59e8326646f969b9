// SPDX-License-Identifier: MIT
/*
 * Descriptors of critical sections (struct rseq_cs), good and bad, as the kernel reads them when it comes back to a
 * section that was left by a switch or a signal. What is expected is what kernel/rseq.c of Linux 6.1 to 6.12 does; it is
 * recorded from these kernels (tests/guests/booted).
 */
#include "guest.h"
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#define SIGNATURE	0xd428bc00
#define OTHER		0x11111111
/* Of a kernel with 48 bits of address, or 39: the stack is at the end. */
#define TASK_SIZE	((uint64_t)__builtin_frame_address(0) >> 39 ? 1UL << 48 : 1UL << 39)
#define PAGE		4096

extern const ptrdiff_t __rseq_offset;
extern const unsigned int __rseq_size;

struct area {
	uint32_t start, id;
	uint64_t section;
	uint32_t flags, node, mm, pad;
};

struct section {
	uint32_t version, flags;
	uint64_t start, length, abort;
};

/* What becomes of a child: it goes on where it was, or at an abort, or it is killed. */
enum { WENT_ON = 1, ABORTED, KILLED };

/* Places in and around the section. */
extern char before[], begin[], in[], after[], end_sig[], end[], behind[], bad[];

static struct area *area;
static struct section *section;
/* Long enough that the CPU is given away before it is over. */
static const struct timespec soon = { .tv_nsec = 1000000 };
static uint64_t pointer;
static uint32_t signature;
static int by_signal;

static void handler(int number)
{
	(void)number;
}

static void segv(int number)
{
	(void)number;
	_exit(WENT_ON + 16);
}

static void mend(int number)
{
	(void)number;
	section->version = 0;
}

/*
 * Makes a call inside of a section. "after" is where the call returns to. Behind "in", "end" and so on are abort handlers,
 * each with a signature before it.
 */
__attribute__((noinline, noclone)) static long leave(long number, long a, long b)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;

	__asm__ volatile(
		"	str	%[pointer], [%[area]]\n"
		"	b	1f\n"
		"	.inst	0xd428bc00\n"
		"	.globl	before\nbefore:	b	8f\n"
		"	.inst	0xd428bc00\n"
		"	.globl	begin\nbegin:\n"
		"1:	svc	#0\n"
		"	.globl	after\nafter:	b	9f\n"
		"	.inst	0xd428bc00\n"
		"	.globl	in\nin:	b	8f\n"
		"	.globl	end_sig\nend_sig:	.inst	0xd428bc00\n"
		"	.globl	end\nend:	b	8f\n"
		"	.inst	0xd428bc00\n"
		"	.globl	behind\nbehind:	b	8f\n"
		"	.inst	0x11111111\n"
		"	.globl	bad\nbad:\n"
		"8:	mov	x0, #2\n	b	7f\n"
		"9:	mov	x0, #1\n"
		"7:\n"
		: "+r"(x0) : "r"(x8), "r"(x1), [pointer] "r"(pointer), [area] "r"(&area->section) : "memory", "cc");
	return x0;
}


/* A child with an area and a section as "spoil" leaves them; what became of it, and whether rseq_cs was cleared. */
static int child(void (*spoil)(void), int *cleared)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		pointer = (uint64_t)section;
		signature = SIGNATURE;
		*section = (struct section){
			.start = (uint64_t)begin, .length = end - begin, .abort = (uint64_t)behind };
		signal(SIGUSR1, handler);
		spoil();
		if (!area || syscall(SYS_rseq, area, sizeof(*area), 0, signature))
			_exit(100);
		long way = by_signal ? leave(SYS_kill, getpid(), SIGUSR1) : leave(SYS_nanosleep, (long)&soon, 0);
		_exit(way + (area->section ? 0 : 16));
	}
	waitpid(pid, &status, 0);
	*cleared = WIFEXITED(status) && (WEXITSTATUS(status) & 16);
	return WIFEXITED(status) ? WEXITSTATUS(status) & ~16 : WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV ? KILLED : -1;
}

/* The end of a page behind which there is nothing. */
static char *edge(void)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(pages + PAGE, PAGE);
	return pages + PAGE;
}

#define CASES \
	X(none, "no section", WENT_ON, pointer = 0) \
	X(good, "a section that is left", ABORTED, (void)0) \
	X(one, "of one instruction", ABORTED, section->start = (uint64_t)after; section->length = 4) \
	X(ends, "one that ends there", WENT_ON, section->length = after - begin) \
	X(last, "one whose last byte is there", ABORTED, section->length = after - begin + 1) \
	X(begins, "one that begins behind it", WENT_ON, section->start = (uint64_t)after + 4; section->length = end - after - 4) \
	X(byte, "one that begins a byte behind it", WENT_ON, section->start = (uint64_t)after + 1; section->length = 4) \
	X(empty, "one without a byte", WENT_ON, section->start = (uint64_t)after; section->length = 0) \
	X(version, "of another version", KILLED, section->version = 1) \
	X(version_out, "of another version, somewhere else", KILLED, section->version = 1; section->length = 4) \
	X(kernel, "a descriptor at TASK_SIZE", KILLED, pointer = TASK_SIZE) \
	X(high, "a descriptor of the kernel's", KILLED, pointer = 0xffff800008000000) \
	X(tagged, "a descriptor with a tag", KILLED, pointer |= 1UL << 56) \
	X(unmapped, "a descriptor that is not there", KILLED, pointer = 4096) \
	X(half, "half a descriptor", KILLED, pointer = (uint64_t)memcpy(edge() - 16, section, 16)) \
	X(whole, "a descriptor at the end of a page", ABORTED, pointer = (uint64_t)memcpy(edge() - 32, section, 32)) \
	X(odd, "a descriptor at an odd address", ABORTED, pointer = (uint64_t)memcpy((char *)section + 101, section, 32)) \
	X(absent, "a descriptor in a page to be faulted in", ABORTED, madvise(section, PAGE, MADV_DONTNEED)) \
	X(start, "a start at TASK_SIZE", KILLED, section->start = TASK_SIZE; section->length = 0) \
	X(sum, "an end at TASK_SIZE", KILLED, section->length = TASK_SIZE - section->start; section->abort = (uint64_t)before) \
	X(sum_less, "an end below it", ABORTED, section->length = TASK_SIZE - 1 - section->start; section->abort = (uint64_t)before) \
	X(wraps, "an end that is past all addresses", KILLED, section->length = 4096 - section->start; section->abort = (uint64_t)before) \
	X(abort, "an abort at TASK_SIZE", KILLED, section->abort = TASK_SIZE) \
	X(abort_tag, "an abort with a tag", KILLED, section->abort |= 1UL << 56) \
	X(abort_at, "an abort at the start", KILLED, section->abort = (uint64_t)begin) \
	X(abort_in, "an abort inside", KILLED, section->abort = (uint64_t)in) \
	X(abort_end, "an abort at the end", ABORTED, section->abort = (uint64_t)end) \
	X(abort_before, "an abort before the start", ABORTED, section->abort = (uint64_t)before) \
	X(abort_out, "an abort inside, of one that is somewhere else", KILLED, \
		section->start = (uint64_t)end_sig; section->length = 8; section->abort = (uint64_t)end) \
	X(sig, "another signature", KILLED, section->abort = (uint64_t)bad) \
	X(sig_out, "another signature, of a section somewhere else", KILLED, section->abort = (uint64_t)bad; section->length = 4) \
	X(sig_none, "the signature of another registration", KILLED, signature = OTHER) \
	X(sig_own, "the signature that was registered", ABORTED, signature = OTHER; section->abort = (uint64_t)bad) \
	X(sig_unread, "a signature that cannot be read", KILLED, section->abort = 4096) \
	X(sig_zero, "an abort at 0", KILLED, section->abort = 0) \
	X(flag1, "a section with the flag of preemption", KILLED, section->flags = 1) \
	X(flag2, "a section with the flag of signals", KILLED, section->flags = 2) \
	X(flag8, "a section with an unknown flag", KILLED, section->flags = 1U << 31) \
	X(flag_out, "a section with a flag, somewhere else", WENT_ON, section->flags = 1; section->length = 4) \
	X(area1, "an area with the flag of migration", KILLED, area->flags = 4) \
	X(area8, "an area with an unknown flag", KILLED, area->flags = 1U << 30) \
	X(area_out, "an area with a flag, out of a section", WENT_ON, area->flags = 4; section->length = 4) \
	X(area_none, "an area with a flag and no section", WENT_ON, area->flags = 4; pointer = 0) \
	X(handled, "what is wrong, and a handler", WENT_ON, section->version = 1; signal(SIGSEGV, segv)) \
	X(returned, "and a handler that returns", KILLED, section->version = 1; signal(SIGSEGV, handler)) \
	X(mended, "and one that mends it", KILLED, section->version = 1; signal(SIGSEGV, mend)) \
	X(ignored, "what is wrong, where the signal is ignored", KILLED, section->version = 1; signal(SIGSEGV, SIG_IGN))

#define X(name, what, way, spoil) static void spoil_##name(void) { spoil; }
CASES
#undef X

static const struct {
	const char *what;
	int way;
	void (*spoil)(void);
} cases[] = {
#define X(name, what, way, spoil) { what, way, spoil_##name },
	CASES
#undef X
};

/* The area cannot be written, in the middle of a section or without one. */
static int lost(uint64_t section_at, int gone)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		*section = (struct section){
			.start = (uint64_t)begin, .length = end - begin, .abort = (uint64_t)behind };
		if (syscall(SYS_rseq, area, sizeof(*area), 0, SIGNATURE))
			_exit(100);
		area->section = section_at;
		if (gone)
			munmap(area, PAGE);
		else
			mprotect(area, PAGE, PROT_READ);
		syscall(SYS_nanosleep, &soon, NULL);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

int main(void)
{
	/* In the place of the C library's. */
	if (__rseq_size)
		CHECK("given up", syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset, 32, 1, SIGNATURE) == 0);
	area = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	section = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (by_signal = 0; by_signal < 2; by_signal++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			char line[100];
			int cleared, way = child(cases[i].spoil, &cleared);

			snprintf(line, sizeof(line), "%s: %s", by_signal ? "signal" : "switch", cases[i].what);
			CHECK(line, way == cases[i].way && cleared == (way != KILLED));
			if (way != cases[i].way)
				fprintf(stderr, "way %d\n", way);
		}
	CHECK("an area that became read-only", lost(0, 0));
	CHECK("and has a section", lost((uint64_t)section, 0));
	CHECK("an area that is gone", lost(0, 1));
	return guest_done("rseq_sections");
}
