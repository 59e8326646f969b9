/* SPDX-License-Identifier: MIT */
/* Calls what a vDSO image brings, whatever it is: the C library has looked for it before main. */
#include "fuzz.h"
#include <sys/time.h>

static void nothing(int signal)
{
	(void)signal;
}

void fuzz_vdso(void)
{
	struct timespec ts;
	struct timeval tv;
	for (int clock = -2; clock < 12; clock++) {
		clock_gettime(clock, &ts);
		clock_getres(clock, &ts);
	}
	gettimeofday(&tv, 0);
	unsigned int cpu, node;
	getcpu(&cpu, &node);
	counts->cases++;
	signal(SIGUSR1, nothing);
	/* A handler returns by the image's code. */
	raise(SIGUSR1);
}
