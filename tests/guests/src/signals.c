// SPDX-License-Identifier: MIT
/* Signals: delivery, siginfo, masks, nesting, the alternate stack, what a handler may change, and its return. */
#include "guest.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>

static volatile sig_atomic_t count, depth, deepest, on_alternate, inner_blocked;
static volatile int seen_code, seen_status, seen_value;
static volatile pid_t seen_pid;
static void *volatile seen_address;
static sigjmp_buf back;
static char alternate[65536];

static void handle(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

static void counter(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	count++;
	seen_code = info->si_code;
	seen_pid = info->si_pid;
	seen_value = info->si_value.sival_int;
}

static volatile int *alarms;	/* in memory shared with a child */

static void alarmed(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	++*alarms;
}

static void child(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	seen_code = info->si_code;
	seen_pid = info->si_pid;
	seen_status = info->si_status;
}

static void fault(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	seen_code = info->si_code;
	seen_address = info->si_addr;
	siglongjmp(back, 1);
}

static void alternate_fault(int number, siginfo_t *info, void *context)
{
	char local;

	(void)number, (void)info, (void)context;
	on_alternate = &local >= alternate && &local < alternate + sizeof alternate;
	siglongjmp(back, 1);
}

static void skip(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info;
	((ucontext_t *)context)->uc_mcontext.pc += 4;
	((ucontext_t *)context)->uc_mcontext.regs[9] = 42;
	count++;
}

static void nested(int number, siginfo_t *info, void *context)
{
	(void)info, (void)context;
	if (++depth > deepest)
		deepest = depth;
	if (number == SIGUSR1 && !count) {
		sigset_t mask;

		sigprocmask(SIG_BLOCK, NULL, &mask);
		inner_blocked = sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGUSR2);
		raise(SIGUSR1);		/* blocked: comes after this handler */
		raise(SIGUSR2);		/* comes now */
	}
	count++;
	depth--;
}

/* Vector and general registers that the kernel must bring back. */
static int registers_survive(void)
{
	uint64_t general = 0x1122334455667788, low = 0, high = 0, result;
	double vector = 3.25;

	__asm__ volatile(
		"mov x20, %[general]\n\t"
		"fmov d20, %d[vector]\n\t"
		"mov v20.d[1], x20\n\t"
		"mov x8, #172\n\t"
		"svc #0\n\t"
		"mov x8, #129\n\t"		/* kill(getpid(), SIGUSR1) */
		"mov x1, #10\n\t"
		"svc #0\n\t"
		"mov %[result], x20\n\t"
		"mov %[low], v20.d[0]\n\t"
		"mov %[high], v20.d[1]"
		: [result] "=&r"(result), [low] "=&r"(low), [high] "=&r"(high)
		: [general] "r"(general), [vector] "w"(vector)
		: "x0", "x1", "x8", "x20", "v20", "memory", "cc");
	return result == general && high == general && low == 0x400a000000000000;
}

static void spoil(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info, (void)context;
	__asm__ volatile("movi v20.16b, #0xff\n\tmov x20, #-1" ::: "x20", "v20");
	count++;
}

