/* SPDX-License-Identifier: MIT */
/* What the test guests share: output that does not depend on addresses or times, and a status. */
#ifndef GUEST_H
#define GUEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int guest_failures;

/* One line for each thing checked: "ok WHAT" or "FAILED WHAT". */
#define CHECK(what, condition) do { \
	int check_ok = !!(condition); \
	printf("%s %s\n", check_ok ? "ok" : "FAILED", what); \
	guest_failures += !check_ok; \
} while (0)
/* The same of a call that is to fail with an error. */
#define FAILS(what, error, call) CHECK(what, (long)(call) == -1 && errno == (error))

/* Reads a whole file into room for so many bytes, which end in a NUL: how many there were, or -1. */
static inline int guest_read(const char *path, char *into, int room)
{
	int file = open(path, O_RDONLY), n = 0, got;

	into[0] = 0;
	if (file < 0)
		return -1;
	while (n < room - 1 && (got = read(file, into + n, room - 1 - n)) > 0)
		n += got;
	into[n] = 0;
	close(file);
	return n;
}

/* The last line, and the status of main. */
static inline int guest_done(const char *name)
{
	printf("%s: %d failed\n", name, guest_failures);
	return guest_failures != 0;
}

#endif
