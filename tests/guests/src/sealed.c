// SPDX-License-Identifier: MIT
/* Mappings that cannot be changed (mseal), advice that is refused, and a mapping asked for in binary (PROCMAP_QUERY). */
#include "guest.h"
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define PAGE 4096UL

struct query {
	uint64_t size, flags, address, start, end, vma_flags, page_size, offset, inode;
	uint32_t major, minor, name_size, id_size;
	uint64_t name, id;
};

#define PROCMAP_QUERY _IOWR('f', 17, struct query)

static char *map(int pages, int prot)
{
	return mmap(0, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long seal(void *at, unsigned long size, unsigned long flags)
{
	return syscall(462, at, size, flags);
}

static void seals(void)
{
	char *at = map(8, PROT_READ | PROT_WRITE), *fixed = map(2, PROT_READ);

	FAILS("flags", EINVAL, seal(at, PAGE, 1));
	FAILS("in the middle of a page", EINVAL, seal(at + 1, PAGE, 0));
	FAILS("around the end", EINVAL, seal(at, -PAGE + 1, 0));
	CHECK("nothing", seal(at, 0, 0) == 0);
	munmap(at + 4 * PAGE, PAGE);
	FAILS("over a hole", ENOMEM, seal(at + 3 * PAGE, 2 * PAGE, 0));
	CHECK("which seals nothing", mprotect(at + 3 * PAGE, PAGE, PROT_READ) == 0);
	CHECK("two pages", seal(at + PAGE, PAGE + 1, 0) == 0 && seal(at + PAGE, PAGE, 0) == 0);
	at[PAGE] = 7;
	FAILS("munmap", EPERM, munmap(at, 2 * PAGE));
	CHECK("and all of it is there", at[0] == 0 && at[PAGE] == 7);
	FAILS("mprotect", EPERM, mprotect(at + PAGE, PAGE, PROT_READ));
	FAILS("mremap", EPERM, mremap(at + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	FAILS("mremap over it", EPERM, mremap(fixed, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + PAGE));
	FAILS("mmap over it", EPERM, mmap(at + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	CHECK("MADV_DONTNEED of what can be written", madvise(at + PAGE, PAGE, MADV_DONTNEED) == 0 && at[PAGE] == 0);
	CHECK("the neighbour", munmap(at, PAGE) == 0);
	CHECK("a sealed page to read", seal(fixed, PAGE, 0) == 0);
	FAILS("is not thrown away", EPERM, madvise(fixed, PAGE, MADV_DONTNEED));
	CHECK("other advice", madvise(fixed, PAGE, MADV_WILLNEED) == 0);
}

static void advice(void)
{
	char *at = map(4, PROT_READ | PROT_WRITE), *shared, *private;
	int file = open("/tmp/advised", O_CREAT | O_RDWR | O_TRUNC, 0600);

	ftruncate(file, 2 * PAGE);
	pwrite(file, "abc", 3, 0);
	shared = mmap(0, 2 * PAGE, PROT_READ, MAP_SHARED, file, 0);
	private = mmap(0, PAGE, PROT_READ, MAP_PRIVATE, file, 0);
	FAILS("no such advice", EINVAL, madvise(at, PAGE, 1212));
	FAILS("MADV_REMOVE of private memory", EINVAL, madvise(at, PAGE, MADV_REMOVE));
	FAILS("MADV_REMOVE of a private mapping", EACCES, madvise(private, PAGE, MADV_REMOVE));
	CHECK("MADV_REMOVE of a file", shared[0] == 'a' && madvise(shared, PAGE, MADV_REMOVE) == 0 && shared[0] == 0);
	CHECK("a lock", mlock(shared, PAGE) == 0 && mlock(at, PAGE) == 0);
	FAILS("MADV_REMOVE of what is locked", EINVAL, madvise(shared, PAGE, MADV_REMOVE));
	FAILS("MADV_DONTNEED of what is locked", EINVAL, madvise(at, PAGE, MADV_DONTNEED));
	CHECK("MADV_DONTNEED_LOCKED", madvise(at, PAGE, 24) == 0);
	munmap(at + PAGE, PAGE);
	FAILS("a lock over a hole", ENOMEM, mlock(at, 3 * PAGE));
	FAILS("and none", ENOMEM, munlock(at, 3 * PAGE));
	CHECK("unlocked up to there", madvise(at, PAGE, MADV_DONTNEED) == 0);
	FAILS("MADV_WIPEONFORK of a file", EINVAL, madvise(private, PAGE, MADV_WIPEONFORK));
	close(file);
	unlink("/tmp/advised");
}

static void queries(void)
{
	int maps = open("/proc/self/maps", O_RDONLY);
	char *at = map(3, PROT_READ), name[256] = "";
	struct query q = { .size = sizeof(q), .address = (unsigned long)at + PAGE };
	struct stat st;
	unsigned char id[20];

	mprotect(at + PAGE, PAGE, PROT_READ | PROT_WRITE);
	CHECK("a mapping", ioctl(maps, PROCMAP_QUERY, &q) == 0 && q.start == q.address && q.end == q.start + PAGE);
	CHECK("what it is", q.vma_flags == 3 && q.page_size == PAGE && !q.offset && !q.inode && !q.name_size);
	munmap(at + PAGE, PAGE);
	FAILS("none", ENOENT, ioctl(maps, PROCMAP_QUERY, &q));
	q.flags = 0x10;
	CHECK("or the next", ioctl(maps, PROCMAP_QUERY, &q) == 0 && q.start == (unsigned long)at + 2 * PAGE && q.vma_flags == 1);
	q.flags = 0x40;
	FAILS("no such wish", EINVAL, ioctl(maps, PROCMAP_QUERY, &q));
	q = (struct query){ .size = sizeof(q), .address = (unsigned long)queries, .flags = 4, .name = (unsigned long)name,
		.name_size = sizeof(name) };
	fstat(open("/proc/self/exe", O_RDONLY), &st);
	CHECK("code", ioctl(maps, PROCMAP_QUERY, &q) == 0 && (q.vma_flags & 12) == 4 && q.inode == st.st_ino);
	CHECK("its file", q.name_size == strlen(name) + 1 && strstr(name, "sealed"));
	q.name_size = 3;
	FAILS("a name that does not fit", ENAMETOOLONG, ioctl(maps, PROCMAP_QUERY, &q));
	q.name_size = 0;
	FAILS("a place without a size", EINVAL, ioctl(maps, PROCMAP_QUERY, &q));
	q = (struct query){ .size = 24, .address = (unsigned long)queries, .end = 77 };
	CHECK("a short structure", ioctl(maps, PROCMAP_QUERY, &q) == 0 && q.end == 77);
	q.size = 16;
	FAILS("too short", EINVAL, ioctl(maps, PROCMAP_QUERY, &q));
	q.size = 8192;
	FAILS("too long", E2BIG, ioctl(maps, PROCMAP_QUERY, &q));
	q = (struct query){ .size = sizeof(q), .address = (unsigned long)queries, .id = (unsigned long)id, .id_size = 20 };
	CHECK("a build ID", ioctl(maps, PROCMAP_QUERY, &q) == 0 && (q.id_size == 20 || q.id_size == 0));
	FAILS("of a command that is not there", ENOTTY, ioctl(maps, _IO('f', 18), &q));
}

/* A process that ends gives back its memory, sealed or not. */
static unsigned long free_pages(void)
{
	struct sysinfo info;

	return sysinfo(&info) ? 0 : info.freeram / PAGE * info.mem_unit;
}

static void ends(void)
{
	unsigned long before = free_pages();
	int status = -1;

	if (!fork()) {
		char *at = map(1024, PROT_READ | PROT_WRITE);

		for (int i = 0; i < 1024; i++)
			at[i * PAGE] = 1;
		_exit(seal(at, PAGE, 0) != 0);
	}
	CHECK("a child with a seal", wait(&status) > 0 && status == 0);
	CHECK("its memory is free again", free_pages() + 512 > before);
}

int main(void)
{
	seals();
	ends();
	advice();
	queries();
	return guest_done("sealed");
}
