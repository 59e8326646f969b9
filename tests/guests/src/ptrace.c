// SPDX-License-Identifier: MIT
/* What ptrace shows and does: one line for each thing seen, without numbers that differ from run to run. A stock kernel prints the
   same lines (tests/ArmVdso.Tests/Programs/PtraceProgramTests.cs says which). */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OPTION_EXITKILL (1 << 20)
#define EVENT_OF(status) ((status) >> 16)

struct registers { uint64_t x[31], sp, pc, pstate; };

static long trace(long request, pid_t pid, unsigned long addr, void *data) { return syscall(SYS_ptrace, request, pid, addr, data); }
static const char *error(long result) { return result < 0 ? strerrorname_np(errno) : "ok"; }

static void check(const char *what, long result) { printf("%s: %s\n", what, error(result)); }

static const char *signal_name(int n) { return n ? sigabbrev_np(n & 0x7f) : "0"; }

/* One wait; what it says. */
static int await(pid_t pid, const char *what)
{
	int status;
	pid_t got = waitpid(pid, &status, __WALL);

	if (got < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else if (WIFSTOPPED(status))
		printf("%s: stopped %s%s event %d\n", what, signal_name(WSTOPSIG(status)), WSTOPSIG(status) & 0x80 ? "|0x80" : "",
		       EVENT_OF(status));
	else if (WIFSIGNALED(status))
		printf("%s: killed %s\n", what, signal_name(WTERMSIG(status)));
	else if (WIFEXITED(status))
		printf("%s: exited %d\n", what, WEXITSTATUS(status));
	else
		printf("%s: 0x%x\n", what, status);
	fflush(stdout);
	return status;
}

static void info(pid_t pid)
{
	siginfo_t si;

	memset(&si, 0, sizeof si);
	if (trace(PTRACE_GETSIGINFO, pid, 0, &si))
		printf("  siginfo %s\n", strerrorname_np(errno));
	else
		printf("  siginfo %s code 0x%x\n", signal_name(si.si_signo), si.si_code);
}

static void get(pid_t pid, struct registers *r)
{
	struct iovec v = { r, sizeof *r };

	if (trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v) || v.iov_len != sizeof *r)
		check("GETREGSET", -1);
}

static void set(pid_t pid, struct registers *r)
{
	struct iovec v = { r, sizeof *r };

	if (trace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v))
		check("SETREGSET", -1);
}

static void title(const char *text) { printf("== %s\n", text); fflush(stdout); }

/* A child that stops itself under the old protocol. */
static pid_t traced(void (*body)(void), long options)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		trace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		body();
		_exit(0);
	}
	waitpid(pid, NULL, __WALL);
	if (options)
		trace(PTRACE_SETOPTIONS, pid, 0, (void *)options);
	return pid;
}

static pid_t plain(void (*body)(void))
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		body();
		_exit(0);
	}
	return pid;
}

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void do_nothing(void) { }
static void do_sleep(void) { for (;;) pause(); }
static void do_calls(void)
{
	syscall(SYS_getppid);
	syscall(SYS_write, -1, "abc", 3);
	syscall(SYS_exit_group, 7);
}

static void show_call(pid_t pid)
{
	struct { uint8_t op, pad[3]; uint32_t arch; uint64_t ip, sp, a[8]; } i;
	struct registers r;
	long size;

	memset(&i, 0, sizeof i);
	size = trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof i, &i);
	get(pid, &r);
	if (i.op == 1)
		printf("  info %ld entry nr %lu arg0 0x%lx x7 %lu\n", size, i.a[0], i.a[1], r.x[7]);
	else if (i.op == 2)
		printf("  info %ld exit error %d result %ld x7 %lu\n", size, (int)(i.a[1] & 0xff),
		       i.a[1] & 0xff ? (long)i.a[0] : (long)(i.a[0] > 0), r.x[7]);
	else
		printf("  info %ld op %d\n", size, i.op);
}

