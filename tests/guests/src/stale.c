// SPDX-License-Identifier: MIT
/* CFLAGS: -g */
/*
 * stale: threads, more than there are CPUs, ask the vDSO for their TID until one of them gets another's:
 * wrong() is called then. Status 0; 4 when no answer was wrong.
 */
#include "guest.h"
#include "vdso.h"
#include <pthread.h>

static int (*gettid_vdso)(void);
static volatile int found;

__attribute__((noinline)) void wrong(int answer, int expected)
{
	printf("thread %d got %d\n", expected, answer);
	found = 1;
}

static void *ask(void *unused)
{
	int expected = syscall(SYS_gettid);

	for (int i = 0; i < 20000 && !found; i++) {
		int answer = gettid_vdso();

		if (answer != expected)
			wrong(answer, expected);
	}
	return unused;
}

int main(void)
{
	pthread_t thread[5];

	gettid_vdso = (int (*)(void))vdso_find("__kernel_gettid", "LINUX_2.6.39");
	if (!gettid_vdso)
		return 3;
	for (int i = 0; i < 5; i++)
		if (pthread_create(&thread[i], NULL, ask, NULL))
			return 3;
	for (int i = 0; i < 5; i++)
		pthread_join(thread[i], NULL);
	return found ? 0 : 4;
}
