// SPDX-License-Identifier: MIT
/*
 * Processes: fork, vfork, clone, pipes, wait, execve of this program itself. "fork_exec noexec" leaves execve
 * out, for emulators that run a program and not its images.
 */
#include "guest.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int exit_of(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static volatile int shared_by_clone;

static int cloned(void *argument)
{
	shared_by_clone = *(int *)argument;
	return 5;
}

int main(int argc, char **argv, char **environment)
{
	int exec = !(argc > 1 && !strcmp(argv[1], "noexec"));

	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc == 4 && !strcmp(argv[1], "image")) {
		/* The new image: its arguments, environment and open files. */
		printf("image: %s %s, variable %s\n", argv[2], argv[3], getenv("VARIABLE") ? getenv("VARIABLE") : "(none)");
		CHECK("close-on-exec is closed", fcntl(21, F_GETFD) == -1 && fcntl(20, F_GETFD) == 0);
		return 9 + guest_failures;
	}

	int private = 1;
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t parent = getpid(), pid = fork();
	if (!pid) {
		private = 2;
		*shared = getppid() == parent && getpid() != parent;
		_exit(private);
	}
	CHECK("fork", exit_of(pid) == 2 && private == 1 && *shared == 1);
	CHECK("no child left", waitpid(-1, NULL, 0) == -1 && errno == ECHILD);

	int order = 0;
	pid = vfork();
	if (!pid)
		_exit(3);
	order = 1;
	CHECK("vfork", exit_of(pid) == 3 && order);

	int ends[2], status, sum = 0;
	if (pipe(ends))
		return 3;
	for (int i = 0; i < 5; i++) {
		if (!fork()) {
			char text[16];
			int length = snprintf(text, sizeof text, "%04d", i * i);

			_exit(write(ends[1], text, length) != length);
		}
	}
	close(ends[1]);
	char text[5] = "";
	while (read(ends[0], text, 4) == 4)
		sum += atoi(text);
	close(ends[0]);
	while (wait(&status) > 0)
		sum += status ? 1000 : 0;
	CHECK("pipe from five children", sum == 0 + 1 + 4 + 9 + 16);

	if (pipe(ends))
		return 3;
	pid = fork();
	if (!pid) {
		char byte;

		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 0 ? 4 : 1);
	}
	CHECK("wait without waiting", waitpid(pid, &status, WNOHANG) == 0);
	close(ends[1]);
	close(ends[0]);
	CHECK("end of file wakes the reader", exit_of(pid) == 4);

	struct rusage usage;
	siginfo_t info = { 0 };
	pid = fork();
	if (!pid)
		_exit(6);
	CHECK("waitid leaves the child", !waitid(P_PID, pid, &info, WEXITED | WNOWAIT) && info.si_pid == pid && info.si_status == 6
		&& info.si_code == CLD_EXITED);
	CHECK("wait4 with usage", wait4(pid, &status, 0, &usage) == pid && WEXITSTATUS(status) == 6 && usage.ru_maxrss >= 0);

	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int value = 77;
	pid = clone(cloned, stack + 65536, CLONE_VM | CLONE_VFORK | SIGCHLD, &value);
	CHECK("clone that shares memory", exit_of(pid) == 5 && shared_by_clone == 77);

	pid_t grandchild = 0;
	pid = fork();
	if (!pid) {
		grandchild = fork();
		if (!grandchild) {
			while (getppid() != 1 && !*(volatile int *)(shared + 1))
				usleep(1000);
			shared[2] = 1;
			_exit(0);
		}
		_exit(8);
	}
	CHECK("orphan", exit_of(pid) == 8);
	shared[1] = 1;
	while (!*(volatile int *)(shared + 2))
		usleep(1000);
	CHECK("orphan goes on", shared[2] == 1);

	/* In a child: the first process may lead a session, which never changes its group. */
	pid = fork();
	if (!pid)
		_exit(setpgid(0, 0) == 0 && getpgrp() == getpid() ? 12 : 1);
	CHECK("process group", exit_of(pid) == 12);
	pid = fork();
	if (!pid)
		_exit(setsid() == getpid() && getsid(0) == getpid() ? 11 : 1);
	CHECK("session", exit_of(pid) == 11);

	if (exec) {
		char *arguments[] = { argv[0], "image", "one", "", NULL };
		char *variables[] = { "VARIABLE=set", NULL };

		dup2(1, 20);
		dup3(1, 21, O_CLOEXEC);
		pid = fork();
		if (!pid) {
			execve("/proc/self/exe", arguments, variables);
			_exit(1);
		}
		CHECK("execve", exit_of(pid) == 9);
		arguments[2] = "two";
		CHECK("posix_spawn", !posix_spawn(&pid, "/proc/self/exe", NULL, NULL, arguments, environment) && exit_of(pid) == 9);
		close(20);
		close(21);
	}
	CHECK("execve of nothing", execve("/nowhere", argv, environment) == -1 && errno == ENOENT);
	CHECK("execve of a folder", execve("/", argv, environment) == -1 && errno == EACCES);
	return guest_done("fork_exec");
}