static void overflow(int n)
{
	volatile char frame[4096];

	frame[0] = (char)n;
	if (n >= 0)
		overflow(n + 1);
	frame[1] = frame[0];
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);

	handle(SIGINT, counter, 0);
	kill(getpid(), SIGINT);
	CHECK("SIGINT by kill", count == 1 && seen_code == SI_USER && seen_pid == getpid());

	handle(SIGCHLD, child, 0);
	pid_t pid = fork();
	if (!pid)
		_exit(7);
	int status = 0;
	while (waitpid(pid, &status, 0) < 0)
		;
	CHECK("SIGCHLD of an exit", seen_pid == pid && seen_code == CLD_EXITED && seen_status == 7 && WEXITSTATUS(status) == 7);
	pid = fork();
	if (!pid) {
		pause();
		_exit(1);
	}
	kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0)
		;
	CHECK("SIGCHLD of a kill", seen_pid == pid && seen_code == CLD_KILLED && seen_status == SIGTERM && WTERMSIG(status) == SIGTERM);
	signal(SIGCHLD, SIG_DFL);

	handle(SIGSEGV, fault, 0);
	char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!sigsetjmp(back, 1))
		*(volatile char *)(page + 5) = 1;
	CHECK("SIGSEGV for want of permission", seen_code == SEGV_ACCERR && seen_address == page + 5);
	munmap(page, 8192);
	if (!sigsetjmp(back, 1))
		(void)*(volatile char *)(page + 4099);
	CHECK("SIGSEGV for want of a page", seen_code == SEGV_MAPERR && seen_address == page + 4099);
	if (!sigsetjmp(back, 1))
		((void (*)(void))(page + 8))();
	CHECK("SIGSEGV of a jump", seen_address == page + 8);

	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };
	sigaltstack(&stack, NULL);
	handle(SIGSEGV, alternate_fault, SA_ONSTACK);
	if (!sigsetjmp(back, 1))
		overflow(0);
	CHECK("stack overflow on the alternate stack", on_alternate);
	stack_t old;
	stack.ss_flags = SS_DISABLE;
	CHECK("alternate stack taken off", !sigaltstack(&stack, &old) && old.ss_sp == alternate && !(old.ss_flags & SS_ONSTACK));

	count = 0;
	handle(SIGUSR1, nested, 0);
	handle(SIGUSR2, nested, 0);
	raise(SIGUSR1);
	CHECK("nested handlers", inner_blocked && deepest == 2 && count == 3);

	count = 0;
	handle(SIGUSR1, spoil, 0);
	CHECK("registers come back", registers_survive() && count == 1);

	count = 0;
	handle(SIGILL, skip, 0);
	uint64_t x9;
	__asm__ volatile("mov x9, #1\n\tudf #0\n\tmov %0, x9" : "=r"(x9) : : "x9");
	CHECK("handler of SIGILL changes the context", count == 1 && x9 == 42);

	sigset_t set, previous;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGUSR2);
	count = 0;
	handle(SIGRTMIN, counter, 0);
	handle(SIGUSR2, counter, 0);
	sigprocmask(SIG_BLOCK, &set, &previous);
	for (int i = 1; i <= 3; i++) {
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i });
		kill(getpid(), SIGUSR2);
	}
	sigset_t pending;
	sigpending(&pending);
	CHECK("blocked signals are pending", !count && sigismember(&pending, SIGRTMIN) && sigismember(&pending, SIGUSR2));
	siginfo_t info;
	int number = sigwaitinfo(&set, &info);
	CHECK("sigwaitinfo takes the lowest", number == SIGUSR2);
	sigprocmask(SIG_SETMASK, &previous, NULL);
	CHECK("real-time signals queue, in order", count == 3 && seen_value == 3 && seen_code == SI_QUEUE);
	struct timespec no_time = { 0, 0 };
	CHECK("sigtimedwait times out", sigtimedwait(&set, &info, &no_time) == -1 && errno == EAGAIN);

	int ends[2];
	char byte;
	struct itimerval timer = { { 0, 10000 }, { 0, 10000 } }, no_timer = { { 0, 0 }, { 0, 0 } };
	if (pipe(ends))
		return 3;
	handle(SIGALRM, counter, 0);
	count = 0;
	setitimer(ITIMER_REAL, &timer, NULL);
	CHECK("read is interrupted", read(ends[0], &byte, 1) == -1 && errno == EINTR && count > 0);
	setitimer(ITIMER_REAL, &no_timer, NULL);
	alarms = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	handle(SIGALRM, alarmed, SA_RESTART);
	pid = fork();
	if (!pid) {
		while (*alarms < 5)
			usleep(1000);
		_exit(write(ends[1], "x", 1) != 1);
	}
	setitimer(ITIMER_REAL, &timer, NULL);
	CHECK("read is restarted", read(ends[0], &byte, 1) == 1 && byte == 'x' && *alarms >= 5);
	setitimer(ITIMER_REAL, &no_timer, NULL);
	while (waitpid(pid, &status, 0) < 0)
		;

	signal(SIGPIPE, SIG_IGN);
	close(ends[0]);
	CHECK("write to a closed pipe", write(ends[1], "x", 1) == -1 && errno == EPIPE);

	handle(SIGUSR1, counter, SA_RESETHAND);
	raise(SIGUSR1);
	struct sigaction action;
	sigaction(SIGUSR1, NULL, &action);
	CHECK("handler for one time", action.sa_handler == SIG_DFL);
	CHECK("SIGKILL cannot be caught", signal(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL);

	pid = fork();
	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		*(volatile char *)0 = 1;
		_exit(1);
	}
	waitpid(pid, &status, 0);
	CHECK("death by SIGSEGV", WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	pid = fork();
	if (!pid)
		abort();
	waitpid(pid, &status, 0);
	CHECK("death by abort", WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	/* The child ends when the parent closes the pipe: of a child that has gone on and ended, a wait tells only the end. */
	int hold[2];
	if (pipe(hold))
		return 3;
	pid = fork();
	if (!pid) {
		close(hold[1]);
		raise(SIGSTOP);
		_exit(read(hold[0], &byte, 1) ? 1 : 3);
	}
	waitpid(pid, &status, WUNTRACED);
	int stopped = WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP;
	kill(pid, SIGCONT);
	waitpid(pid, &status, WCONTINUED);
	int continued = WIFCONTINUED(status);
	close(hold[1]);
	waitpid(pid, &status, 0);
	CHECK("stop and continue", stopped && continued && WEXITSTATUS(status) == 3);

	return guest_done("signals");
}
