// SPDX-License-Identifier: MIT
/* What a task forbids itself (landlock(7), ABI 6), and the security modules that there are. What is expected is Linux 6.12's. */
#include "guest.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>


enum { EXECUTE = 1, WRITE_FILE = 2, READ_FILE = 4, READ_DIR = 8, REMOVE_FILE = 32, MAKE_REG = 256, REFER = 8192, TRUNCATE = 16384,
	IOCTL_DEV = 32768 };

struct ruleset { uint64_t files, ports, scopes; };
struct beneath { uint64_t allowed; int32_t parent; } __attribute__((packed));
struct port { uint64_t allowed, port; };

static int make(uint64_t files, uint64_t ports, uint64_t scopes)
{
	struct ruleset r = { files, ports, scopes };
	return syscall(444, &r, sizeof(r), 0);
}

static long allow(int rules, const char *path, uint64_t rights)
{
	struct beneath b = { rights, open(path, O_PATH | O_CLOEXEC) };
	long result = syscall(445, rules, 1, &b, 0);

	close(b.parent);
	return result;
}

static long allow_port(int rules, uint64_t number, uint64_t rights)
{
	struct port p = { rights, number };
	return syscall(445, rules, 2, &p, 0);
}

static long restrict_self(int rules)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -1 : syscall(446, rules, 0);
}

static void put(const char *path)
{
	int file = open(path, O_CREAT | O_WRONLY, 0755);
	(void)!write(file, "text", 4);
	close(file);
}

static int opens(const char *path, int flags)
{
	int file = open(path, flags, 0644), error = errno;

	if (file >= 0)
		close(file);
	return file >= 0 ? 0 : error;
}

static void arguments(void)
{
	struct ruleset r = { 1, 0, 0 };
	struct { struct ruleset r; uint64_t more; } longer = { { 1, 0, 0 }, 0 };
	struct beneath b = { 4, -1 };
	int rules = make(READ_FILE | EXECUTE, 1, 0), p[2];

	CHECK("the version", syscall(444, NULL, 0, 1) == 6);
	FAILS("the version of something", EINVAL, syscall(444, &r, 8, 1));
	FAILS("no attributes", EFAULT, syscall(444, NULL, 8, 0));
	FAILS("too small", EINVAL, syscall(444, &r, 7, 0));
	CHECK("zeros beyond", close(syscall(444, &longer, sizeof(longer), 0)) == 0);
	longer.more = 1;
	FAILS("more than is known", E2BIG, syscall(444, &longer, sizeof(longer), 0));
	FAILS("about nothing", ENOMSG, make(0, 0, 0));
	FAILS("an unknown right", EINVAL, make(1 << 16, 0, 0));
	CHECK("close-on-exec", fcntl(rules, F_GETFD) == FD_CLOEXEC);
	FAILS("no rights", ENOMSG, allow(rules, "/", 0));
	FAILS("rights that it is not about", EINVAL, allow(rules, "/", WRITE_FILE));
	FAILS("no such directory", EBADF, syscall(445, rules, 1, &b, 0));
	CHECK("a pipe", pipe(p) == 0);
	b.parent = p[0];
	FAILS("has no place", EBADFD, syscall(445, rules, 1, &b, 0));
	FAILS("no ruleset", EBADFD, syscall(445, p[0], 1, &b, 0));
	FAILS("an unknown rule", EINVAL, syscall(445, rules, 3, &b, 0));
	FAILS("a port beyond", EINVAL, allow_port(rules, 65536, 1));
	FAILS("flags", EINVAL, syscall(446, rules, 1));
	close(rules);
}

