// SPDX-License-Identifier: MIT
/*
 * Who calls whom, in numbers that are known: for profiles. Recursion, a tail call, longjmp out of three frames, a signal's
 * handler, a thread.
 */
#include "guest.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>

#define OWN __attribute__((noinline, noclone))

static volatile int sum;
static jmp_buf out;

OWN static int leaf(int n)
{
	sum += n;
	return sum;
}

OWN static int tail(int n)
{
	sum++;
	return leaf(n + 1);
}

OWN static int middle(int n)
{
	int r = 0;

	for (int i = 0; i < 3; i++)
		r += leaf(i) + tail(n);
	return r;
}

OWN static int fib(int n)
{
	int a, b;

	if (n < 2)
		return n;
	a = fib(n - 1);
	b = fib(n - 2);
	sum++;
	return a + b;
}

OWN static void deep(int n)
{
	if (n < 0)
		return;
	if (n == 0)
		longjmp(out, 1);
	deep(n - 1);
	sum++;
}

OWN static void jumps(void)
{
	if (setjmp(out) == 0)
		deep(3);
	sum += leaf(1);
}

OWN static void handler(int signal)
{
	sum += leaf(signal);
}

OWN static void signalled(void)
{
	for (int i = 0; i < 5; i++)
		raise(SIGUSR1);
	sum += leaf(2);
}

OWN static void *threaded(void *argument)
{
	sum += middle(7);
	return argument;
}

int main(void)
{
	struct sigaction action = { .sa_handler = handler };
	pthread_t thread;

	for (int i = 0; i < 10; i++)
		middle(i);
	fib(10);
	for (int i = 0; i < 4; i++)
		jumps();
	sigaction(SIGUSR1, &action, NULL);
	signalled();
	pthread_create(&thread, NULL, threaded, NULL);
	pthread_join(thread, NULL);
	return 0;
}
