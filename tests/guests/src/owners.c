// SPDX-License-Identifier: MIT
/* Who hears of files by signal: owners, O_ASYNC with F_SETSIG, directories that change, leases; pages of pipes by user. */
#include "guest.h"
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <arpa/inet.h>

#define SIG (SIGRTMIN + 3)

static sigset_t set;

/* The next signal, if one is there: number * 100 + si_code; its descriptor and band. */
static int next(int *fd, long *band)
{
	struct timespec now = { 0, 0 };
	siginfo_t info;
	int signal = sigtimedwait(&set, &info, &now);

	if (signal < 0)
		return 0;
	*fd = info.si_fd;
	*band = info.si_band;
	return (signal == SIG ? 100 : signal == SIGIO ? 200 : 300) + info.si_code;
}

/* Whether the next signal is of a descriptor, with a reason, and the last. */
static int told(int fd, int reason)
{
	static const long bands[] = { 0, 0x41, 0x304, 0x441, 8, 0x82, 0x18 };
	int which = -1, got;
	long band = -1;

	got = next(&which, &band);
	if (got != 100 + reason || which != fd || band != bands[reason]) {
		printf("got %d of %d band %lx\n", got, which, band);
		return 0;
	}
	return next(&which, &band) == 0;
}

static int silent(void)
{
	int fd;
	long band;

	return next(&fd, &band) == 0;
}

static int watch(int fd)
{
	return fcntl(fd, F_SETOWN, getpid()) || fcntl(fd, F_SETSIG, SIG) || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC);
}

static void owners(void)
{
	struct f_owner_ex ex = { F_OWNER_TID, gettid() };
	int p[2], file = open("/tmp/owned", O_CREAT | O_RDWR, 0600);

	pipe(p);
	CHECK("nobody owns a pipe", fcntl(p[0], F_GETOWN) == 0);
	CHECK("a process", fcntl(p[0], F_SETOWN, getpid()) == 0 && fcntl(p[0], F_GETOWN) == getpid());
	FAILS("a process that is not there", ESRCH, fcntl(p[0], F_SETOWN, 4000000));
	CHECK("stays as it was", fcntl(p[0], F_GETOWN) == getpid());
	CHECK("a thread", fcntl(p[0], F_SETOWN_EX, &ex) == 0);
	memset(&ex, 9, sizeof(ex));
	CHECK("is told as one", fcntl(p[0], F_GETOWN_EX, &ex) == 0 && ex.type == F_OWNER_TID && ex.pid == gettid());
	ex.type = 3;
	FAILS("no such kind", EINVAL, fcntl(p[0], F_SETOWN_EX, &ex));
	FAILS("no such signal", EINVAL, fcntl(p[0], F_SETSIG, 65));
	CHECK("a signal", fcntl(p[0], F_SETSIG, SIG) == 0 && fcntl(p[0], F_GETSIG) == SIG);
	CHECK("a regular file never signals", !fcntl(file, F_SETFL, O_ASYNC) && !(fcntl(file, F_GETFL) & O_ASYNC));
	FAILS("and says so when asked", ENOTTY, ioctl(file, FIOASYNC, (int[]){ 1 }));
	CHECK("a pipe does", !ioctl(p[0], FIOASYNC, (int[]){ 1 }) && (fcntl(p[0], F_GETFL) & O_ASYNC));
	close(p[0]);
	close(p[1]);
	close(file);
	unlink("/tmp/owned");
}

