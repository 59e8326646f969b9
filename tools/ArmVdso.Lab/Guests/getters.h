/* SPDX-License-Identifier: MIT */
/* Made from vdso-image/calls.tsv by tools/ArmVdso.CallGenerator. For kernelpath.S: the calls that
   answer an ID of the caller and take nothing. */
#ifndef ARMVDSO_GUEST_GETTERS_H
#define ARMVDSO_GUEST_GETTERS_H

.macro	getters
	calls	172			/* getpid */
	calls	178			/* gettid */
	calls	174			/* getuid */
	calls	175			/* geteuid */
	calls	176			/* getgid */
	calls	177			/* getegid */
	calls	173			/* getppid */
.endm

#endif