static void calls(void)
{
	unsigned long message;
	pid_t pid = traced(do_calls, PTRACE_O_TRACESYSGOOD);

	title("system calls");
	info(pid);
	for (int i = 0; i < 5; i++) {
		trace(PTRACE_SYSCALL, pid, 0, 0);
		await(pid, "call");
		show_call(pid);
		info(pid);
		trace(PTRACE_GETEVENTMSG, pid, 0, &message);
		printf("  message %lu\n", message);
	}
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "end");
	pid = traced(do_calls, 0);
	trace(PTRACE_SYSCALL, pid, 0, 0);
	await(pid, "plain");
	show_call(pid);
	kill(pid, SIGKILL);
	await(pid, "killed in it");
}

static void do_change(void)
{
	long a = syscall(SYS_getpid), b = syscall(SYS_getpid), c = syscall(SYS_getpid);

	_exit((a == getppid()) + 2 * (b == -ENOSYS || (b == -1 && errno == ENOSYS)) + 4 * (c == 77));
}

static void change(void)
{
	pid_t pid = traced(do_change, PTRACE_O_TRACESYSGOOD);
	int nr = SYS_getppid;
	struct iovec v = { &nr, sizeof nr };
	struct registers r;

	title("another call in its place");
	trace(PTRACE_SYSCALL, pid, 0, 0), await(pid, "entry");
	check("number", trace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &v));
	trace(PTRACE_SYSCALL, pid, 0, 0), await(pid, "exit");
	trace(PTRACE_SYSCALL, pid, 0, 0), await(pid, "entry");
	nr = -1;
	check("none", trace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &v));
	get(pid, &r);
	r.x[0] = -ENOSYS;
	set(pid, &r);
	trace(PTRACE_SYSCALL, pid, 0, 0), await(pid, "exit");
	trace(PTRACE_SYSEMU, pid, 0, 0), await(pid, "emulated");
	get(pid, &r);
	r.x[0] = 77;
	set(pid, &r);
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "end");
}

static void attach(void)
{
	pid_t pid = plain(do_sleep);
	struct registers r;
	long word;

	title("attach");
	sleep_ms(20);
	check("ATTACH", trace(PTRACE_ATTACH, pid, 0, 0));
	await(pid, "attached");
	info(pid);
	get(pid, &r);
	trace(PTRACE_PEEKTEXT, pid, r.pc, &word);
	printf("  at svc %d x8 %s\n", (uint32_t)word == 0xd4000001, r.x[8] == SYS_ppoll ? "ppoll" : "other");
	check("again", trace(PTRACE_ATTACH, pid, 0, 0));
	check("listen", trace(PTRACE_LISTEN, pid, 0, 0));
	check("interrupt", trace(PTRACE_INTERRUPT, pid, 0, 0));
	kill(pid, SIGUSR1);
	check("DETACH", trace(PTRACE_DETACH, pid, 0, 0));
	await(pid, "after");
	pid = plain(do_sleep);
	sleep_ms(20);
	kill(pid, SIGSTOP);
	waitpid(pid, NULL, WUNTRACED);
	check("to a stopped one", trace(PTRACE_ATTACH, pid, 0, 0));
	await(pid, "attached");
	info(pid);
	check("CONT", trace(PTRACE_CONT, pid, 0, 0));
	await(pid, "the attach's own signal");
	info(pid);
	check("DETACH", trace(PTRACE_DETACH, pid, 0, (void *)SIGTERM));
	kill(pid, SIGCONT);
	await(pid, "after");
}

