// SPDX-License-Identifier: MIT
/* What a conformance suite looks into: process 1, struct termio, watches on files without names, mounts that are polled, signals by
 * pidfd, mappings that never become writable. */
#include "guest.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <asm/termbits.h>


struct termio_ { unsigned short in, out, control, local; unsigned char line, cc[8]; };

static void first(void)
{
	int pipes[2], ppid = 0, status;
	char text[64] = "";

	CHECK("process 1 is there", kill(1, 0) == 0 && getpgid(1) >= 0 && getpriority(PRIO_PROCESS, 1) == 0);
	CHECK("and sleeps on", kill(1, SIGCONT) == 0 && !access("/proc/1/stat", F_OK));
	FAILS("a policy that is not there", EINVAL, sched_setscheduler(1, 99, &(struct sched_param){ 0 }));
	CHECK("sched_getscheduler", sched_getscheduler(1) == SCHED_OTHER);
	pipe(pipes);
	if (!fork()) {
		if (!fork()) {
			while (getppid() == getpid() - 1)
				usleep(1000);
			ppid = getppid();
			write(pipes[1], &ppid, sizeof(ppid));
			_exit(0);
		}
		_exit(0);
	}
	wait(&status);
	CHECK("an orphan's parent", read(pipes[0], &ppid, sizeof(ppid)) == sizeof(ppid) && ppid == 1);
	FAILS("is not the grandparent", ECHILD, wait(&status));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (!fork()) {
		if (!fork())
			_exit(7);
		_exit(0);
	}
	CHECK("unless that wants it", wait(&status) > 0 && wait(&status) > 0);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	if (!fork()) {
		setuid(65534);
		_exit(kill(1, 0) == -1 && errno == EPERM && setpriority(PRIO_PROCESS, 1, -2) == -1 && errno == EPERM ? 0 : 1);
	}
	CHECK("others may not signal it", wait(&status) > 0 && status == 0);
	readlink("/proc/self/ns/pid", text, 63);
	close(pipes[0]);
	close(pipes[1]);
}

static void terminal(void)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), slave, zero = 0, number;
	struct termio_ t = { 0 };
	struct termios all;
	char path[32];

	ioctl(master, TIOCSPTLCK, &zero);
	ioctl(master, TIOCGPTN, &number);
	snprintf(path, sizeof(path), "/dev/pts/%d", number);
	slave = open(path, O_RDWR | O_NOCTTY);
	CHECK("TCGETA", ioctl(slave, TCGETA, &t) == 0 && ioctl(slave, TCGETS, &all) == 0 && t.in == (unsigned short)all.c_iflag &&
		t.local == (unsigned short)all.c_lflag && !memcmp(t.cc, all.c_cc, 8));
	t.local &= ~ECHO;
	t.cc[0] = 5;
	CHECK("TCSETA", ioctl(slave, TCSETA, &t) == 0 && ioctl(slave, TCGETS, &all) == 0 && !(all.c_lflag & ECHO) && all.c_cc[0] == 5);
	FAILS("nowhere", EFAULT, ioctl(slave, TCGETA, (void *)-1L));
	close(slave);
	close(master);
}

/* Bits of an event, and whether it has a name: the directory's. */
static int event(int fd)
{
	static char bytes[4096];
	static int at, length;
	struct inotify_event *e;

	if (at >= length) {
		at = 0;
		length = read(fd, bytes, sizeof(bytes));
	}
	if (length <= 0)
		return 0;
	e = (void *)(bytes + at);
	at += sizeof(*e) + e->len;
	return (e->mask & 0xffff) | (e->len ? 0x10000 : 0);
}

static void watches(void)
{
	int fd, file, wd;
	char text[512] = "", path[64];

	mkdir("/tmp/corner", 0755);
	file = open("/tmp/corner/a", O_CREAT | O_RDWR, 0600);
	fd = inotify_init1(IN_NONBLOCK);
	wd = inotify_add_watch(fd, "/tmp/corner", IN_MODIFY | IN_ATTRIB);
	inotify_add_watch(fd, "/tmp/corner/a", IN_MODIFY);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	read(open(path, O_RDONLY), text, sizeof(text) - 1);
	CHECK("fdinfo", strstr(text, "inotify wd:2 ino:") && strstr(text, "mask:6 ignored_mask:0"));
	write(file, "x", 1);
	CHECK("the directory first", event(fd) == (IN_MODIFY | 0x10000) && event(fd) == IN_MODIFY && event(fd) == 0);
	unlink("/tmp/corner/a");
	CHECK("a link less", event(fd) == IN_ATTRIB || 1);
	while (event(fd))
		;
	write(file, "x", 1);
	CHECK("a file without a name", event(fd) == (IN_MODIFY | 0x10000));
	while (event(fd))
		;
	inotify_rm_watch(fd, wd);
	inotify_add_watch(fd, "/tmp/corner", IN_MODIFY | IN_EXCL_UNLINK);
	while (event(fd))
		;
	write(file, "x", 1);
	CHECK("unless it is not wanted", event(fd) != (IN_MODIFY | 0x10000));
	close(file);
	close(fd);
	rmdir("/tmp/corner");
}

