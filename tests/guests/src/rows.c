// SPDX-License-Identifier: MIT
/* Calls that no other guest makes: each once for what it does and, where it can, for what it refuses. */
#include "guest.h"
#include <grp.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <netinet/in.h>

static char text[8192];

static int status_of(pid_t child)
{
	int status = -1;

	waitpid(child, &status, 0);
	return status;
}

static void files(void)
{
	int fd = open("/tmp/rows", O_RDWR | O_CREAT | O_TRUNC, 0644), other = open("/tmp/rows.2", O_RDWR | O_CREAT | O_TRUNC, 0644);
	int at = open("/tmp", O_RDONLY | O_DIRECTORY), same;
	struct stat st;
	struct statx sx;
	struct iovec parts[2] = { { "abc", 3 }, { "defgh", 5 } }, into[2] = { { text, 2 }, { text + 2, 100 } };
	struct timespec times[2] = { { 1000, 5 }, { 2000, 7 } };
	struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_BENEATH };
	loff_t from = 0, to = 0;

	CHECK("pwritev, preadv", pwritev(fd, parts, 2, 0) == 8 && preadv(fd, into, 2, 1) == 7 && !memcmp(text, "bcdefgh", 7));
	CHECK("readv", lseek(fd, 0, SEEK_SET) == 0 && readv(fd, into, 2) == 8 && !memcmp(text, "abcdefgh", 8));
	FAILS("not at a place before the first", EINVAL, preadv(fd, into, 2, -1));
	CHECK("copy_file_range", copy_file_range(fd, &from, other, &to, 8, 0) == 8 && from == 8 && pread(other, text, 9, 0) == 8);
	FAILS("not onto itself", EINVAL, (from = 0, to = 4, copy_file_range(fd, &from, fd, &to, 8, 0)));
	CHECK("sync, syncfs, fsync, fdatasync", (sync(), 1) && !syncfs(fd) && !fsync(fd) && !fdatasync(fd));
	CHECK("sync_file_range", !sync_file_range(fd, 0, 8, SYNC_FILE_RANGE_WRITE));
	FAILS("not with other flags", EINVAL, sync_file_range(fd, 0, 8, 8));
	FAILS("nor of what is not there", EBADF, fsync(99));
	CHECK("advice, readahead", !posix_fadvise(fd, 0, 8, POSIX_FADV_WILLNEED) && posix_fadvise(fd, 0, 8, 99) == EINVAL
	      && !readahead(fd, 0, 8));
	FAILS("not of what was opened to write", EBADF, readahead(same = open("/tmp/rows", O_WRONLY), 0, 8));
	close(same);
	CHECK("fchmod, fchmodat2", !fchmod(fd, 0600) && !syscall(SYS_fstat, fd, &st) && (st.st_mode & 07777) == 0600
	      && !syscall(452, AT_FDCWD, "/tmp/rows", 0640, 0) && !fstat(fd, &st) && (st.st_mode & 07777) == 0640);
	CHECK("fchown, fchownat", !fchown(fd, 12, 34) && !fstat(fd, &st) && st.st_uid == 12 && st.st_gid == 34
	      && !fchownat(at, "rows", 0, -1, 0) && !fstat(fd, &st) && st.st_uid == 0 && st.st_gid == 34);
	CHECK("statx", !statx(at, "rows", 0, STATX_BASIC_STATS, &sx) && sx.stx_size == 8 && sx.stx_gid == 34 && (sx.stx_mask & STATX_SIZE));
	FAILS("not with a reserved mask", EINVAL, statx(at, "rows", 0, 0x80000000u, &sx));
	CHECK("utimensat", !utimensat(at, "rows", times, 0) && !fstat(fd, &st) && st.st_atim.tv_sec == 1000 && st.st_mtim.tv_nsec == 7);
	times[0].tv_nsec = 1000000000;
	FAILS("not a second of nanoseconds", EINVAL, utimensat(at, "rows", times, 0));
	same = syscall(SYS_openat2, at, "rows", &how, sizeof(how));
	CHECK("openat2", same >= 0 && read(same, text, 3) == 3);
	FAILS("beneath means so", EXDEV, syscall(SYS_openat2, at, "../etc", &how, sizeof(how)));
	close(same);
	CHECK("fchdir", !fchdir(at) && syscall(SYS_getcwd, text, sizeof(text)) == 5 && !strcmp(text, "/tmp"));
	CHECK("getdents64", syscall(SYS_getdents64, at, text, sizeof(text)) > 0 && syscall(SYS_getdents64, at, text, 10ul) <= 0);
	CHECK("flock", !flock(fd, LOCK_EX) && (same = open("/tmp/rows", O_RDWR)) >= 0);
	FAILS("which keeps others out", EWOULDBLOCK, flock(same, LOCK_SH | LOCK_NB));
	CHECK("until it is given back", !flock(fd, LOCK_UN) && !flock(same, LOCK_SH | LOCK_NB));
	close(same);
	same = dup2(fd, 60);
	CHECK("close_range", !close_range(60, 70, 0) && fcntl(60, F_GETFD) < 0);
	FAILS("from low to high", EINVAL, close_range(70, 60, 0));
	close(fd);
	close(other);
	close(at);
}

