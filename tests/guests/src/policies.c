// SPDX-License-Identifier: MIT
/* Memory policies, protection keys and advice from outside, on a machine whose memory is on one node. */
#include "guest.h"
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define STATIC 0x8000
#define RELATIVE 0x4000
#define BALANCING 0x2000
enum { DEFAULT, PREFERRED, BIND, INTERLEAVE, LOCAL, PREFERRED_MANY, WEIGHTED };
enum { NODE = 1, ADDRESS = 2, ALLOWED = 4 };

static const unsigned long one[16] = { 1 }, none[16], second[16] = { 2 }, far[16] = { 1, 1 };

static long set(int mode, const void *nodes, unsigned long count)
{
	return syscall(SYS_set_mempolicy, mode, nodes, count);
}

static long set_range(const char *start, unsigned long length, int mode, const void *nodes, unsigned flags)
{
	return syscall(SYS_mbind, start, length, mode, nodes, nodes ? 64ul : 0ul, flags);
}

static long home(const char *start, unsigned long length, unsigned long node, unsigned long flags)
{
	return syscall(450, start, length, node, flags);
}

/* Whether the policy is this one. */
static int is(int mode, unsigned long nodes, const void *address, unsigned long flags)
{
	unsigned long told[16] = { ~0ul };
	int how = -1;

	return !syscall(SYS_get_mempolicy, &how, told, 64ul, address, flags) && how == mode && told[0] == nodes;
}

static void of_the_task(void)
{
	int status;
	pid_t child;

	CHECK("the default", is(DEFAULT, 0, NULL, 0) && !set(DEFAULT, NULL, 0));
	FAILS("has no nodes", EINVAL, set(DEFAULT, one, 64));
	CHECK("preferred", !set(PREFERRED, one, 64) && is(PREFERRED, 1, NULL, 0));
	CHECK("without a node: local", !set(PREFERRED, NULL, 0) && is(LOCAL, 0, NULL, 0));
	CHECK("bound", !set(BIND, one, 64) && is(BIND, 1, NULL, 0));
	FAILS("to none", EINVAL, set(BIND, none, 64));
	FAILS("to one that is not there", EINVAL, set(BIND, second, 64));
	FAILS("or cannot be", EINVAL, set(BIND, far, 128));
	FAILS("to a bad address", EFAULT, set(BIND, (void *)8, 64));
	CHECK("in turn", !set(INTERLEAVE, one, 64) && is(INTERLEAVE, 1, NULL, 0));
	CHECK("whose turn it is", is(0, 1, NULL, NODE));
	FAILS("local with a node", EINVAL, set(LOCAL, one, 64));
	CHECK("several preferred", !set(PREFERRED_MANY, one, 64) && is(PREFERRED_MANY, 1, NULL, 0));
	FAILS("an unknown mode", EINVAL, set(7, one, 64));
	FAILS("an unknown flag", EINVAL, set(PREFERRED | 0x1000, one, 64));
	CHECK("nodes as they are named", !set(PREFERRED | STATIC, one, 64) && is(PREFERRED | STATIC, 1, NULL, 0));
	FAILS("and counted", EINVAL, set(PREFERRED | STATIC | RELATIVE, one, 64));
	CHECK("balanced", !set(BIND | BALANCING, one, 64) && is(BIND | BALANCING, 1, NULL, 0));
	FAILS("in turn and balanced", EINVAL, set(INTERLEAVE | BALANCING, one, 64));
	FAILS("a mask without bits", EINVAL, set(BIND, one, 1));
	CHECK("a long one", !set(BIND, one, 512));
	FAILS("too long a one", EINVAL, set(BIND, one, 4096 * 8 + 2));
	CHECK("what is allowed", is(0, 1, NULL, ALLOWED));
	FAILS("whose turn it is of none", EINVAL, syscall(SYS_get_mempolicy, NULL, NULL, 0ul, NULL, NODE));
	FAILS("an address for nothing", EINVAL, syscall(SYS_get_mempolicy, NULL, NULL, 0ul, one, 0ul));
	FAILS("an unknown wish", EINVAL, syscall(SYS_get_mempolicy, NULL, NULL, 0ul, NULL, 8ul));
	FAILS("no address", EFAULT, syscall(SYS_get_mempolicy, NULL, NULL, 0ul, 8ul, (unsigned long)ADDRESS));
	child = fork();
	if (!child)
		_exit(!is(BIND, 1, NULL, 0));
	waitpid(child, &status, 0);
	CHECK("a child has it, too", status == 0);
	set(DEFAULT, NULL, 0);
}

static int listed(const char *start, const char *policy)
{
	static char text[1 << 16], *line;
	char want[64];

	guest_read("/proc/self/numa_maps", text, sizeof(text));
	snprintf(want, sizeof(want), "%08lx %s", (unsigned long)start, policy);
	line = strstr(text, want);
	return line && strchr(" \n", line[strlen(want)]);
}

