// SPDX-License-Identifier: MIT
/* What seccomp lets through and what becomes of the rest: one line for each thing seen. A stock kernel prints the same lines
   (tests/ArmVdso.Tests/Programs/SeccompProgramTests.cs says which). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
#define IF_CALL(nr, action) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), RETURN(action)
#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char *error(long result) { return result < 0 ? strerrorname_np(errno) : "ok"; }
static void check(const char *what, long result) { printf("%s: %s\n", what, error(result)); }
static void title(const char *text) { printf("== %s\n", text); fflush(stdout); }

static long install(struct sock_filter *f, unsigned short n, unsigned flags)
{
	struct sock_fprog p = { n, f };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

/* For one call an action, all others allowed. */
static long forbid(int nr, unsigned action, unsigned flags)
{
	struct sock_filter f[] = { LOAD(nr), IF_CALL((unsigned)nr, action), RETURN(SECCOMP_RET_ALLOW) };

	return install(f, COUNT(f), flags);
}

static void in_child(const char *what, void (*body)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		body();
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("%s: killed %s\n", what, sigabbrev_np(WTERMSIG(status)));
	else
		printf("%s: exited %d\n", what, WEXITSTATUS(status));
	fflush(stdout);
}

static void no_new_privileges(void) { prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

static void bad_programs(void)
{
	struct sock_filter none[] = { LOAD(nr) }, far[] = { LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JA, 5, 0, 0), RETURN(0) },
		odd[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), RETURN(0) }, out[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), RETURN(0) },
		zero[] = { BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RETURN(0) }, shift[] = { BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), RETURN(0) },
		unwritten[] = { BPF_STMT(BPF_LD | BPF_MEM, 3), RETURN(0) }, mod[] = { BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), RETURN(0) },
		half[] = { BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), RETURN(0) }, memory[] = { BPF_STMT(BPF_ST, 16), RETURN(0) },
		other_way[] = { LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 0), BPF_STMT(BPF_ST, 0), BPF_STMT(BPF_LD | BPF_MEM, 0),
				RETURN(SECCOMP_RET_ALLOW) };
	unsigned action = SECCOMP_RET_LOG, unknown = 0x12340000;
	struct seccomp_notif_sizes sizes;

	no_new_privileges();
	check("no return", install(none, COUNT(none), 0));
	check("jump out", install(far, COUNT(far), 0));
	check("odd place", install(odd, COUNT(odd), 0));
	check("outside", install(out, COUNT(out), 0));
	check("division by 0", install(zero, COUNT(zero), 0));
	check("shift by 32", install(shift, COUNT(shift), 0));
	check("unwritten memory", install(unwritten, COUNT(unwritten), 0));
	check("written on one way", install(other_way, COUNT(other_way), 0));
	check("modulo", install(mod, COUNT(mod), 0));
	check("half word", install(half, COUNT(half), 0));
	check("word 16", install(memory, COUNT(memory), 0));
	check("empty", install(none, 0, 0));
	check("flags", install(none, 1, 0x80));
	check("tsync and listener", install(none, 1, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER));
	check("killable alone", install(none, 1, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
	check("no program", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL));
	check("operation", syscall(SYS_seccomp, 9, 0, NULL));
	check("log is there", syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
	check("unknown is not", syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &unknown));
	check("sizes", syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes));
	printf("  %d %d %d\n", sizes.seccomp_notif, sizes.seccomp_notif_resp, sizes.seccomp_data);
	check("strict with flags", syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL));
	check("prctl 3", prctl(PR_SET_SECCOMP, 3, 0, 0, 0));
	printf("mode %d\n", prctl(PR_GET_SECCOMP));
}

static void privileges(void)
{
	if (setgid(1000) || setuid(1000))
		_exit(9);
	check("without privileges", forbid(SYS_getppid, SECCOMP_RET_ERRNO, 0));
	no_new_privileges();
	check("with none to gain", forbid(SYS_getppid, SECCOMP_RET_ERRNO | 33, 0));
	check("getppid", syscall(SYS_getppid));
	printf("mode %d\n", prctl(PR_GET_SECCOMP));
	check("strict now", prctl(PR_SET_SECCOMP, 1, 0, 0, 0));
}

static void in_status(const char *name)
{
	char line[200];
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, name, strlen(name)))
			printf("  %s", line);
	if (f)
		fclose(f);
}

static void actions(void)
{
	struct timespec t;

	no_new_privileges();
	forbid(SYS_getppid, SECCOMP_RET_ERRNO | 5000, 0);
	printf("getppid %s %d\n", syscall(SYS_getppid) < 0 ? "fails" : "works", errno);
	forbid(SYS_clock_gettime, SECCOMP_RET_ERRNO | EPERM, 0);
	check("clock_gettime by the system call", syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t));
	check("clock_gettime by the vDSO", clock_gettime(CLOCK_MONOTONIC, &t));
	forbid(SYS_getppid, SECCOMP_RET_ALLOW, 0);
	printf("getppid allowed afterwards %ld %d\n", syscall(SYS_getppid), errno);
	forbid(SYS_gettid, SECCOMP_RET_TRACE | 1, 0);
	check("trace without tracer", syscall(SYS_gettid));
	forbid(SYS_getuid, SECCOMP_RET_USER_NOTIF, 0);
	check("notification without listener", syscall(SYS_getuid));
	forbid(SYS_getgid, SECCOMP_RET_LOG, 0);
	check("log", syscall(SYS_getgid));
	in_status("NoNewPrivs:");
	in_status("Seccomp");
}