static void pipes(void)
{
	static char bytes[65536];
	int p[2], fd, copy;
	long band;

	pipe2(p, O_NONBLOCK);
	CHECK("signals of a pipe", !watch(p[0]) && !watch(p[1]) && silent());
	write(p[1], "a", 1);
	CHECK("a byte came", told(p[0], POLL_IN));
	write(p[1], "b", 1);
	CHECK("and another", told(p[0], POLL_IN));
	read(p[0], bytes, 1);
	CHECK("a byte was taken", told(p[1], POLL_OUT));
	read(p[0], bytes, 1);
	CHECK("and another", told(p[1], POLL_OUT));
	read(p[0], bytes, 1);
	CHECK("who finds nothing tells, too", told(p[1], POLL_OUT));
	write(p[1], bytes, 65536);
	CHECK("many bytes are one signal", told(p[0], POLL_IN));
	write(p[1], bytes, 1);
	CHECK("who finds no room tells, too", told(p[0], POLL_IN));
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	read(p[0], bytes, 4096);
	CHECK("room", told(p[1], POLL_OUT));
	write(p[1], bytes, 4096);
	CHECK("nothing without O_ASYNC", silent());
	read(p[0], bytes, 4096);
	CHECK("room again", told(p[1], POLL_OUT));
	fcntl(p[1], F_SETSIG, 0);
	write(p[1], bytes, 4096);
	read(p[0], bytes, 4096);
	CHECK("SIGIO without a reason", next(&fd, &band) == 200 + SI_KERNEL && silent());
	fcntl(p[1], F_SETSIG, SIGCHLD);
	write(p[1], bytes, 4096);
	read(p[0], bytes, 4096);
	CHECK("codes of other signals are not taken", next(&fd, &band) == 300 + SI_SIGIO && silent());
	fcntl(p[1], F_SETSIG, SIG);
	copy = dup(p[1]);
	close(p[1]);
	write(copy, bytes, 4096);
	read(p[0], bytes, 4096);
	CHECK("the number is that of F_SETFL", told(p[1], POLL_OUT));
	close(p[0]);
	CHECK("no reader left", told(p[1], POLL_OUT));
	close(copy);
	CHECK("nothing of what is closed", silent());
}

static void sockets(void)
{
	static char bytes[1 << 20];
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(at);
	int s[2], listener, client, server, owner = 0;

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
	CHECK("signals of a socket", !watch(s[0]) && !watch(s[1]) && silent());
	CHECK("SIOCGPGRP", !ioctl(s[0], 0x8904, &owner) && owner == getpid());
	write(s[0], "a", 1);
	CHECK("a byte comes", told(s[1], POLL_IN));
	read(s[1], bytes, 1);
	CHECK("nobody lacked room", silent());
	shutdown(s[0], SHUT_WR);
	CHECK("half closed", told(s[1], POLL_IN));
	close(s[0]);
	CHECK("closed", told(s[1], POLL_HUP));
	close(s[1]);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	bind(listener, (struct sockaddr *)&at, sizeof(at));
	listen(listener, 5);
	getsockname(listener, (struct sockaddr *)&at, &length);
	CHECK("a listener", !watch(listener) && silent());
	client = socket(AF_INET, SOCK_STREAM, 0);
	connect(client, (struct sockaddr *)&at, sizeof(at));
	CHECK("hears of a connection", told(listener, POLL_IN));
	server = accept(listener, 0, 0);
	CHECK("which is no file with signals itself", !(fcntl(server, F_GETFL) & O_ASYNC) && silent());
	watch(server);
	write(client, "abc", 3);
	CHECK("data over TCP", told(server, POLL_IN));
	close(server);
	close(client);
	close(listener);
	CHECK("what is closed hears nothing", silent());
}

static void watches(void)
{
	int fd = inotify_init(), directory;

	mkdir("/tmp/watched", 0700);
	inotify_add_watch(fd, "/tmp/watched", IN_CREATE);
	CHECK("signals of inotify", !watch(fd) && silent());
	close(open("/tmp/watched/a", O_CREAT | O_WRONLY, 0600));
	CHECK("a name came", told(fd, POLL_IN));
	close(fd);
	while (!silent())
		;
	directory = open("/tmp/watched", O_RDONLY);
	FAILS("F_NOTIFY is of directories", ENOTDIR, fcntl(0x7f & open("/tmp/watched/a", O_RDONLY), F_NOTIFY, DN_CREATE));
	CHECK("F_NOTIFY", !fcntl(directory, F_SETSIG, SIG) && !fcntl(directory, F_NOTIFY, DN_CREATE | DN_ATTRIB));
	CHECK("makes the caller the owner", fcntl(directory, F_GETOWN) == getpid());
	chmod("/tmp/watched/a", 0644);
	CHECK("attributes", told(directory, POLL_MSG));
	chmod("/tmp/watched/a", 0600);
	CHECK("once", silent());
	fcntl(directory, F_NOTIFY, DN_RENAME | DN_DELETE | DN_MULTISHOT);
	rename("/tmp/watched/a", "/tmp/watched/b");
	CHECK("a rename leaves a name and is one", next((int[1]){ 0 }, (long[1]){ 0 }) && next((int[1]){ 0 }, (long[1]){ 0 }) && silent());
	rename("/tmp/watched/b", "/tmp/b");
	CHECK("out of the directory is only the one", told(directory, POLL_MSG));
	fcntl(directory, F_NOTIFY, 0);
	rename("/tmp/b", "/tmp/watched/b");
	unlink("/tmp/watched/b");
	CHECK("no more", silent());
	fcntl(directory, F_NOTIFY, DN_CREATE | DN_MULTISHOT);
	close(dup(directory));
	close(open("/tmp/watched/c", O_CREAT | O_WRONLY, 0600));
	CHECK("closing a copy of the descriptor ends it", silent());
	close(directory);
	unlink("/tmp/watched/c");
	rmdir("/tmp/watched");
}

