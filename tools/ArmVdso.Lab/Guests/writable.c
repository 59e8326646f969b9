/*
 * The guest of "armvdso vdso writable": user 1000 wants a file that is root's. One thread opens it again and
 * again; the other, on another CPU, writes 0 and 1000 in turn into the word of the first one's vDSO slot that
 * says which file system user it asks for. Status: 0, what the host reads is at attempts_done.
 */
typedef unsigned long u64;
typedef unsigned int u32;

#define SLOT_EUID 20
#define ATTEMPTS 4000

static char stack[8192] __attribute__((aligned(16)));
static volatile u64 slot;
static volatile u32 over, opened, refused, writes;

static long syscall4(long nr, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = 0;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
}

static void pin(u64 mask)
{
	syscall4(122, 0, 8, (long)&mask, 0);
}

static void pause(u64 rounds)
{
	__asm__ volatile("1:	subs	%0, %0, #1\n	b.pl	1b\n" : "+r"(rounds) : : "cc");
}

__attribute__((used)) static void flip(void)
{
	volatile u32 *word;

	pin(2);
	syscall4(147, 1000, 1000, 1000, 0);
	while (!slot)
		;
	word = (volatile u32 *)(slot + SLOT_EUID);
	while (!over) {
		/* Each value stays for a while; the two periods drift through the other thread's loop. */
		*word = 0;
		pause(7);
		*word = 1000;
		pause(writes & 15);
		writes++;
	}
	syscall4(93, 0, 0, 0, 0);
}

__attribute__((naked)) static long spawn(u64 flags __attribute__((unused)), u64 top __attribute__((unused)))
{
	__asm__(
		"	mov	x2, #0\n"
		"	mov	x3, #0\n"
		"	mov	x4, #0\n"
		"	mov	x8, #220\n"
		"	svc	#0\n"
		"	cbz	x0, 1f\n"
		"	ret\n"
		"1:	bl	flip\n");
}

__attribute__((used)) static void start(void)
{
	static const char name[] = "/secret";
	u64 own;
	long fd = syscall4(56, -100, (long)name, 0101, 0600);

	if (fd < 0 || syscall4(57, fd, 0, 0, 0))
		syscall4(94, 1, 0, 0, 0);
	pin(1);
	if (spawn(0x50f00, (u64)stack + sizeof(stack)) < 0)
		syscall4(94, 2, 0, 0, 0);
	syscall4(147, 1000, 1000, 1000, 0);
	__asm__ volatile("mrs %0, tpidrro_el0" : "=r"(own));
	slot = own;
	for (u32 i = 0; i < ATTEMPTS; i++) {
		fd = syscall4(56, -100, (long)name, 0, 0);
		if (fd >= 0) {
			opened++;
			syscall4(57, fd, 0, 0, 0);
		} else {
			refused++;
		}
	}
	over = 1;
	__asm__ volatile(
		"	mov	w0, %w[o]\n"
		"	mov	w1, %w[r]\n"
		"	mov	w2, %w[w]\n"
		"	.globl	attempts_done\n"
		"attempts_done:\n"
		"	nop\n" : : [o] "r"(opened), [r] "r"(refused), [w] "r"(writes) : "x0", "x1", "x2", "memory");
	syscall4(94, 0, 0, 0, 0);
}

__attribute__((naked)) void _start(void)
{
	__asm__("mov x29, #0\n\tmov x30, #0\n\tb start\n");
}