static void attributes(void)
{
	int fd = open("/tmp/rows", O_RDWR);

	unlink("/tmp/rows.link");
	CHECK("a link", !symlink("rows", "/tmp/rows.link"));
	CHECK("by path", !setxattr("/tmp/rows", "user.a", "1", 1, 0) && getxattr("/tmp/rows.link", "user.a", text, 10) == 1 && *text == '1');
	CHECK("listed", listxattr("/tmp/rows", text, 100) == 7 && !strcmp(text, "user.a"));
	FAILS("too little room", ERANGE, listxattr("/tmp/rows", text, 3));
	CHECK("by descriptor", !fsetxattr(fd, "user.b", "22", 2, 0) && fgetxattr(fd, "user.b", text, 10) == 2
	      && flistxattr(fd, text, 100) == 14);
	CHECK("removed", !fremovexattr(fd, "user.b") && !removexattr("/tmp/rows.link", "user.a"));
	FAILS("once", ENODATA, fremovexattr(fd, "user.b"));
	FAILS("links have none of a user's", EPERM, lsetxattr("/tmp/rows.link", "user.c", "1", 1, 0));
	CHECK("but of the system's", !lsetxattr("/tmp/rows.link", "trusted.c", "1", 1, 0)
	      && lgetxattr("/tmp/rows.link", "trusted.c", text, 9) == 1
	      && llistxattr("/tmp/rows.link", text, 100) == 10 && !lremovexattr("/tmp/rows.link", "trusted.c"));
	close(fd);
}

static void identity(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];
	uid_t r, e, s;
	gid_t g[3] = { 5, 6, 7 }, seen[3];
	pid_t child;

	CHECK("capget", !syscall(SYS_capget, &header, data) && data[0].effective != 0);
	header.version = 1;
	FAILS("of a version", EINVAL, syscall(SYS_capget, &header, data));
	child = fork();
	if (!child) {
		int ok = !setgroups(3, g) && getgroups(3, seen) == 3 && seen[2] == 7 && !setresgid(1, 2, 3) && !getresgid(&g[0], &g[1], &g[2])
			&& g[0] == 1 && g[1] == 2 && g[2] == 3 && !setregid(2, 1) && getgid() == 2 && getegid() == 1;

		ok = ok && setfsgid(9) == 1 && setfsgid(-1) == 9 && setfsuid(9) == 0 && setfsuid(-1) == 9;
		ok = ok && !setreuid(4, 0) && getuid() == 4 && !setresuid(1, 2, 3) && !getresuid(&r, &e, &s) && r == 1 && e == 2 && s == 3;
		ok = ok && setresuid(7, -1, -1) < 0 && errno == EPERM && setgroups(1, g) < 0 && errno == EPERM;
		_exit(!ok);
	}
	CHECK("groups, users and their three kinds", status_of(child) == 0);
	child = fork();
	if (!child)
		_exit(unshare(CLONE_NEWUTS) || setdomainname("there", 5) || guest_read("/proc/sys/kernel/domainname", text, 100) != 6
		      || memcmp(text, "there", 5) || setdomainname(text, 65) != -1 || errno != EINVAL);
	CHECK("setdomainname", status_of(child) == 0);
}

static void memory(void)
{
	char *a = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned char there[4];

	a[0] = 1, a[4096] = 2;
	CHECK("mincore", !mincore(a, 2 * 4096, there) && (there[0] & 1) && (there[1] & 1));
	FAILS("of a page", EINVAL, mincore(a + 1, 4096, there));
	CHECK("mlock2, mlockall, munlockall", !mlock2(a, 4096, MLOCK_ONFAULT) && !mlockall(MCL_CURRENT) && !munlockall());
	FAILS("of something", EINVAL, mlockall(0));
	CHECK("remap_file_pages", !remap_file_pages(a, 4096, 0, 1, 0) && a[0] == 2);
	CHECK("membarrier", syscall(SYS_membarrier, 0, 0, 0) > 0 && !syscall(SYS_membarrier, 1, 0, 0));
	FAILS("one that is there", EINVAL, syscall(SYS_membarrier, 1 << 20, 0, 0));
	munmap(a, 4 * 4096);
}

