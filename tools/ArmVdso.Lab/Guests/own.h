/* SPDX-License-Identifier: MIT */
/* For compare.c with OWN: functions that the command line names, as many as there are places. */
#ifndef ARMVDSO_GUEST_OWN_H
#define ARMVDSO_GUEST_OWN_H

#define S_COUNT 8

static struct {
	const char *name;
	u64 number, first, buffer;
} own[S_COUNT];

/* Numbers and arguments are in registers, as the constants of compare are set up in one instruction. */
#define OWN_PLACE(k) \
	BENCH(own##k, own[k].number, k, "r"(own[k].buffer ? (u64)(buffer + 4) : own[k].first))

#define BENCHES \
	OWN_PLACE(0) OWN_PLACE(1) OWN_PLACE(2) OWN_PLACE(3) OWN_PLACE(4) OWN_PLACE(5) OWN_PLACE(6) OWN_PLACE(7)

#define RUN_OWN(k, buffer, n) \
	if (own[k].name) \
		bench_own##k(buffer, n);

#define RUN_BENCHES(buffer, n) \
	RUN_OWN(0, buffer, n) RUN_OWN(1, buffer, n) RUN_OWN(2, buffer, n) RUN_OWN(3, buffer, n) \
	RUN_OWN(4, buffer, n) RUN_OWN(5, buffer, n) RUN_OWN(6, buffer, n) RUN_OWN(7, buffer, n)

#endif
