// SPDX-License-Identifier: MIT
/* Asynchronous input and output, attributes of files, seals of mappings, namespaces asked by ioctl. What is expected is Linux 6.12's. */
#include "guest.h"
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>


static struct iocb *request(struct iocb *r, int file, int operation, void *buffer, size_t length)
{
	memset(r, 0, sizeof(*r));
	r->aio_fildes = file;
	r->aio_lio_opcode = operation;
	r->aio_buf = (unsigned long)buffer;
	r->aio_nbytes = length;
	r->aio_data = 42;
	return r;
}

static void aio(void)
{
	aio_context_t context = 0;
	struct iocb one, two, *list[] = { &one, &two };
	struct io_event events[2];
	struct timespec now = { 0, 0 };
	int file = open("/tmp/aio", O_CREAT | O_RDWR, 0600), pipes[2], told = eventfd(0, 0);
	char text[16] = "";
	unsigned long long count;

	CHECK("io_setup", syscall(SYS_io_setup, 8, &context) == 0 && context);
	FAILS("twice", EINVAL, syscall(SYS_io_setup, 8, &context));
	request(&one, file, IOCB_CMD_PWRITE, "written", 7);
	one.aio_flags = IOCB_FLAG_RESFD;
	one.aio_resfd = told;
	request(&two, file, IOCB_CMD_FSYNC, NULL, 0);
	CHECK("io_submit", syscall(SYS_io_submit, context, 2, list) == 2);
	CHECK("io_getevents", syscall(SYS_io_getevents, context, 2, 2, events, NULL) == 2 && events[0].res == 7 && events[0].data == 42 &&
		events[0].obj == (unsigned long)&one && events[1].res == 0);
	CHECK("the eventfd heard", read(told, &count, 8) == 8 && count == 1);
	CHECK("in the file", pread(file, text, 7, 0) == 7 && !strcmp(text, "written"));
	CHECK("a pipe", pipe(pipes) == 0);
	request(&one, pipes[0], IOCB_CMD_POLL, (void *)POLLIN, 0);
	CHECK("a poll waits", syscall(SYS_io_submit, context, 1, list) == 1 && syscall(SYS_io_getevents, context, 0, 1, events, &now) == 0);
	CHECK("until there is something", write(pipes[1], "x", 1) == 1 && syscall(SYS_io_getevents, context, 1, 1, events, NULL) == 1 &&
		(events[0].res & POLLIN));
	request(&one, pipes[1], IOCB_CMD_PREAD, text, 1);
	FAILS("not to be read", EBADF, syscall(SYS_io_submit, context, 1, list));
	request(&one, -1, IOCB_CMD_PREAD, text, 1);
	FAILS("no file", EBADF, syscall(SYS_io_submit, context, 1, list));
	request(&one, file, 4, text, 1);
	FAILS("no such operation", EINVAL, syscall(SYS_io_submit, context, 1, list));
	FAILS("most below least", EINVAL, syscall(SYS_io_getevents, context, 2, 1, events, NULL));
	CHECK("io_destroy", syscall(SYS_io_destroy, context) == 0);
	FAILS("gone", EINVAL, syscall(SYS_io_destroy, context));
}

static void attributes(void)
{
	int file = open("/tmp/attributes", O_CREAT | O_RDWR, 0600), flags = FS_IMMUTABLE_FL;

	CHECK("immutable", ioctl(file, FS_IOC_SETFLAGS, &flags) == 0);
	FAILS("not opened for writing", EPERM, open("/tmp/attributes", O_WRONLY));
	FAILS("not removed", EPERM, unlink("/tmp/attributes"));
	FAILS("no other mode", EPERM, chmod("/tmp/attributes", 0644));
	FAILS("no attribute", EPERM, setxattr("/tmp/attributes", "user.x", "x", 1, 0));
	flags = FS_APPEND_FL;
	CHECK("only appended to", ioctl(file, FS_IOC_SETFLAGS, &flags) == 0 && open("/tmp/attributes", O_WRONLY) == -1 && errno == EPERM &&
		open("/tmp/attributes", O_WRONLY | O_APPEND) >= 0);
	flags = 0;
	CHECK("as before", ioctl(file, FS_IOC_SETFLAGS, &flags) == 0 && unlink("/tmp/attributes") == 0);
}

static void seals(void)
{
	int file = memfd_create("sealed", MFD_ALLOW_SEALING);
	void *page;

	CHECK("a page", ftruncate(file, 4096) == 0);
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	FAILS("not while it can be written", EBUSY, fcntl(file, F_ADD_SEALS, F_SEAL_WRITE));
	munmap(page, 4096);
	CHECK("sealed", fcntl(file, F_ADD_SEALS, F_SEAL_WRITE) == 0);
	CHECK("no mapping for writing", mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) == MAP_FAILED && errno == EPERM);
	page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
	FAILS("and none made so", EACCES, mprotect(page, 4096, PROT_READ | PROT_WRITE));
}

static void pages(void)
{
	struct { unsigned long long offset, length; } all = { 0, 0 }, second = { 4096, 4096 };
	struct { unsigned long long cached, dirty, writeback, evicted, recently; } counts;
	char two[8192] = "";
	int file = open("/tmp/pages", O_CREAT | O_RDWR, 0600);

	CHECK("two pages and a hole", write(file, two, 8192) == 8192 && ftruncate(file, 16384) == 0);
	CHECK("two in memory", syscall(451, file, &all, &counts, 0) == 0 && counts.cached == 2);
	CHECK("one of them", syscall(451, file, &second, &counts, 0) == 0 && counts.cached == 1);
	FAILS("no flags", EINVAL, syscall(451, file, &all, &counts, 1));
	FAILS("no file", EBADF, syscall(451, -1, &all, &counts, 0));
	FAILS("no process", EBADF, syscall(448, file, 0));
	FAILS("one that lives", EINVAL, syscall(448, syscall(SYS_pidfd_open, getpid(), 0), 0));
}

static void spaces(void)
{
	int user = open("/proc/self/ns/user", O_RDONLY), made, owner;
	unsigned id = 1;

	CHECK("its kind", ioctl(user, NS_GET_NSTYPE) == CLONE_NEWUSER);
	FAILS("nothing above the first", EPERM, ioctl(user, NS_GET_PARENT));
	CHECK("a new one", unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0);
	made = open("/proc/self/ns/user", O_RDONLY);
	CHECK("its maker", ioctl(made, NS_GET_OWNER_UID, &id) == 0 && id == 65534);
	FAILS("what is above is not shown", EPERM, ioctl(made, NS_GET_PARENT));
	owner = open("/proc/self/ns/pid", O_RDONLY);
	FAILS("an owner above neither", EPERM, ioctl(owner, NS_GET_USERNS));
}

int main(void)
{
	aio();
	attributes();
	seals();
	pages();
	spaces();
	return guest_done("aio");
}