static void leases(void)
{
	int fd = open("/tmp/leased", O_CREAT | O_RDWR, 0600), child;

	close(fd);
	fd = open("/tmp/leased", O_RDONLY);
	CHECK("a lease", !fcntl(fd, F_SETSIG, SIG) && !fcntl(fd, F_SETLEASE, F_WRLCK) && fcntl(fd, F_GETOWN) == getpid());
	FAILS("is broken by an open", EWOULDBLOCK, open("/tmp/leased", O_WRONLY | O_NONBLOCK));
	CHECK("and its holder told", told(fd, POLL_MSG));
	CHECK("and then it is to be given up", fcntl(fd, F_GETLEASE) == F_UNLCK && !fcntl(fd, F_SETLEASE, F_UNLCK));
	fcntl(fd, F_SETLEASE, F_RDLCK);
	child = fork();
	if (!child)
		_exit(truncate("/tmp/leased", 0) != 0);
	sigwaitinfo(&set, 0);
	FAILS("who waits to write is a writer", EAGAIN, fcntl(fd, F_SETLEASE, F_RDLCK));
	fcntl(fd, F_SETLEASE, F_UNLCK);
	CHECK("truncate breaks one, too", waitpid(child, (int[1]){ 0 }, 0) == child);
	close(fd);
	unlink("/tmp/leased");
	while (!silent())
		;
}

static int write_number(const char *path, const char *number)
{
	int fd = open(path, O_WRONLY), n = write(fd, number, strlen(number));

	close(fd);
	return n > 0 ? 0 : -1;
}

static void pages(void)
{
	int status, child, p[2];

	if (write_number("/proc/sys/fs/pipe-max-size", "4096"))
		return;
	child = fork();
	if (!child) {
		setuid(65534);
		_exit(pipe(p) || fcntl(p[0], F_GETPIPE_SZ) != 4096);
	}
	CHECK("a new pipe is no larger than pipe-max-size", waitpid(child, &status, 0) == child && status == 0);
	write_number("/proc/sys/fs/pipe-max-size", "1048576");
	write_number("/proc/sys/fs/pipe-user-pages-soft", "40");
	child = fork();
	if (!child) {
		int first, second, third;

		setuid(65534);
		pipe(p);
		first = fcntl(p[0], F_GETPIPE_SZ);
		pipe(p);
		second = fcntl(p[0], F_GETPIPE_SZ);
		pipe(p);
		third = fcntl(p[0], F_GETPIPE_SZ);
		_exit(first != 65536 || second != 65536 || third != 8192 || fcntl(p[0], F_SETPIPE_SZ, 65536) != -1 || errno != EPERM);
	}
	CHECK("a user with many pages gets small pipes", waitpid(child, &status, 0) == child && status == 0);
	write_number("/proc/sys/fs/pipe-user-pages-soft", "16384");
}

int main(void)
{
	sigemptyset(&set);
	sigaddset(&set, SIG);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, 0);
	owners();
	pipes();
	sockets();
	watches();
	leases();
	sigprocmask(SIG_UNBLOCK, &set, 0);
	pages();
	return guest_done("owners");
}