static void arithmetic(void)
{
	/* The first argument of getpriority: (2 * a - 3 | 8) ^ 1, kept in memory, by way of X. */
	struct sock_filter f[] = {
		LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 1, 0), RETURN(SECCOMP_RET_ALLOW),
		LOAD(args[0]), BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 1), BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 3),
		BPF_STMT(BPF_ALU | BPF_OR | BPF_K, 8),
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 1), BPF_STMT(BPF_ST, 5), BPF_STMT(BPF_LDX | BPF_MEM, 5),
		BPF_STMT(BPF_LD | BPF_IMM, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0), BPF_STMT(BPF_RET | BPF_A, 0),
	};

	no_new_privileges();
	check("arithmetic", install(f, COUNT(f), 0));
	for (long i = 5; i < 9; i++)
		printf(" %d", syscall(SYS_getpriority, i, 0) < 0 ? errno : 0);
	printf("\n");
}

static void got(int n, siginfo_t *si, void *context)
{
	ucontext_t *u = context;

	printf("signal %s code %d errno %d call %d arch %x x8 %d x0 %d\n", sigabbrev_np(n), si->si_code, si->si_errno,
	       si->si_syscall == SYS_setpriority, si->si_arch, u->uc_mcontext.regs[8] == SYS_setpriority, (int)u->uc_mcontext.regs[0]);
	printf("  at the call %d\n", si->si_call_addr == (void *)u->uc_mcontext.pc);
	u->uc_mcontext.regs[0] = 55;
}

static void trap(void)
{
	struct sigaction a = { .sa_sigaction = got, .sa_flags = SA_SIGINFO };

	no_new_privileges();
	forbid(SYS_setpriority, SECCOMP_RET_TRAP | 12, 0);
	sigaction(SIGSYS, &a, NULL);
	printf("answer %ld\n", syscall(SYS_setpriority, 3, 4, 5));
}

static void kill_process(void)
{
	no_new_privileges();
	signal(SIGSYS, SIG_IGN);
	forbid(SYS_getsid, SECCOMP_RET_KILL_PROCESS, 0);
	syscall(SYS_getsid, 0);
}

static void kill_unknown(void) { no_new_privileges(); forbid(SYS_getsid, 0x12340000, 0); syscall(SYS_getsid, 0); }
static void *kill_one(void *p) { (void)p; forbid(SYS_getsid, SECCOMP_RET_KILL_THREAD, 0); syscall(SYS_getsid, 0); return NULL; }
static void kill_thread(void)
{
	pthread_t t;

	no_new_privileges();
	pthread_create(&t, NULL, kill_one, NULL);
	pthread_join(t, NULL);
	printf("the other lives\n");
}

static void strict(void) { prctl(PR_SET_SECCOMP, 1, 0, 0, 0); syscall(SYS_write, 1, "", 0); syscall(SYS_getpid); }
static void strict_exit(void) { prctl(PR_SET_SECCOMP, 1, 0, 0, 0); syscall(SYS_exit, 6); }

static int go[2], back[2];
static void *waits(void *p)
{
	char c;

	if (p)
		forbid(SYS_getuid, SECCOMP_RET_ERRNO | 3, 0);
	if (write(back[1], "x", 1) != 1 || read(go[0], &c, 1) != 1)
		return NULL;
	check("in the other thread", syscall(SYS_getppid));
	return NULL;
}

static void tsync(void)
{
	pthread_t t;
	char c;

	no_new_privileges();
	if (pipe(go) || pipe(back))
		return;
	pthread_create(&t, NULL, waits, NULL);
	if (read(back[0], &c, 1) != 1)
		return;
	check("for all", forbid(SYS_getppid, SECCOMP_RET_ERRNO | 7, SECCOMP_FILTER_FLAG_TSYNC));
	if (write(go[1], "x", 1) != 1)
		return;
	pthread_join(t, NULL);
	pthread_create(&t, NULL, waits, (void *)1);
	if (read(back[0], &c, 1) != 1)
		return;
	printf("one has its own: %d\n", forbid(SYS_getppid, SECCOMP_RET_ERRNO | 8, SECCOMP_FILTER_FLAG_TSYNC) > 0);
	check("by error", forbid(SYS_getppid, SECCOMP_RET_ERRNO | 8, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH));
}

static void inherits(void)
{
	no_new_privileges();
	forbid(SYS_getppid, SECCOMP_RET_ERRNO | 4, 0);
	if (!fork()) {
		execl("/proc/self/exe", "seccomp", "inherited", NULL);
		_exit(1);
	}
	wait(NULL);
}

