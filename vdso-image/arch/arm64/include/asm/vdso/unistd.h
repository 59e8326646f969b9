/* SPDX-License-Identifier: MIT */
/* Made from vdso-image/calls.tsv by tools/ArmVdso.CallGenerator. System call numbers; read by the assembler too. */
#ifndef ASM_VDSO_UNISTD_H
#define ASM_VDSO_UNISTD_H

#define __NR_clock_gettime	113
#define __NR_clock_getres	114
#define __NR_sched_get_priority_max	125
#define __NR_rt_sigreturn	139
#define __NR_getpgid		155
#define __NR_getsid		156
#define __NR_getcpu		168
#define __NR_gettimeofday	169
#define __NR_getpid		172
#define __NR_getppid		173
#define __NR_getuid		174
#define __NR_geteuid		175
#define __NR_getgid		176
#define __NR_getegid		177
#define __NR_gettid		178
#define __NR_getrandom		278

#endif
