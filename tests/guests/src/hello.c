// SPDX-License-Identifier: MIT
/* Arguments, environment, auxiliary vector, standard streams; the status is the number of arguments. */
#include "guest.h"
#include <sys/auxv.h>

extern char **environ;

int main(int argc, char **argv)
{
	int variables = 0;

	printf("hello, arm64 world\n");
	for (int i = 1; i < argc; i++)
		printf("argv[%d] = %s\n", i, argv[i]);
	while (environ[variables])
		variables++;
	if (argv[argc] || variables < 0)
		return 100;
	printf("GUEST = %s\n", getenv("GUEST") ? getenv("GUEST") : "(none)");
	printf("page %lu, clock ticks %lu, floating point %d\n", getauxval(AT_PAGESZ), getauxval(AT_CLKTCK), (int)(getauxval(AT_HWCAP) & 1));
	printf("%.3f %a %s\n", 1.0 / 3, 0.1, "end");
	fprintf(stderr, "on standard error\n");
	return argc - 1;
}