static void files(void)
{
	int rules = make(0xFFFF & ~READ_DIR, 0, 0), before, file, size = 0;

	mkdir("/tmp/in", 0755), mkdir("/tmp/in/deep", 0755), mkdir("/tmp/out", 0755), mkdir("/tmp/more", 0755);
	put("/tmp/in/a"), put("/tmp/in/b"), put("/tmp/out/a"), put("/tmp/more/a");
	before = open("/tmp/out/a", O_RDWR);
	CHECK("rules", allow(rules, "/tmp/in", READ_FILE | WRITE_FILE | MAKE_REG | REMOVE_FILE | REFER) == 0 &&
		allow(rules, "/tmp/out", READ_FILE | REFER | REMOVE_FILE | MAKE_REG) == 0 &&
		allow(rules, "/tmp/more", READ_FILE | WRITE_FILE | EXECUTE | TRUNCATE | REFER | MAKE_REG) == 0 &&
		allow(rules, "/dev/zero", READ_FILE) == 0);
	CHECK("restricted", restrict_self(rules) == 0);
	CHECK("read below", opens("/tmp/in/a", O_RDWR) == 0);
	CHECK("to cut it is a right", opens("/tmp/in/a", O_WRONLY | O_TRUNC) == EACCES && truncate("/tmp/in/a", 1) == -1 && errno == EACCES);
	file = open("/tmp/in/a", O_RDWR);
	FAILS("of the descriptor, too", EACCES, ftruncate(file, 1));
	CHECK("what was open before is free", write(before, "more", 4) == 4 && ftruncate(before, 2) == 0);
	CHECK("read only", opens("/tmp/out/a", O_RDONLY) == 0 && opens("/tmp/out/a", O_WRONLY) == EACCES);
	CHECK("a directory, which it is not about", opens("/", O_RDONLY | O_DIRECTORY) == 0);
	CHECK("elsewhere", opens("/etc/passwd", O_RDONLY) == EACCES && opens("/etc/passwd", O_PATH) == 0);
	CHECK("a new file", opens("/tmp/in/deep/new", O_CREAT | O_WRONLY) == 0 && opens("/tmp/new", O_CREAT | O_WRONLY) == EACCES);
	FAILS("a directory is another right", EACCES, mkdir("/tmp/in/d", 0755));
	FAILS("so is a link", EACCES, symlink("a", "/tmp/in/s"));
	CHECK("removed", unlink("/tmp/in/deep/new") == 0);
	FAILS("not there", EACCES, unlink("/tmp/more/a"));
	FAILS("nor a directory", EACCES, rmdir("/tmp/in/deep"));
	CHECK("renamed where it is", rename("/tmp/in/a", "/tmp/in/c") == 0);
	CHECK("and to where it may less", rename("/tmp/in/c", "/tmp/out/c") == 0);
	FAILS("not to where it may more", EXDEV, rename("/tmp/out/c", "/tmp/in/c"));
	FAILS("nor by a link", EXDEV, link("/tmp/out/a", "/tmp/more/l"));
	CHECK("a link to where it may less", link("/tmp/in/b", "/tmp/out/b") == 0);
	FAILS("executed", EACCES, execl("/tmp/in/b", "b", (char *)0));
	file = open("/dev/zero", O_RDONLY);
	FAILS("a request of a device", EACCES, ioctl(file, 0x5401, &size));
	CHECK("but not those of any file", ioctl(file, FIOCLEX) == 0);
	FAILS("mounts", EPERM, syscall(SYS_mount, "none", "/tmp/in", "tmpfs", 0, 0));
	file = syscall(SYS_fspick, AT_FDCWD, "/proc", 0);
	FAILS("nor are they changed", EPERM, syscall(SYS_fsconfig, file, 7, NULL, NULL, 0));
	file = make(READ_FILE, 0, 0);
	CHECK("a second layer takes away", allow(file, "/tmp/in", READ_FILE) == 0 && restrict_self(file) == 0 &&
		opens("/tmp/in/b", O_RDWR) == 0 && opens("/tmp/out/b", O_RDONLY) == EACCES && opens("/dev/zero", O_RDONLY) == EACCES);
	CHECK("and gives nothing", opens("/etc/passwd", O_RDONLY) == EACCES);
	for (size = 2; restrict_self(file) == 0; size++)
		;
	CHECK("16 layers", size == 16 && errno == E2BIG);
}

