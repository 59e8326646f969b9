/* SPDX-License-Identifier: MIT */
/* What the parts of the fuzzing guest share. */
#ifndef FUZZ_H
#define FUZZ_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What the children count, in memory that all share. */
struct counts {
	uint64_t cases, calls, processes, ended, refused, killed, late, disks;
};

extern struct counts *counts;
extern unsigned int most_threads;
extern char *page;               /* two pages to write to, then one without access */

/* SplitMix64; a thread has its own. */
extern __thread uint64_t state;
uint64_t next(void);
uint64_t argument(void);         /* of the kinds that system calls take, mostly wrong */

void with_disk(void);             /* mounts one at /mnt, if it can */
void no_more_rights(void);
void lives_of_its_own(uint64_t seed, void (*body)(void));   /* in a child with its own PIDs and mounts, killed when it is late */
int reap(pid_t child, int rounds);                           /* the wait status; -1 when it had to be killed */

void fuzz_calls(void);           /* a process's share of sequences of calls */
void fuzz_terminal(void);
void fuzz_program(void);
void fuzz_vdso(void);

#endif