static void seize(void)
{
	pid_t pid = plain(do_sleep);

	title("seize");
	sleep_ms(20);
	check("addr", trace(PTRACE_SEIZE, pid, 1, 0));
	check("options", trace(PTRACE_SEIZE, pid, 0, (void *)0x400L));
	check("SEIZE", trace(PTRACE_SEIZE, pid, 0, (void *)PTRACE_O_TRACESYSGOOD));
	check("running", trace(PTRACE_CONT, pid, 0, 0));
	check("INTERRUPT", trace(PTRACE_INTERRUPT, pid, 0, 0));
	await(pid, "interrupted");
	info(pid);
	check("CONT", trace(PTRACE_CONT, pid, 0, 0));
	kill(pid, SIGSTOP);
	await(pid, "a signal");
	info(pid);
	check("LISTEN", trace(PTRACE_LISTEN, pid, 0, 0));
	trace(PTRACE_CONT, pid, 0, (void *)SIGSTOP);
	await(pid, "its process");
	info(pid);
	check("LISTEN", trace(PTRACE_LISTEN, pid, 0, 0));
	check("CONT while it listens", trace(PTRACE_CONT, pid, 0, 0));
	kill(pid, SIGCONT);
	await(pid, "continued");
	info(pid);
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "SIGCONT itself");
	trace(PTRACE_CONT, pid, 0, 0);
	kill(pid, SIGKILL);
	await(pid, "end");
}

static void do_family(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(3);
	waitpid(pid, NULL, 0);
	if (!(pid = vfork()))
		_exit(4);
	waitpid(pid, NULL, 0);
	syscall(SYS_exit_group, 5);
}

static void family(void)
{
	long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT;
	unsigned long message;
	int status;
	pid_t pid = traced(do_family, options), child;

	title("fork, vfork, exit");
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "parent");
	info(pid);
	trace(PTRACE_GETEVENTMSG, pid, 0, &message);
	child = message;
	await(child, "child");
	info(child);
	trace(PTRACE_CONT, child, 0, 0);
	await(child, "child");
	trace(PTRACE_GETEVENTMSG, child, 0, &message);
	printf("  message 0x%lx\n", message);
	trace(PTRACE_CONT, child, 0, 0);
	await(child, "child");
	trace(PTRACE_CONT, pid, 0, 0);
	status = await(pid, "parent");
	trace(PTRACE_CONT, pid, 0, (void *)(long)WSTOPSIG(status));
	await(pid, "parent");
	trace(PTRACE_GETEVENTMSG, pid, 0, &message);
	child = message;
	await(child, "child");
	trace(PTRACE_DETACH, child, 0, 0);
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "parent");
	trace(PTRACE_GETEVENTMSG, pid, 0, &message);
	printf("  the same child %d\n", message == (unsigned long)child);
	trace(PTRACE_CONT, pid, 0, 0);
	status = await(pid, "parent");
	trace(PTRACE_CONT, pid, 0, (void *)(long)WSTOPSIG(status));
	await(pid, "parent");
	trace(PTRACE_GETEVENTMSG, pid, 0, &message);
	printf("  message 0x%lx\n", message);
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "parent");
}

static void *exec_again(void *p)
{
	(void)p;
	execl("/proc/self/exe", "ptrace", "quiet", NULL);
	return NULL;
}

static void do_exec(void) { execl("/proc/self/exe", "ptrace", "quiet", NULL); }
static void do_thread_exec(void)
{
	pthread_t t;

	pthread_create(&t, NULL, exec_again, NULL);
	pause();
}

static void execs(void)
{
	unsigned long message, thread;
	pid_t pid = traced(do_exec, 0);

	title("exec");
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "the old way");
	info(pid);
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "end");
	pid = traced(do_thread_exec, PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC);
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "clone");
	trace(PTRACE_GETEVENTMSG, pid, 0, &thread);
	await(thread, "thread");
	trace(PTRACE_CONT, pid, 0, 0);
	sleep_ms(20);
	trace(PTRACE_CONT, thread, 0, 0);
	await(pid, "exec of a thread");
	info(pid);
	trace(PTRACE_GETEVENTMSG, pid, 0, &message);
	printf("  was the thread %d\n", message == thread);
	check("the thread", trace(PTRACE_CONT, thread, 0, 0));
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "end");
}

/* Steps: a marked run of instructions with a branch and a call of the kernel in it. */
extern char step_first[], step_svc[], step_last[];
__attribute__((noinline)) static void do_steps(void)
{
	__asm__ volatile(".globl step_first, step_svc, step_last\n"
			 "step_first: brk #7\n"
			 "	mov x9, #3\n"
			 "1:	subs x9, x9, #1\n"
			 "	b.ne 1b\n"
			 "	mov x8, #172\n"
			 "step_svc: svc #0\n"
			 "	mov x9, #0\n"
			 "step_last: nop\n" ::: "x0", "x8", "x9", "cc", "memory");
}

