// SPDX-License-Identifier: MIT
/* CFLAGS: -g */
/*
 * debugged: what debuggers are tried on. Calls, threads that take turns on a variable, a signal, a child that
 * another program replaces, a child that ends; each step in a function of its own. With an argument: status 9.
 */
#include "guest.h"
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

volatile long counter;
volatile int handled;

__attribute__((noinline)) long add(long value)
{
	counter += value;
	return counter;
}

__attribute__((noinline)) void *worker(void *unused)
{
	(void)unused;
	for (int i = 0; i < 60; i++) {
		add(1);
		syscall(SYS_getpid);
	}
	return NULL;
}

static void handler(int number)
{
	handled = number;
}

static void child(int runs)
{
	if (runs)
		execl("/proc/self/exe", "debugged", "again", NULL);
	_exit(5);
}

int main(int argc, char **argv)
{
	pthread_t thread[2];
	int status = 0;

	(void)argv;
	if (argc > 1)
		return 9;
	for (int i = 0; i < 5; i++)
		add(i);
	for (int i = 0; i < 2; i++)
		if (pthread_create(&thread[i], NULL, worker, NULL))
			return 3;
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	for (int runs = 0; runs < 2; runs++) {
		if (!fork())
			child(runs);
		wait(&status);
	}
	printf("handled %d child %d\n", handled, WEXITSTATUS(status));
	return 7;
}
