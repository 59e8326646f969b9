#include "begin.h"

int main(void)
{
	int status;
	struct rusage usage;
	siginfo_t info;
	begin();
	pid_t child = fork();
	if (child == 0) {
		syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &(struct timespec){ 0, 200000000 }, NULL);
		syscall(SYS_exit_group, 5);
	}
	waitpid(-1, &status, WNOHANG);
	waitpid(child, &status, 0);
	child = fork();
	if (child == 0)
		for (;;)
			syscall(SYS_ppoll, NULL, 0, NULL, NULL, 8);
	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &(struct timespec){ 0, 200000000 }, NULL);
	kill(child, SIGKILL);
	waitpid(child, &status, WSTOPPED);
	waitpid(-1, &status, 0);
	child = fork();
	if (child == 0) {
		syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &(struct timespec){ 0, 200000000 }, NULL);
		char *words[] = { "/no/such program", "a", "b\n", NULL }, *none[] = { NULL };
		execve(words[0], words, none);
		_exit(9);
	}
	waitid(P_PID, child, &info, WEXITED | WNOWAIT);
	wait4(child, &status, 0, NULL);
	(void)usage;
	return 0;
}
