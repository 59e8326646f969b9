// SPDX-License-Identifier: MIT
/* What a program is told of its faults: signal, code, address with and without its tag, syndrome; cache maintenance is a read; ID
 * registers that no CPU has are zero. */
#include "guest.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>

#define EXPOSE_TAGBITS 0x800
#define ESR_MAGIC 0x45535201

static sigjmp_buf back;
static volatile int seen, code;
static volatile uint64_t address, syndrome, fault_address;

static void handler(int number, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	unsigned char *record = (unsigned char *)c->uc_mcontext.__reserved;

	seen = number;
	code = info->si_code;
	address = (uint64_t)info->si_addr;
	fault_address = c->uc_mcontext.fault_address;
	syndrome = 0;
	for (;;) {
		uint32_t head[2];

		memcpy(head, record, sizeof(head));
		if (head[0] == ESR_MAGIC)
			memcpy((void *)&syndrome, record + 8, 8);
		if (!head[0] || !head[1])
			break;
		record += head[1];
	}
	siglongjmp(back, 1);
}

#define FAULT(what, signal_number, signal_code, at, statement) do { \
	seen = 0; \
	if (!sigsetjmp(back, 1)) { \
		statement; \
	} \
	CHECK(what, seen == (signal_number) && code == (signal_code) && (!(at) || address == (uint64_t)(at))); \
} while (0)

#define WORKS(what, statement) FAULT(what, 0, code, 0, statement)

static void install(int number, int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	sigaction(number, &action, NULL);
}

static void *map(size_t size, int protection)
{
	return mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void touch(uint64_t where)
{
	*(volatile char *)where;
}

static void addresses(void)
{
	char *p = map(16384, PROT_READ | PROT_WRITE), *none = map(4096, PROT_NONE);
	uint64_t tagged = (uint64_t)none | 0x5aull << 56;
	int file = memfd_create("short", 0);
	char *mapped;

	p[0] = 1;
	mprotect(p, 4096, PROT_NONE);
	FAULT("a touched page without access", SIGSEGV, SEGV_ACCERR, p + 8, touch((uint64_t)p + 8));
	mprotect(p, 4096, PROT_READ);
	FAULT("a write to a page for reading", SIGSEGV, SEGV_ACCERR, p + 16, *(volatile char *)(p + 16) = 1);
	FAULT("an untouched page without access", SIGSEGV, SEGV_ACCERR, none, touch((uint64_t)none));
	FAULT("a page that is not executable", SIGSEGV, SEGV_ACCERR, p + 4096, ((void (*)(void))(p + 4096))());
	munmap(none, 4096);
	FAULT("nothing mapped", SIGSEGV, SEGV_MAPERR, none + 3, touch((uint64_t)none + 3));
	CHECK("the syndrome of a user address", syndrome >> 26 == 0x24 && (syndrome & 0x3c) == 4);
	FAULT("a kernel address", SIGSEGV, SEGV_MAPERR, 0xffff800000000000, touch(0xffff800000000000));
	CHECK("its syndrome says level 0 and no more", syndrome == 0x92000004);
	FAULT("a write to a kernel address", SIGSEGV, SEGV_MAPERR, 0, *(volatile char *)0xffff800000000040 = 1);
	CHECK("its syndrome says that it was a write", syndrome == 0x92000044);
	FAULT("a jump to a kernel address", SIGSEGV, SEGV_MAPERR, 0, ((void (*)(void))0xffff800000000000)());
	CHECK("the syndrome of a fetch", syndrome == 0x82000004);
	FAULT("a tagged address without its tag", SIGSEGV, SEGV_MAPERR, none, touch(tagged));
	CHECK("fault_address has none", fault_address == (uint64_t)none);
	install(SIGSEGV, EXPOSE_TAGBITS);
	FAULT("with it for SA_EXPOSE_TAGBITS", SIGSEGV, SEGV_MAPERR, tagged, touch(tagged));
	CHECK("fault_address still has none", fault_address == (uint64_t)none);
	install(SIGSEGV, 0);
	CHECK("a short file", !ftruncate(file, 100));
	mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	FAULT("a page behind the end of a file", SIGBUS, BUS_ADRERR, mapped + 4096, touch((uint64_t)mapped + 4096));
	FAULT("an exclusive load across words", SIGBUS, BUS_ADRALN, p + 8193,
		__asm__ volatile("ldxr w0, [%0]" :: "r"(p + 8193) : "x0"));
	FAULT("a break point", SIGTRAP, TRAP_BRKPT, 0, __asm__ volatile("brk #7"));
	CHECK("it has no fault address", fault_address == 0);
	FAULT("a register of EL1", SIGILL, ILL_ILLOPC, 0, __asm__ volatile("mrs x0, ttbr0_el1" ::: "x0"));
}

static void caches(void)
{
	int file = memfd_create("code", 0);
	char *code_page, *read_only = map(4096, PROT_READ), *none = map(4096, PROT_NONE), *shared;
	int status;
	pid_t child;

	CHECK("a file for code", !ftruncate(file, 65536));
	code_page = mmap(NULL, 65536, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
	WORKS("dc cvau touches code first", __asm__ volatile("dc cvau, %0" :: "r"(code_page)));
	WORKS("ic ivau touches code first", __asm__ volatile("ic ivau, %0" :: "r"(code_page + 4096)));
	WORKS("dc civac touches code first", __asm__ volatile("dc civac, %0" :: "r"(code_page + 8192)));
	WORKS("dc cvau of a page for reading", __asm__ volatile("dc cvau, %0" :: "r"(read_only)));
	FAULT("dc zva is a write", SIGSEGV, SEGV_ACCERR, 0, __asm__ volatile("dc zva, %0" :: "r"(code_page + 12288)));
	FAULT("dc cvau of a page without access", SIGSEGV, SEGV_ACCERR, 0, __asm__ volatile("dc cvau, %0" :: "r"(none)));
	CHECK("its syndrome has CM and WnR", (syndrome & 0x140) == 0x140);
	shared = map(4096, PROT_READ | PROT_WRITE);
	shared[0] = 5;
	child = fork();
	if (!child) {
		struct rusage before, after;

		getrusage(RUSAGE_SELF, &before);
		__asm__ volatile("dc cvau, %0" :: "r"(shared));
		getrusage(RUSAGE_SELF, &after);
		_exit(after.ru_minflt - before.ru_minflt > 1);
	}
	waitpid(child, &status, 0);
	CHECK("dc cvau does not copy a page", status == 0);
}

#define READ(crm, op2) do { \
	static uint64_t value; \
	value = 0xdead; \
	WORKS("S3_0_C0_C" #crm "_" #op2 " can be read", __asm__ volatile("mrs %0, S3_0_C0_C" #crm "_" #op2 : "+r"(value))); \
	CHECK("and is 0", value == 0); \
} while (0)

static void registers(void)
{
	static uint64_t value;


	WORKS("MPIDR_EL1 can be read", __asm__ volatile("mrs %0, S3_0_C0_C0_5" : "=r"(value)));
	CHECK("and names no CPU", value == 1u << 31);
	READ(0, 6);
	READ(5, 6);
	READ(6, 7);
	READ(7, 6);
	FAULT("a register of AArch32", SIGILL, ILL_ILLOPC, 0, __asm__ volatile("mrs x0, S3_0_C0_C1_1" ::: "x0"));
}

int main(void)
{
	const int numbers[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP };

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		install(numbers[i], 0);
	addresses();
	caches();
	registers();
	return guest_done("faults");
}
