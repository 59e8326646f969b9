/* Programs that end badly, for reports and core files: crash HOW. */
/* CFLAGS: -O1 -g -fno-inline -fno-optimize-sibling-calls -fomit-frame-pointer */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

volatile int sink;
static volatile int *volatile bad = (int *)16;

/* Each has a frame of another size, and calls after the next one so that it stays. */
int innermost(int n)
{
	sink = n;
	return *bad + n;
}

int middle(int n)
{
	volatile char room[100];
	room[n] = 1;
	return innermost(n + 1) + room[n];
}

int outer(int n)
{
	volatile char room[1000];
	room[n] = 2;
	return middle(n + 1) * room[n];
}

static void handler(int signal)
{
	(void)signal;
	outer(3);
}

static void *other(void *arg)
{
	(void)arg;
	pause();
	return NULL;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	int wanted = argc > 2 ? atoi(argv[2]) : -1;
	if (wanted >= 0) {
		struct rlimit limit = { wanted, wanted };
		setrlimit(RLIMIT_CORE, &limit);
	}
	if (!strcmp(how, "deep"))
		return outer(1);
	if (!strcmp(how, "handler")) {
		signal(SIGUSR1, handler);
		raise(SIGUSR1);
	}
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "jump"))
		((void (*volatile)(void))NULL)();
	if (!strcmp(how, "write"))
		*(volatile int *)(void *)main = 1;
	if (!strcmp(how, "threads")) {
		pthread_t thread;
		pthread_create(&thread, NULL, other, NULL);
		usleep(1000);
		return outer(1);
	}
	if (!strcmp(how, "mutex")) {
		static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
		pthread_mutex_lock(&mutex);
		pthread_mutex_lock(&mutex);
	}
	if (!strcmp(how, "pipe")) {
		int ends[2];
		if (pipe(ends) == 0 && fork() == 0)
			return read(ends[0], ends, 1);
		wait(NULL);
	}
	if (!strcmp(how, "child")) {
		int status;
		if (fork() == 0)
			return outer(1);
		wait(&status);
		printf("child %#x\n", status);
	}
	return 0;
}
