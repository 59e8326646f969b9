#include "begin.h"

int main(void)
{
	begin();
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(p, 4096, PROT_NONE);
	mprotect(p, 4096, PROT_READ | PROT_EXEC);
	mmap(p, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
	madvise(p, 4096, MADV_DONTNEED);
	madvise(p, 8192, MADV_DONTFORK);
	mremap(p, 8192, 16384, MREMAP_MAYMOVE);
	munmap(p, 4096);
	munmap((void *)4097, 4096);
	int fd = syscall(SYS_memfd_create, "name", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ftruncate(fd, 8192);
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
	fcntl(fd, F_GET_SEALS);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	msync(p, 4096, MS_SYNC);
	msync(p, 4096, MS_ASYNC | MS_INVALIDATE);
	mlock(p, 4096);
	munlock(p, 4096);
	mmap(NULL, 0, PROT_READ, MAP_PRIVATE, fd, 0);
	mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_POPULATE | MAP_NORESERVE, 99, 0);
	brk((void *)0);
	struct rlimit limit;
	syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, NULL);
	limit = (struct rlimit){ 0, 0 };
	syscall(SYS_prlimit64, 0, RLIMIT_CORE, &limit, NULL);
	syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &limit);
	limit = (struct rlimit){ 8192 * 1024, RLIM_INFINITY };
	syscall(SYS_prlimit64, 0, RLIMIT_STACK, &limit, &limit);
	syscall(SYS_mincore, p, 4096, NULL);
	return 0;
}