static volatile int handled;
static void handler(int n) { handled += n; }
static void do_step_signal(void)
{
	signal(SIGUSR1, handler);
	do_steps();
	_exit(handled == SIGUSR1 ? 0 : 1);
}

static void steps(void)
{
	pid_t pid = traced(do_steps, 0);
	struct registers r;
	char where[200] = "";
	int n = 0;

	title("single steps");
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "brk");
	info(pid);
	get(pid, &r);
	printf("  at brk %d\n", r.pc == (uint64_t)step_first);
	r.pc += 4;
	set(pid, &r);
	while (n < 40 && r.pc != (uint64_t)step_last) {
		trace(PTRACE_SINGLESTEP, pid, 0, 0);
		int status;
		waitpid(pid, &status, __WALL);
		get(pid, &r);
		sprintf(where + strlen(where), " %d", (int)((r.pc - (uint64_t)step_first) / 4));
		n++;
		if (status != 0x57f)
			printf("  status 0x%x\n", status);
	}
	printf("  %d steps:%s\n", n, where);
	info(pid);
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "end");
	pid = traced(do_step_signal, 0);
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "brk");
	get(pid, &r);
	r.pc += 4;
	set(pid, &r);
	trace(PTRACE_SINGLESTEP, pid, 0, (void *)SIGUSR1);
	await(pid, "into a handler");
	info(pid);
	get(pid, &r);
	printf("  at the handler %d\n", r.pc == (uint64_t)handler);
	trace(PTRACE_SINGLESTEP, pid, 0, 0);
	await(pid, "on");
	get(pid, &r);
	printf("  one instruction on %d\n", r.pc == (uint64_t)handler + 4);
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "end");
}

static const int constant = 5;
static int variable = 6;
static void do_memory(void) { raise(SIGUSR2); _exit(variable + *(volatile const int *)&constant); }

static void memory(void)
{
	pid_t pid = traced(do_memory, 0);
	char path[40];
	long word;
	int file, there = 0, here = 20;
	struct iovec mine = { &there, sizeof there }, theirs = { &variable, sizeof variable };

	title("memory");
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "stop");
	trace(PTRACE_PEEKDATA, pid, (unsigned long)&constant, &word);
	printf("  constant %d\n", (int)word);
	word += 30;
	check("into constants", trace(PTRACE_POKEDATA, pid, (unsigned long)&constant, (void *)word));
	check("nowhere", trace(PTRACE_POKEDATA, pid, 8, 0));
	check("peek nowhere", trace(PTRACE_PEEKDATA, pid, 8, &word));
	check("peek to nowhere", trace(PTRACE_PEEKDATA, pid, (unsigned long)&constant, (void *)8));
	printf("  vm read %zd: %d\n", process_vm_readv(pid, &mine, 1, &theirs, 1, 0), there);
	theirs.iov_base = (void *)&constant;
	mine.iov_base = &here;
	check("vm write of constants", process_vm_writev(pid, &mine, 1, &theirs, 1, 0));
	sprintf(path, "/proc/%d/mem", pid);
	file = open(path, O_RDWR);
	printf("  file write %zd", pwrite(file, &here, 4, (off_t)(uintptr_t)&variable));
	printf(" read %zd: %d\n", pread(file, &there, 4, (off_t)(uintptr_t)&variable), there);
	close(file);
	check("peekuser", trace(PTRACE_PEEKUSR, pid, 0, &word));
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "end");
}

static void do_float(void)
{
	double v;

	__asm__ volatile("fmov d8, #2.0\n brk #1\n fmov %0, d8" : "=r"(v) :: "v8");
	_exit((int)v);
}

