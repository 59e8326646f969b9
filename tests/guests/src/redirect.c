// SPDX-License-Identifier: MIT
/*
 * redirect: what a system call preserves. X1 to X28, SP, NZCV, V0 to V31 and FPCR hold patterns over each SVC; the number is in X8.
 * The same instruction is used for several numbers, among them one that no vDSO knows and one with a bad pointer.
 */
#include "guest.h"
#include <errno.h>
#include <time.h>

struct state {
	unsigned long x[32];
	unsigned long nzcv;
	unsigned long v[64];
};

/* Loads all registers from in, makes the call, stores them to out. */
void call(const struct state *in, struct state *out);

__asm__(
	"	.text\n"
	"	.globl	call\n"
	"	.type	call, %function\n"
	"call:	stp	x29, x30, [sp, #-176]!\n"
	"	stp	x19, x20, [sp, #16]\n"
	"	stp	x21, x22, [sp, #32]\n"
	"	stp	x23, x24, [sp, #48]\n"
	"	stp	x25, x26, [sp, #64]\n"
	"	stp	x27, x28, [sp, #80]\n"
	"	stp	d8, d9, [sp, #96]\n"
	"	stp	d10, d11, [sp, #112]\n"
	"	stp	d12, d13, [sp, #128]\n"
	"	stp	d14, d15, [sp, #144]\n"
	"	str	x1, [sp, #160]\n"
	"	add	x2, x0, #264\n"
	"	.irp	n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30\n"
	"	ldp	q\\n, q31, [x2], #32\n"
	"	.endr\n"
	"	ldr	x1, [x0, #256]\n"
	"	msr	nzcv, x1\n"
	"	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30\n"
	"	ldr	x\\n, [x0, #8 * \\n]\n"
	"	.endr\n"
	"	ldr	x0, [x0]\n"
	"	svc	#0\n"
	"	str	x0, [sp, #168]\n"
	"	ldr	x0, [sp, #160]\n"
	"	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30\n"
	"	str	x\\n, [x0, #8 * \\n]\n"
	"	.endr\n"
	"	ldr	x1, [sp, #168]\n"
	"	str	x1, [x0]\n"
	"	mrs	x1, nzcv\n"
	"	str	x1, [x0, #256]\n"
	"	add	x2, x0, #264\n"
	"	.irp	n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30\n"
	"	stp	q\\n, q31, [x2], #32\n"
	"	.endr\n"
	"	ldp	x19, x20, [sp, #16]\n"
	"	ldp	x21, x22, [sp, #32]\n"
	"	ldp	x23, x24, [sp, #48]\n"
	"	ldp	x25, x26, [sp, #64]\n"
	"	ldp	x27, x28, [sp, #80]\n"
	"	ldp	d8, d9, [sp, #96]\n"
	"	ldp	d10, d11, [sp, #112]\n"
	"	ldp	d12, d13, [sp, #128]\n"
	"	ldp	d14, d15, [sp, #144]\n"
	"	ldp	x29, x30, [sp], #176\n"
	"	ret\n"
	"	.size	call, . - call\n");

static void check(const char *name, long number, long a, long b, long expected, int any)
{
	static struct state in, out;

	for (unsigned flags = 0; flags < 16; flags++) {
		for (int i = 0; i < 31; i++)
			in.x[i] = 0x1111111111111111UL * (i % 15 + 1) ^ (unsigned long)i << 56;
		in.x[0] = a;
		in.x[1] = b;
		in.x[2] = 0;
		in.x[8] = number;
		in.nzcv = (unsigned long)flags << 28;
		for (int i = 0; i < 64; i++)
			in.v[i] = 0x0123456789abcdefUL * (i + 3);
		/* The odd registers are loaded into V31, which the last pair leaves. */
		call(&in, &out);
		for (int i = 1; i < 31; i++)
			if (out.x[i] != in.x[i]) {
				printf("FAILED %s: x%d\n", name, i);
				exit(1);
			}
		if (out.nzcv != in.nzcv) {
			printf("FAILED %s: nzcv\n", name);
			exit(1);
		}
		for (int i = 0; i < 64; i++)
			if (i % 4 < 2 && out.v[i] != in.v[i]) {
				printf("FAILED %s: v%d\n", name, i / 2);
				exit(1);
			}
		if (!any && (long)out.x[0] != expected) {
			printf("FAILED %s: %ld, not %ld\n", name, (long)out.x[0], expected);
			exit(1);
		}
	}
	printf("ok %s\n", name);
}

int main(void)
{
	struct timespec now;
	unsigned cpu = ~0U;

	check("getpid", SYS_getpid, 0, 0, syscall(SYS_getpid), 0);
	check("getuid", SYS_getuid, 0, 0, syscall(SYS_getuid), 0);
	check("getppid", SYS_getppid, 0, 0, syscall(SYS_getppid), 0);
	check("getcpu", SYS_getcpu, (long)&cpu, 0, 0, 0);
	check("clock_gettime", SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0, 0);
	check("clock_gettime of no clock", SYS_clock_gettime, 99, (long)&now, -EINVAL, 0);
	check("clock_getres", SYS_clock_getres, CLOCK_MONOTONIC, (long)&now, 0, 0);
	check("umask", SYS_umask, 022, 0, 0, 1);
	check("no such call", 1000, 0, 0, -ENOSYS, 0);
	return 0;
}
