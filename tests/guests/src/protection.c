// SPDX-License-Identifier: MIT
/* CFLAGS: -nostdlib -ffreestanding -fno-stack-protector -mbranch-protection=standard */
/* Pointer authentication and branch target identification of a whole program, without libc so that every object in it
 * is built with both and the linker marks the file (PT_GNU_PROPERTY). Modes: run, pac, bti. */
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

struct info { int number, error, code; };
struct action { void (*handler)(int, struct info *, void *); unsigned long flags; void *restorer; unsigned long mask; };

static long call(long number, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}

static void say(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	call(SYS_write, 1, (long)text, (long)length, 0);
}

static _Noreturn void leave(int status)
{
	for (;;)
		call(SYS_exit_group, status, 0, 0, 0);
}

static void caught(int number, struct info *info, void *context)
{
	char text[] = "signal    code  \n";

	(void)context;
	text[7] = (char)(number < 10 ? ' ' : '0' + number / 10);
	text[8] = (char)('0' + number % 10);
	text[15] = (char)('0' + info->code);
	say(text);
	leave(3);
}

static __attribute__((noinline)) int sum(int (*step)(int), int n)
{
	int total = 0;

	for (int i = 1; i <= n; i++)
		total += step(i);
	return total;
}

static __attribute__((noinline)) int square(int n)
{
	return n * n;
}

static __attribute__((used)) void hijacked(void)
{
	say("returned to another place\n");
	leave(0);
}

/* A function whose saved return address an overflow replaces, and one that is entered behind its landing pad. */
__asm__(
	"overflow:\n"
	"	paciasp\n"
	"	stp	x29, x30, [sp, -16]!\n"
	"	adr	x9, hijacked\n"
	"	str	x9, [sp, 8]\n"
	"	ldp	x29, x30, [sp], 16\n"
	"	autiasp\n"
	"	ret\n"
	"	.globl	padded\n"
	"padded:\n"
	"	bti	c\n"
	"	mov	w0, 7\n"
	"	ret\n"
	"	.globl	_start\n"
	"_start:\n"
	"	mov	x29, 0\n"
	"	mov	x30, 0\n"
	"	ldr	x0, [sp, 16]\n"
	"	bl	start\n");
extern void overflow(void);
extern char padded[];

__attribute__((used)) _Noreturn void start(const char *mode)
{
	struct action action = { .handler = caught, .flags = 4 /* SA_SIGINFO */ };
	int (*volatile step)(int) = square;
	int (*volatile inside)(void) = (int (*)(void))(uintptr_t)(padded + 4);
	int (*volatile outside)(void) = (int (*)(void))(uintptr_t)padded;

	call(SYS_rt_sigaction, 4, (long)&action, 0, 8);
	call(SYS_rt_sigaction, 11, (long)&action, 0, 8);
	if (mode[0] == 'p')
		overflow();
	if (outside() != 7 || sum(step, 5) != 55)
		leave(1);
	say("ran\n");
	if (mode[0] == 'b' && inside() == 7)
		say("entered behind the landing pad\n");
	leave(0);
}