static void of_mappings(char *a)
{
	a[0] = 1;
	CHECK("a page", !set_range(a, 4096, BIND, one, 0) && is(BIND, 1, a, ADDRESS) && is(DEFAULT, 0, a + 4096, ADDRESS));
	CHECK("as it is listed", listed(a, "bind:0"));
	CHECK("its node", is(0, 1, a, ADDRESS | NODE));
	FAILS("half a page", EINVAL, set_range(a + 1, 4096, BIND, one, 0));
	CHECK("nothing", !set_range(a, 0, BIND, one, 0));
	FAILS("an unknown flag", EINVAL, set_range(a, 4096, BIND, one, 8));
	CHECK("moved there", !set_range(a, 4096, BIND, one, 2));
	FAILS("to a node that is not there", EINVAL, set_range(a, 4096, BIND, second, 0));
	CHECK("the default again", !set_range(a, 4096, DEFAULT, NULL, 0) && is(DEFAULT, 0, a, ADDRESS) && listed(a, "default"));
	CHECK("two pages", !set_range(a + 8192, 8192, PREFERRED | STATIC, one, 1) && listed(a + 8192, "prefer=static:0"));
	munmap(a + 16384, 4096);
	FAILS("not over a hole", EFAULT, set_range(a + 12288, 16384, BIND, one, 0));
	CHECK("which changes nothing", is(PREFERRED | STATIC, 1, a + 12288, ADDRESS) && is(DEFAULT, 0, a + 20480, ADDRESS));
	FAILS("not beyond the end", EINVAL, set_range((char *)-4096, 8192, BIND, one, 0));

	FAILS("a home needs a policy", ENOENT, home(a + 4096, 4096, 0, 0));
	FAILS("that is bound", EOPNOTSUPP, home(a + 8192, 4096, 0, 0));
	CHECK("then it has one", !set_range(a + 4096, 4096, BIND, one, 0) && !home(a + 4096, 4096, 0, 0));
	FAILS("where there is a node", EINVAL, home(a + 4096, 4096, 5000, 0));
	FAILS("no flag", EINVAL, home(a + 4096, 4096, 0, 1));
	FAILS("whole pages", EINVAL, home(a + 1, 4096, 0, 0));

	CHECK("nothing is moved", !syscall(SYS_migrate_pages, 0, 64ul, one, one));
	FAILS("not to nowhere", EINVAL, syscall(SYS_migrate_pages, 0, 64ul, one, none));
	FAILS("of nobody", ESRCH, syscall(SYS_migrate_pages, 99999, 64ul, one, one));
	FAILS("from a bad address", EFAULT, syscall(SYS_migrate_pages, 0, 64ul, (void *)8, one));
	void *pages[3] = { a, a + 24576, a + 16384 };
	int nodes[3] = { 0, 0, 1 }, where[3] = { 1, 1, 1 };
	CHECK("where pages are", !syscall(SYS_move_pages, 0, 3ul, pages, NULL, where, 0)
	      && where[0] == 0 && where[1] == -ENOENT && where[2] == -EFAULT);
	CHECK("and where they are to be", !syscall(SYS_move_pages, 0, 1ul, pages, nodes, where, 2) && where[0] == 0);
	FAILS("not where there is nothing", ENODEV, syscall(SYS_move_pages, 0, 3ul, pages, nodes, where, 2));
	FAILS("an unknown flag of that", EINVAL, syscall(SYS_move_pages, 0, 1ul, pages, nodes, where, 1));
}

static void keys(char *a)
{
	FAILS("there is no key to be had", ENOSPC, syscall(SYS_pkey_alloc, 0, 0));
	FAILS("no flags", EINVAL, syscall(SYS_pkey_alloc, 1, 0));
	FAILS("no unknown right", EINVAL, syscall(SYS_pkey_alloc, 0, 0x100));
	CHECK("key 0 is everybody's", !syscall(SYS_pkey_mprotect, a, 4096ul, PROT_READ | PROT_WRITE, 0));
	FAILS("key 1 nobody's", EINVAL, syscall(SYS_pkey_mprotect, a, 4096ul, PROT_READ | PROT_WRITE, 1));
	FAILS("nor can be freed", EINVAL, syscall(SYS_pkey_free, 1));
	CHECK("key 0 can", !syscall(SYS_pkey_free, 0));
	FAILS("once", EINVAL, syscall(SYS_pkey_free, 0));
	FAILS("then it is nobody's", EINVAL, syscall(SYS_pkey_mprotect, a, 4096ul, PROT_READ | PROT_WRITE, 0));
	CHECK("no key is none", !syscall(SYS_pkey_mprotect, a, 4096ul, PROT_READ | PROT_WRITE, -1));
}

static void advice(char *a)
{
	struct iovec ranges[2] = { { a, 4096 }, { a + 4096, 4096 } };
	int self = syscall(SYS_pidfd_open, getpid(), 0);

	CHECK("advice", syscall(440, self, ranges, 2ul, 20, 0) == 8192 && syscall(440, self, ranges, 2ul, 21, 0) == 8192
	      && syscall(440, self, ranges, 2ul, 3, 0) == 8192);
	FAILS("that does no harm", EINVAL, syscall(440, self, ranges, 2ul, 4, 0));
	FAILS("no flags of that", EINVAL, syscall(440, self, ranges, 2ul, 20, 1));
	FAILS("no process", EBADF, syscall(440, 1, ranges, 2ul, 20, 0));
	CHECK("for nothing", syscall(440, self, ranges, 0ul, 20, 0) == 0);
	FAILS("from nowhere", EFAULT, syscall(440, self, (void *)8, 1ul, 20, 0));
	FAILS("too much", EINVAL, syscall(440, self, ranges, 5000ul, 20, 0));
	ranges[1].iov_base = a + 16384;
	CHECK("up to a hole", syscall(440, self, ranges, 2ul, 20, 0) == 4096);
	FAILS("not of a hole", ENOMEM, syscall(440, self, ranges + 1, 1ul, 20, 0));
}

int main(void)
{
	char *a = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	of_the_task();
	of_mappings(a);
	keys(a);
	advice(a);
	return guest_done("policies");
}