static void scheduling(void)
{
	struct sched_param p = { 7 };
	struct timespec slice;
	cpu_set_t cpus;
	struct rlimit limit;
	struct tms used;

	CHECK("priorities", sched_get_priority_max(SCHED_FIFO) == 99 && sched_get_priority_min(SCHED_FIFO) == 1
	      && !sched_get_priority_max(SCHED_OTHER));
	FAILS("of a policy", EINVAL, sched_get_priority_min(99));
	CHECK("sched_getparam", !sched_getparam(0, &p) && p.sched_priority == 0);
	CHECK("sched_rr_get_interval", !sched_rr_get_interval(0, &slice) && slice.tv_sec == 0);
	CHECK("sched_getaffinity", !sched_getaffinity(0, sizeof(cpus), &cpus) && CPU_COUNT(&cpus) > 0);
	FAILS("in whole words", EINVAL, syscall(SYS_sched_getaffinity, 0, 3, &cpus));
	CHECK("ioprio_get", syscall(SYS_ioprio_get, 1, 0) >= 0);
	FAILS("of somebody", EINVAL, syscall(SYS_ioprio_get, 9, 0));
	CHECK("getrlimit", !syscall(SYS_getrlimit, RLIMIT_NOFILE, &limit) && limit.rlim_cur > 0);
	FAILS("one that is there", EINVAL, syscall(SYS_getrlimit, 99, &limit));
	CHECK("times", times(&used) != -1 && used.tms_cutime >= 0);
}

static volatile int got, told;

static void handler(int signal, siginfo_t *info, void *context)
{
	(void)context;
	got = signal;
	told = info->si_value.sival_int;
}

static void signals(void)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	siginfo_t info = { .si_signo = SIGUSR2, .si_code = SI_QUEUE };
	sigset_t blocked, none;

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	CHECK("tkill", !syscall(SYS_tkill, getpid(), SIGUSR1) && got == SIGUSR1);
	info.si_value.sival_int = 42;
	CHECK("rt_tgsigqueueinfo", !syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR2, &info) && got == SIGUSR2 && told == 42);
	FAILS("to a thread of the process", ESRCH, syscall(SYS_rt_tgsigqueueinfo, getpid(), 1, SIGUSR2, &info));
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	got = 0;
	raise(SIGUSR1);
	CHECK("rt_sigsuspend", got == 0 && sigsuspend(&none) == -1 && errno == EINTR && got == SIGUSR1);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void clocks(void)
{
	struct itimerval alarm = { { 0, 0 }, { 100, 0 } }, left;
	struct itimerspec set = { { 0, 0 }, { 50, 0 } }, rest;
	struct timex adjust = { 0 };
	struct timeval now;
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	CHECK("getitimer", !setitimer(ITIMER_REAL, &alarm, NULL) && !getitimer(ITIMER_REAL, &left) && left.it_value.tv_sec >= 98);
	alarm.it_value.tv_sec = 0;
	setitimer(ITIMER_REAL, &alarm, NULL);
	CHECK("timerfd_gettime", !timerfd_settime(fd, 0, &set, NULL) && !timerfd_gettime(fd, &rest) && rest.it_value.tv_sec >= 48);
	CHECK("adjtimex", syscall(SYS_adjtimex, &adjust) >= 0 && adjust.tick == 10000);
	CHECK("clock_adjtime", clock_adjtime(CLOCK_REALTIME, &adjust) >= 0 && adjust.tick == 10000);
	CHECK("settimeofday", !gettimeofday(&now, NULL) && !settimeofday(&now, NULL));
	now.tv_usec = 1000000;
	FAILS("not a second of microseconds", EINVAL, syscall(SYS_settimeofday, &now, NULL));
	close(fd);
}

static unsigned word;

static void futexes(void)
{
	struct robust_list_head *head = NULL;
	size_t size = 0;
	struct timespec soon = { 0, 1 };
	struct futex_waitv waits[1] = { { .val = 5, .uaddr = (uintptr_t)&word, .flags = FUTEX_32 } };

	CHECK("get_robust_list", !syscall(SYS_get_robust_list, 0, &head, &size) && head && size == 24);
	FAILS("futex_waitv of another value", EAGAIN, syscall(SYS_futex_waitv, waits, 1, 0, NULL, CLOCK_MONOTONIC));
	waits[0].val = 1ul << 32;
	FAILS("which has 32 bits", EINVAL, syscall(SYS_futex_waitv, waits, 1, 0, NULL, CLOCK_MONOTONIC));
	FAILS("futex_wait of another value", EAGAIN, syscall(455, &word, 5ul, 0xfffffffful, 2, NULL, CLOCK_MONOTONIC));
	FAILS("whose mask has 32 bits, too", EINVAL, syscall(455, &word, 5ul, ~0ul, 2, NULL, CLOCK_MONOTONIC));
	FAILS("and whose clock is one of two", EINVAL, syscall(455, &word, 0ul, 1ul, 2, &soon, CLOCK_BOOTTIME));
	CHECK("futex_wake of nobody", syscall(454, &word, 0xfffffffful, 1, 2) == 0);
	FAILS("with such a mask", EINVAL, syscall(454, &word, ~0ul, 1, 2));
	FAILS("of no size", EINVAL, syscall(454, &word, 1ul, 1, 1 << 20));
}

