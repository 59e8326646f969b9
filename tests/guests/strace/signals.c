#include "begin.h"

static void handler(int signal)
{
	(void)signal;
}

int main(void)
{
	sigset_t set, old;
	begin();
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART | SA_NODEFER };
	sigaddset(&action.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGINT, NULL, &action);
	sigaction(SIGKILL, &action, NULL);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, &old);
	pid_t pid = getpid();
	kill(pid, SIGUSR1);
	sigpending(&set);
	sigprocmask(SIG_SETMASK, &old, NULL);
	syscall(SYS_tgkill, pid, pid, SIGUSR1);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
	stack_t stack = { .ss_sp = malloc(20000), .ss_size = 20000 };
	sigaltstack(&stack, NULL);
	sigaltstack(NULL, &stack);
	struct itimerval timer = { .it_value = { 0, 1000 } };
	signal(SIGALRM, handler);
	setitimer(ITIMER_REAL, &timer, NULL);
	syscall(SYS_ppoll, NULL, 0, NULL, NULL, 8);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	close(fd);
	union sigval value = { .sival_int = 9 };
	action.sa_flags = SA_SIGINFO;
	action.sa_handler = handler;
	sigaction(SIGUSR2, &action, NULL);
	sigqueue(pid, SIGUSR2, value);
	struct timespec none = { 0, 0 };
	syscall(SYS_rt_sigtimedwait, &set, NULL, &none, 8);
	kill(pid, SIGTERM);
	return 0;
}