static void *decide(void *p)
{
	int listener = (int)(long)p, file;
	struct seccomp_notif n;
	struct seccomp_notif_resp r;
	struct seccomp_notif_addfd add;
	struct pollfd poll_listener = { listener, POLLIN | POLLOUT, 0 };

	for (int i = 0; i < 4; i++) {
		memset(&n, 0, sizeof n);
		memset(&r, 0, sizeof r);
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n)) {
			check("receive", -1);
			return NULL;
		}
		poll(&poll_listener, 1, 0);
		printf("question %d: getppid %d, first argument %d, poll 0x%x, valid %s\n", i, n.data.nr == SYS_getppid, (int)n.data.args[0],
		       poll_listener.revents, error(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id)));
		r.id = n.id;
		if (i == 0)
			r.val = 1234;
		else if (i == 1)
			r.error = -EXDEV;
		else if (i == 2)
			r.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		else {
			file = open("/dev/null", O_RDONLY);
			memset(&add, 0, sizeof add);
			add.id = n.id, add.srcfd = file, add.newfd = 77, add.flags = SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND;
			printf("file %d\n", ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
			continue;
		}
		check("answer", ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r));
	}
	r.id++;
	check("no such question", ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r));
	n.pid = 5;
	check("not zero", ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n));
	check("ioctl", ioctl(listener, 0x1234, 0));
	return NULL;
}

static void notify(void)
{
	struct pollfd end;
	struct seccomp_notif n;
	pthread_t t;
	long answer;
	int listener, status;
	char name[64], target[64];
	pid_t pid;

	no_new_privileges();
	/* The listener must not be asked itself: a child that shares its descriptors. */
	listener = forbid(SYS_getppid, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	printf("listener %d, close on exec %d\n", listener >= 0, fcntl(listener, F_GETFD));
	snprintf(name, sizeof name, "/proc/self/fd/%d", listener);
	status = readlink(name, target, sizeof target - 1);
	printf("  %.*s\n", status > 0 ? status : 0, target);
	check("another one", forbid(SYS_getpid, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
	pthread_create(&t, NULL, decide, (void *)(long)listener);
	for (int i = 0; i < 4; i++) {
		answer = syscall(SYS_getppid, i + 10);
		usleep(20000);
		printf("answer %s\n", answer == 1234 ? "1234" : answer < 0 ? strerrorname_np(errno) : answer == 77 ? "77" : "its own");
	}
	pthread_join(t, NULL);
	printf("the file is there %d\n", fcntl(77, F_GETFD));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(listener);
		syscall(SYS_getppid);
		_exit(1);
	}
	memset(&n, 0, sizeof n);
	check("receive", ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n));
	printf("  from it %d\n", (int)n.pid == pid);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	check("it is gone", ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id));
	end = (struct pollfd){ listener, POLLIN, 0 };
	printf("poll %d\n", poll(&end, 1, 0));
	close(listener);
	check("without its listener", syscall(SYS_getppid));
}

static void traced(void)
{
	int status;
	long message = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		long a, b;

		no_new_privileges();
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		forbid(SYS_getppid, SECCOMP_RET_TRACE | 99, 0);
		a = syscall(SYS_getppid);
		b = syscall(SYS_getppid);
		_exit((a == getpid()) + 2 * (b == -1));
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP);
	for (int i = 0; i < 2; i++) {
		int nr = i ? -1 : SYS_getpid;
		struct { void *p; size_t n; } v = { &nr, sizeof nr };

		ptrace(PTRACE_CONT, pid, 0, 0);
		waitpid(pid, &status, 0);
		ptrace(PTRACE_GETEVENTMSG, pid, 0, &message);
		printf("status 0x%x message %ld\n", status, message);
		ptrace(PTRACE_SETREGSET, pid, 0x404, &v);
		if (i) {
			unsigned long regs[34];
			struct { void *p; size_t n; } r = { regs, sizeof regs };

			ptrace(PTRACE_GETREGSET, pid, 1, &r);
			regs[0] = -1;
			ptrace(PTRACE_SETREGSET, pid, 1, &r);
		}
	}
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &status, 0);
	printf("end 0x%x\n", status);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "inherited")) {
		check("inherited", syscall(SYS_getppid));
		return 0;
	}
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	title("programs"), in_child("end", bad_programs);
	title("privileges"), in_child("end", privileges);
	title("actions"), in_child("end", actions);
	title("arithmetic"), in_child("end", arithmetic);
	title("trap"), in_child("end", trap);
	title("kill"), in_child("process", kill_process), in_child("unknown", kill_unknown), in_child("thread", kill_thread);
	title("strict"), in_child("getpid", strict), in_child("exit", strict_exit);
	title("threads"), in_child("end", tsync);
	title("inherited"), in_child("end", inherits);
	title("listener"), in_child("end", notify);
	title("tracer"), traced();
	return 0;
}