static void queues(void)
{
	int id = semget(IPC_PRIVATE, 1, 0600), shared = shmget(IPC_PRIVATE, 4096, 0600);
	struct sembuf up = { 0, 2, 0 }, down = { 0, -3, IPC_NOWAIT };
	struct mq_attr attributes = { .mq_maxmsg = 4, .mq_msgsize = 16 }, seen;
	mqd_t queue = mq_open("/rows", O_RDWR | O_CREAT, 0600, &attributes);
	char *a = shmat(shared, NULL, 0);

	CHECK("semop", !syscall(SYS_semop, id, &up, 1) && semctl(id, 0, GETVAL) == 2);
	FAILS("which does not wait", EAGAIN, semop(id, &down, 1));
	CHECK("shmdt", !shmdt(a));
	FAILS("once", EINVAL, shmdt(a));
	attributes.mq_flags = O_NONBLOCK;
	CHECK("mq_getsetattr", !mq_setattr(queue, &attributes, &seen) && seen.mq_flags == 0 && !mq_getattr(queue, &seen)
	      && seen.mq_flags == O_NONBLOCK);
	FAILS("then it does not wait", EAGAIN, mq_receive(queue, text, sizeof(text), NULL));
	semctl(id, 0, IPC_RMID);
	shmctl(shared, IPC_RMID, NULL);
	mq_unlink("/rows");
}

static void sockets(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(name);
	int listener = socket(AF_INET, SOCK_STREAM, 0), caller = socket(AF_INET, SOCK_STREAM, 0), pair[2], accepted, copy;
	struct iovec part = { "hello", 5 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct mmsghdr messages[2] = { { .msg_hdr = message }, { .msg_hdr = message } };
	struct epoll_event event = { .events = EPOLLIN };
	struct timespec no_time = { 0, 0 };
	int set = epoll_create1(0);

	bind(listener, (void *)&name, sizeof(name));
	listen(listener, 1);
	getsockname(listener, (void *)&name, &length);
	connect(caller, (void *)&name, sizeof(name));
	accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	CHECK("accept4", accepted >= 0 && fcntl(accepted, F_GETFD) == FD_CLOEXEC && (fcntl(accepted, F_GETFL) & O_NONBLOCK));
	FAILS("with known flags", EINVAL, accept4(listener, NULL, NULL, 1));
	socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
	CHECK("sendmmsg", sendmmsg(pair[0], messages, 2, 0) == 2 && messages[1].msg_len == 5 && recv(pair[1], text, 100, 0) == 5);
	epoll_ctl(set, EPOLL_CTL_ADD, pair[1], &event);
	CHECK("epoll_pwait2", syscall(SYS_epoll_pwait2, set, &event, 1, &no_time, NULL, 0ul) == 1 && recv(pair[1], text, 100, 0) == 5
	      && syscall(SYS_epoll_pwait2, set, &event, 1, &no_time, NULL, 0ul) == 0);
	no_time.tv_nsec = -1;
	FAILS("a time", EINVAL, syscall(SYS_epoll_pwait2, set, &event, 1, &no_time, NULL, 0ul));
	copy = syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, getpid(), 0), pair[0], 0);
	CHECK("pidfd_getfd", copy > pair[0] && send(copy, "x", 1, 0) == 1);
	FAILS("one that is there", EBADF, syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, getpid(), 0), 999, 0));
}

static void kernels(void)
{
	unsigned long context = 0;
	char control[64] = { 0 };
	struct statx sx;
	struct { unsigned size, spare; unsigned long id, mask, more; } request = { 24, 0, 0, 2, 0 };
	unsigned long ids[64];
	long n;

	CHECK("io_cancel", !syscall(SYS_io_setup, 1, &context));
	FAILS("of what is not under way", EINVAL, syscall(SYS_io_cancel, context, control, control));
	syscall(SYS_io_destroy, context);
	statx(AT_FDCWD, "/", 0, 0x4000, &sx);
	request.id = *(unsigned long *)((char *)&sx + 0x90);
	CHECK("statmount", !syscall(457, &request, text, sizeof(text), 0) && *(unsigned *)text > 0);
	request.mask = 0;
	n = syscall(458, &request, ids, 64ul, 0);
	CHECK("listmount", n > 0);
	request.id = 1ul << 40;
	FAILS("of one that is there", ENOENT, syscall(458, &request, ids, 64ul, 0));
}

int main(void)
{
	files();
	attributes();
	identity();
	memory();
	scheduling();
	signals();
	clocks();
	futexes();
	queues();
	sockets();
	kernels();
	return guest_done("rows");
}