static void sets(void)
{
	pid_t pid = traced(do_float, 0);
	struct { __uint128_t v[32]; uint32_t fpsr, fpcr, pad[2]; } fp;
	struct registers r;
	uint64_t tls[4] = { 0 }, debug[33] = { 0 };
	struct iovec v = { &fp, sizeof fp }, t = { tls, sizeof tls }, odd = { &r, 12 }, d = { debug, sizeof debug };
	double two = 2, eleven = 11;

	title("register sets");
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "brk");
	check("fp", trace(PTRACE_GETREGSET, pid, NT_FPREGSET, &v));
	printf("  %zu bytes, d8 %d\n", v.iov_len, !memcmp(&fp.v[8], &two, 8));
	memcpy(&fp.v[8], &eleven, 8);
	check("set fp", trace(PTRACE_SETREGSET, pid, NT_FPREGSET, &v));
	check("tls", trace(PTRACE_GETREGSET, pid, NT_ARM_TLS, &t));
	printf("  %zu bytes, ours %d\n", t.iov_len, tls[0] == (uint64_t)__builtin_thread_pointer());
	check("half a register", trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &odd));
	check("no such set", trace(PTRACE_GETREGSET, pid, 0x999, &v));
	d.iov_len = sizeof debug;
	check("breakpoints", trace(PTRACE_GETREGSET, pid, 0x402, &d));
	get(pid, &r);
	r.pstate |= 1;
	v.iov_base = &r, v.iov_len = sizeof r;
	check("EL1", trace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v));
	get(pid, &r);
	r.pc += 4;
	set(pid, &r);
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "end");
}

static void do_signals(void)
{
	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	raise(SIGUSR1);
	raise(SIGUSR2);
	raise(SIGWINCH);
	raise(SIGHUP);
	_exit(handled);
}

static void signals(void)
{
	pid_t pid = traced(do_signals, 0);
	struct { uint64_t off; uint32_t flags; int32_t nr; } peek = { 0, 0, 4 };
	siginfo_t si[4];
	uint64_t mask = 0;

	title("signals");
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "sent");
	info(pid);
	trace(PTRACE_GETSIGINFO, pid, 0, si);
	si->si_value.sival_int = 9;
	check("SETSIGINFO", trace(PTRACE_SETSIGINFO, pid, 0, si));
	check("mask", trace(PTRACE_GETSIGMASK, pid, 8, &mask));
	printf("  mask 0x%lx\n", mask);
	check("short mask", trace(PTRACE_GETSIGMASK, pid, 4, &mask));
	mask = 1UL << (SIGALRM - 1) | 1UL << (SIGKILL - 1);
	check("set mask", trace(PTRACE_SETSIGMASK, pid, 8, &mask));
	trace(PTRACE_GETSIGMASK, pid, 8, &mask);
	printf("  mask 0x%lx\n", mask);
	syscall(SYS_tgkill, pid, pid, SIGALRM);
	syscall(SYS_tgkill, pid, pid, SIGTERM);
	printf("  queued %ld", trace(PTRACE_PEEKSIGINFO, pid, (unsigned long)&peek, si));
	printf(" %s %s\n", signal_name(si[0].si_signo), signal_name(si[1].si_signo));
	peek.flags = 1;
	printf("  shared %ld\n", trace(PTRACE_PEEKSIGINFO, pid, (unsigned long)&peek, si));
	trace(PTRACE_CONT, pid, 0, (void *)SIGUSR1);
	await(pid, "next");
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "ignored");
	trace(PTRACE_CONT, pid, 0, (void *)SIGUSR2);
	await(pid, "ignored by default");
	trace(PTRACE_CONT, pid, 0, (void *)SIGUSR1);
	await(pid, "deadly");
	check("65", trace(PTRACE_CONT, pid, 0, (void *)65L));
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "end");
}

static pid_t tracee;
static void *other(void *p)
{
	(void)p;
	check("another thread", trace(PTRACE_CONT, tracee, 0, 0));
	printf("  it waits %d\n", waitpid(tracee, NULL, WNOHANG | __WALL) >= 0);
	printf("  it waits for its own: %s\n", error(waitpid(tracee, NULL, WNOHANG | __WALL | __WNOTHREAD)));
	return NULL;
}

