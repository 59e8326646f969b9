// SPDX-License-Identifier: MIT
/* What a signal does to a restartable sequence, and what it does to a number that the program itself stored in the area. Run with
 * GLIBC_TUNABLES=glibc.pthread.rseq=0. */
#include "guest.h"
#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>

#define SIGNATURE 0xd428bc00
#define UNTOUCHED 0x12345

static struct {
	uint32_t start, id;
	uint64_t section;
	uint32_t flags, node, mm, pad;
} __attribute__((aligned(32))) area = { .id = UNTOUCHED };

static struct {
	uint32_t version, flags;
	uint64_t start, length, abort;
} __attribute__((aligned(32))) section;

static volatile int signals;
static volatile uint64_t pc, section_seen;
extern char rseq_begin[], rseq_end[], rseq_abort[], rseq_bad[];

static void handler(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info;
	signals++;
	pc = ((ucontext_t *)context)->uc_mcontext.pc;
	section_seen = area.section;
}

/* Counts for ever inside of a section; -7 from its abort handler, -8 from the one without a signature. */
__attribute__((noinline, noclone)) static long spin(void)
{
	long result;

	__asm__ volatile(
		"	str	%2, [%1]\n"
		"	.globl	rseq_begin\nrseq_begin:\n	mov	%0, #0\n"
		"1:	add	%0, %0, #1\n	cbnz	%0, 1b\n"
		"	.globl	rseq_end\nrseq_end:\n	b	9f\n"
		"	.inst	0xd428bc00\n	.globl	rseq_abort\nrseq_abort:\n	mov	%0, #-7\n	b	9f\n"
		"	.inst	0x11111111\n	.globl	rseq_bad\nrseq_bad:\n	mov	%0, #-8\n9:"
		: "=&r"(result) : "r"(&area.section), "r"(&section) : "memory");
	return result;
}

static void alarm_in(long us)
{
	struct itimerval timer = { .it_value = { .tv_usec = us } };

	setitimer(ITIMER_REAL, &timer, NULL);
}

static long rseq(void *at, int flags, uint32_t signature)
{
	return syscall(SYS_rseq, at, 32, flags, signature);
}

/* The status of a child that is stopped where it makes a call, and then goes on. */
static int traced(long call)
{
	struct { uint8_t op, pad[3]; uint32_t arch; uint64_t pc, sp, number, args[6]; } info;
	pid_t child = fork();
	int status;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		if (call == SYS_execve)
			execl("/proc/self/exe", "rseq_events", "area", (char *)NULL);
		_exit(!(rseq(&area, 1, SIGNATURE) == 0 && area.id == (uint32_t)-1 && area.start == 0));
	}
	waitpid(child, &status, 0);
	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
	do {
		ptrace(PTRACE_SYSCALL, child, 0, 0);
		waitpid(child, &status, 0);
		memset(&info, 0, sizeof(info));
		ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info);
		if (!WIFSTOPPED(status))
			return -1;
	} while (info.op != PTRACE_SYSCALL_INFO_ENTRY || (long)info.number != call);
	ptrace(PTRACE_DETACH, child, 0, 0);
	waitpid(child, &status, 0);
	return status;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "area"))
		return area.id != UNTOUCHED;
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	int status;
	pid_t child;

	CHECK("registered", rseq(&area, 0, SIGNATURE) == 0);
	sigaction(SIGALRM, &action, NULL);
	section.start = (uint64_t)rseq_begin;
	section.length = rseq_end - rseq_begin;
	section.abort = (uint64_t)rseq_abort;
	alarm_in(3000);
	CHECK("a signal aborts a section", spin() == -7);
	CHECK("the area has none then", area.section == 0);
	CHECK("nor has the handler", signals == 1 && section_seen == 0);
	CHECK("which interrupts the abort handler", pc == (uint64_t)rseq_abort);
	area.start = 0x80000001;
	signals = 0;
	alarm_in(1000);
	while (!signals)
		;
	CHECK("a number stored over cpu_id_start is written anew", area.start < 64);
	CHECK("registering twice", rseq(&area, 0, SIGNATURE) == -1 && errno == EBUSY);
	CHECK("with another signature", rseq(&area, 0, 1) == -1 && errno == EPERM);
	CHECK("at another address", rseq((char *)&area + 32, 0, SIGNATURE) == -1 && errno == EINVAL);
	child = fork();
	if (!child) {
		section.abort = (uint64_t)rseq_bad;
		alarm_in(500);
		spin();
		_exit(3);
	}
	waitpid(child, &status, 0);
	CHECK("an abort handler without a signature is fatal", WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	child = fork();
	if (!child) {
		long result = rseq(&area, 1, SIGNATURE);

		_exit(!(result == 0 && area.id == (uint32_t)-1));
	}
	waitpid(child, &status, 0);
	CHECK("a child has its parent's area and can give it up", status == 0);
	/* A tracer has both sleep in the middle of the call. */
	CHECK("given up while it sleeps, an area is left alone", traced(SYS_rseq) == 0);
	CHECK("so is what lies there in a new program", traced(SYS_execve) == 0);
	return guest_done("rseq_events");
}