static void ports(void)
{
	int rules = make(0, 3, 0), a = socket(AF_INET, SOCK_STREAM, 0), b = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(4000), .sin_addr = { htonl(INADDR_LOOPBACK) } };

	CHECK("a rule of a port", allow_port(rules, 4000, 1) == 0 && allow_port(rules, 4001, 2) == 0 && restrict_self(rules) == 0);
	CHECK("bound", bind(a, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(a, 1) == 0);
	FAILS("not connected to", EACCES, connect(b, (struct sockaddr *)&at, sizeof(at)));
	at.sin_port = htons(4001);
	FAILS("not bound", EACCES, bind(b, (struct sockaddr *)&at, sizeof(at)));
	FAILS("nobody there", ECONNREFUSED, connect(b, (struct sockaddr *)&at, sizeof(at)));
	CHECK("UDP is free", bind(socket(AF_INET, SOCK_DGRAM, 0), (struct sockaddr *)&at, sizeof(at)) == 0);
	CHECK("files, too", opens("/etc/passwd", O_RDONLY) == 0);
}

static void scopes(void)
{
	int rules = make(0, 0, 3), a = socket(AF_UNIX, SOCK_STREAM, 0), b = socket(AF_UNIX, SOCK_STREAM, 0), status, up[2];
	struct sockaddr_un at = { AF_UNIX, "\0outside" };
	pid_t sibling = fork(), child;
	char byte;

	if (sibling == 0)
		pause(), _exit(0);
	bind(a, (struct sockaddr *)&at, 10), listen(a, 1);
	CHECK("restricted", restrict_self(rules) == 0);
	FAILS("an abstract name outside", EPERM, connect(b, (struct sockaddr *)&at, 10));
	FAILS("a process outside", EPERM, kill(sibling, SIGTERM));
	FAILS("nor looked into", EPERM, ptrace(PTRACE_ATTACH, sibling, 0, 0));
	CHECK("its own process", kill(getpid(), 0) == 0 && raise(0) == 0);
	CHECK("a pipe", pipe(up) == 0);
	if ((child = fork()) == 0) {
		restrict_self(rules);
		byte = kill(getppid(), 0) == -1 && errno == EPERM;
		(void)!write(up[1], &byte, 1);
		pause(), _exit(0);
	}
	CHECK("a child with more cannot signal up", read(up[0], &byte, 1) == 1 && byte == 1);
	CHECK("down it goes", kill(child, SIGTERM) == 0 && waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGTERM);
}

static void *restricted_thread(void *first)
{
	int rules = make(0, 0, 2);

	return (void *)(long)!(restrict_self(rules) == 0 && raise(0) == 0 && syscall(SYS_tgkill, getpid(), (long)first, 0) == 0 &&
		kill(getpid(), 0) == 0 && kill(getppid(), 0) == -1 && errno == EPERM);
}

static void threads(void)
{
	pthread_t thread;
	void *result;

	CHECK("a thread that restricts itself", pthread_create(&thread, NULL, restricted_thread, (void *)(long)gettid()) == 0 &&
		pthread_join(thread, &result) == 0);
	CHECK("reaches its own process and no other", result == NULL);
}

static void modules(void)
{
	uint64_t ids[4] = { 0 };
	uint32_t size = sizeof(ids);
	char text[64] = "";

	CHECK("two modules", syscall(461, ids, &size, 0) == 2 && size == 16 && ids[0] == 100 && ids[1] == 110);
	size = 8;
	FAILS("no room", E2BIG, syscall(461, ids, &size, 0));
	CHECK("how much it takes", size == 16);
	FAILS("flags", EINVAL, syscall(461, ids, &size, 1));
	FAILS("attributes", EOPNOTSUPP, syscall(459, 100, ids, &size, 0));
	FAILS("of what", EINVAL, syscall(459, 0, ids, &size, 0));
	CHECK("by name", read(open("/sys/kernel/security/lsm", O_RDONLY), text, sizeof(text)) > 0 && !strcmp(text, "capability,landlock"));
}

int main(void)
{
	int status;

	setvbuf(stdout, NULL, _IONBF, 0);
	arguments();
	modules();
	for (int n = 0; n < 4; n++) {
		if (fork() == 0) {
			guest_failures = 0;
			(n == 0 ? files : n == 1 ? ports : n == 2 ? scopes : threads)();
			_exit(guest_failures != 0);
		}
		CHECK("all of them", wait(&status) > 0 && status == 0);
	}
	return guest_done("landlock");
}
