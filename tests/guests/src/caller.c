// SPDX-License-Identifier: MIT
/* A program as a person has it: it reads a file beside it, and with an argument writes one; with another makes it set-user-ID. */
#include "guest.h"
#include <sys/stat.h>

int main(int count, char **words)
{
	char line[64] = "";
	FILE *file = fopen("input.txt", "r");

	if (!file)
		return 1;
	if (!fgets(line, sizeof(line), file))
		return 2;
	fclose(file);
	printf("%s read %s", words[0], line);
	if (count < 2)
		return 0;
	file = fopen(words[1], "w");
	if (!file)
		return 3;
	fputs("kept?\n", file);
	fclose(file);
	if (count > 2 && chmod(words[1], 06755))
		return 4;
	printf("cwd %s\n", getcwd(line, sizeof(line)) ? "known" : "too long");
	return access(words[1], R_OK);
}