static void do_kill_tracee(void)
{
	check("exit kill", trace(PTRACE_SEIZE, tracee, 0, (void *)(long)OPTION_EXITKILL));
	fflush(stdout);
}

static void do_leave_tracee(void)
{
	check("leave", trace(PTRACE_ATTACH, tracee, 0, 0));
	waitpid(tracee, NULL, __WALL);
	fflush(stdout);
}

static void do_wait_exit(void) { sleep_ms(50); _exit(9); }
static void do_hold(void)
{
	siginfo_t si;

	trace(PTRACE_SEIZE, tracee, 0, 0);
	waitid(P_PID, tracee, &si, WEXITED | WNOWAIT);
	printf("tracer: %s code %d status %d\n", signal_name(si.si_signo), si.si_code, si.si_status);
	sleep_ms(50);
	printf("tracer has waited: %d\n", waitpid(tracee, NULL, __WALL) == tracee);
	fflush(stdout);
}

static void do_attach_root(void)
{
	if (setgid(1000) || setuid(1000))
		_exit(1);
	check("root's", trace(PTRACE_ATTACH, tracee, 0, 0));
	fflush(stdout);
}

static void others(void)
{
	pthread_t t;
	pid_t second;

	title("who traces");
	tracee = traced(do_nothing, 0);
	pthread_create(&t, NULL, other, NULL);
	pthread_join(t, NULL);
	check("self", trace(PTRACE_ATTACH, getpid(), 0, 0));
	check("nobody", trace(PTRACE_CONT, 999999, 0, 0));
	check("parent", trace(PTRACE_CONT, getppid(), 0, 0));
	check("request", trace(0x5555, tracee, 0, 0));
	check("options", trace(PTRACE_SETOPTIONS, tracee, 0, (void *)0x400L));
	check("KILL", trace(PTRACE_KILL, tracee, 0, 0));
	await(tracee, "end");
	tracee = plain(do_sleep);
	second = plain(do_kill_tracee);
	await(second, "tracer");
	await(tracee, "tracee");
	tracee = plain(do_wait_exit);
	second = plain(do_leave_tracee);
	await(second, "tracer");
	await(tracee, "tracee");
	tracee = plain(do_wait_exit);
	second = plain(do_hold);
	await(tracee, "tracee, after its tracer");
	await(second, "tracer");
	tracee = plain(do_sleep);
	second = plain(do_attach_root);
	await(second, "stranger");
	kill(tracee, SIGKILL);
	await(tracee, "tracee");
}

static void *end_thread(void *p) { (void)p; syscall(SYS_exit, 6); return NULL; }
static void do_threads(void)
{
	pthread_t t;

	pthread_create(&t, NULL, end_thread, NULL);
	sleep_ms(30);
	syscall(SYS_exit_group, 2);
}

static void threads(void)
{
	unsigned long thread;
	siginfo_t si;
	pid_t pid = traced(do_threads, PTRACE_O_TRACECLONE);

	title("threads");
	trace(PTRACE_CONT, pid, 0, 0);
	await(pid, "clone");
	trace(PTRACE_GETEVENTMSG, pid, 0, &thread);
	await(thread, "thread");
	trace(PTRACE_CONT, thread, 0, 0);
	await(thread, "its end");
	check("gone", trace(PTRACE_CONT, thread, 0, 0));
	await(thread, "again");
	trace(PTRACE_CONT, pid, 0, 0);
	waitid(P_PID, pid, &si, WEXITED | WNOWAIT);
	printf("  process code %d status %d\n", si.si_code, si.si_status);
	await(pid, "end");
}

int main(int argc, char **argv)
{
	static void (*const parts[])(void) = { calls, change, attach, seize, family, execs, steps, memory, sets, signals, others, threads };

	if (argc > 1 && !strcmp(argv[1], "quiet"))
		return 8;
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (argc < 2 || i == (size_t)atoi(argv[1]))
			parts[i](), fflush(stdout);
	return 0;
}