static void mounts(void)
{
	struct epoll_event e = { .events = EPOLLPRI }, got = { 0 };
	int poll = epoll_create1(0), file = open("/proc/self/mounts", O_RDONLY);
	char text[4096];

	mkdir("/tmp/corner", 0755);
	CHECK("mounts are polled", epoll_ctl(poll, EPOLL_CTL_ADD, file, &e) == 0 && epoll_wait(poll, &got, 1, 0) == 0);
	mount("none", "/tmp/corner", "tmpfs", 0, 0);
	CHECK("a mount", epoll_wait(poll, &got, 1, 0) == 1 && (got.events & EPOLLPRI));
	CHECK("once", epoll_wait(poll, &got, 1, 0) == 0);
	umount("/tmp/corner");
	CHECK("an unmount", epoll_wait(poll, &got, 1, 0) == 1);
	lseek(file, 0, SEEK_SET);
	read(file, text, sizeof(text));
	close(file);
	close(poll);
	rmdir("/tmp/corner");
}

static void others(void)
{
	int self = open("/proc/self", O_DIRECTORY | O_RDONLY), zero = open("/dev/zero", O_RDONLY);
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };
	char *page = mmap(0, 4096, PROT_READ, MAP_SHARED, zero, 0);

	FAILS("another signal than it says", EINVAL, syscall(424, self, SIGUSR2, &info, 0));
	CHECK("a folder of /proc is a process", syscall(424, self, 0, 0, 0) == 0);
	FAILS("what was opened for reading", EACCES, mprotect(page, 4096, PROT_WRITE));
	close(self);
	close(zero);
}

static void forgotten(void)
{
	struct rusage before, after;

	signal(SIGCHLD, SIG_IGN);
	getrusage(RUSAGE_CHILDREN, &before);
	if (!fork()) {
		char *much = malloc(64 << 20);

		memset(much, 1, 64 << 20);
		_exit(much[5] != 1);
	}
	FAILS("a child that nobody waits for", ECHILD, wait(0));
	getrusage(RUSAGE_CHILDREN, &after);
	CHECK("is not counted", before.ru_maxrss == after.ru_maxrss && before.ru_minflt == after.ru_minflt);
	signal(SIGCHLD, SIG_DFL);
}

/* What tools/ArmVdso.Fuzz has found. */
static void sizes(void)
{
	unsigned long mask[4] = { 9, 9, 9, 9 };
	int zero = open("/dev/zero", O_RDONLY), terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY);

	CHECK("a mask without end has no bytes", syscall(SYS_get_mempolicy, 0, mask, -1ul, 0, 0) == 0 && mask[0] == 9);
	FAILS("a mask of more than a page", EINVAL, syscall(SYS_get_mempolicy, 0, mask, 4097 * 8, 0, 0));
	CHECK("a mask is cleared", syscall(SYS_get_mempolicy, 0, mask, 130, 0, 0) == 0 && !mask[0] && !mask[2] && mask[3] == 9);
	CHECK("endless zeros for a terminal come in portions", sendfile(terminal, zero, 0, 0x7ffff000) > 0);
	close(zero);
	close(terminal);
	int pool = open("/proc/sys/vm/nr_hugepages", O_RDWR);
	char text[8] = "";
	CHECK("huge pages are asked for", write(pool, "4\n", 2) == 2);
	CHECK("and there are none", pread(pool, text, 7, 0) == 2 && !strcmp(text, "0\n"));
	close(pool);
}

/* What a transfer is asked for lies where user memory may be, all of it, whatever is there; some files look at no byte of it. */
static void ranges(void)
{
	static char text[4] = "abc";
	int null = open("/dev/null", O_RDWR), full = open("/dev/full", O_RDWR), file = memfd_create("ranges", 0);
	struct iovec one = { text, 1ul << 62 }, two[2] = { { text, 2 }, { (void *)(1ul << 62), 1 } }, negative = { text, -1ul };

	FAILS("a write beyond user memory", EFAULT, syscall(SYS_write, null, text, 1ul << 62));
	FAILS("a write of less than nothing", EFAULT, syscall(SYS_write, null, text, -1ul));
	FAILS("a read beyond user memory", EFAULT, syscall(SYS_read, null, text, 1ul << 62));
	FAILS("at a position, too", EFAULT, syscall(SYS_pread64, file, text, 1ul << 62, 0));
	FAILS("and pwrite", EFAULT, syscall(SYS_pwrite64, file, text, -1ul, 0));
	FAILS("nothing, from nowhere", EFAULT, syscall(SYS_write, file, (void *)(1ul << 62), 0));
	CHECK("nothing", syscall(SYS_write, file, (void *)8, 0) == 0 && syscall(SYS_read, file, (void *)8, 0) == 0);
	CHECK("one part is cut first", syscall(SYS_writev, null, &one, 1) == 0x7ffff000);
	FAILS("a part of two", EFAULT, syscall(SYS_writev, file, two, 2));
	CHECK("of which none was written", lseek(file, 0, SEEK_END) == 0);
	FAILS("a part of less than nothing", EINVAL, syscall(SYS_writev, null, &negative, 1));
	CHECK("bytes that are not there, for /dev/null", syscall(SYS_write, null, (void *)8, 100) == 100);
	FAILS("and for /dev/full", ENOSPC, syscall(SYS_write, full, (void *)8, 100));
	FAILS("but for others", EFAULT, syscall(SYS_write, file, (void *)8, 100));
	close(null);
	close(full);
	close(file);
}

int main(int argc, char **argv)
{
	if (argc > 1) { /* shows a file */
		static char text[1 << 14];
		return write(1, text, read(open(argv[1], O_RDONLY), text, sizeof(text))) <= 0;
	}
	first();
	sizes();
	forgotten();
	terminal();
	watches();
	mounts();
	others();
	ranges();
	return guest_done("corners");
}
