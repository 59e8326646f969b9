/* SPDX-License-Identifier: MIT */
/* Garbage for the kernel: fuzz [SEED [ROUNDS [FIRST [LAST]]]]. System calls FIRST..LAST with random arguments, programs with
 * random headers, odd scripts. Each in a child that is killed when it does not end. What the answers are does not matter: the
 * parent must live to the end. */
#include "guest.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

static uint64_t state;

static uint64_t next(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static char *page;    /* two pages to write to, then one without access */
static const char *const paths[] = {
	"/tmp/fuzz", "/tmp", "/", "", ".", "..", "/proc/self/mem", "/proc/self/fd/5", "/proc/self/exe", "/dev/null", "/dev/ptmx",
		"/proc/1/root",
	"/none/x", "/proc/self/fd/99999999999999999999", "/dev/tty", "/sys", "/proc/self/maps/x", "a\001\377b",
		"/tmp/../../..//proc/./self/cwd",
};

static uint64_t argument(void)
{
	uint64_t r = next();
	switch (r >> 8 & 15) {
	case 0: return 0;
	case 1: return -1;
	case 2: case 3: case 4: return r >> 16 & 31;
	case 5: return (uint64_t)page + (r >> 16 & 0x1ff8);
	case 6: return (uint64_t)page + 8192 - (r >> 16 & 63);
	case 7: case 8: return (uint64_t)page;
	case 9: return (uint64_t)paths[(r >> 16) % (sizeof(paths) / sizeof(*paths))];
	case 10: return 1ul << (r >> 16 & 63);
	case 11: return r;
	case 12: return (int32_t)(r >> 20);
	case 13: return (r >> 16 & 1 ? 0x7ffffffffffffffful : 0xffff800000000000ul) - (r >> 20 & 0xfff);
	case 14: return (r >> 16 & 0xffff) << 12;
	default: return r >> 16 & 0xffff;
	}
}

static void open_things(void)
{
	int pair[2], null = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	open("/tmp/fuzz", O_RDWR | O_CREAT, 0644);
	open("/tmp", O_RDONLY | O_DIRECTORY);
	if (pipe(pair) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair))
		_exit(9);
	socket(AF_INET, SOCK_STREAM, 0);
	socket(AF_INET, SOCK_DGRAM, 0);
	epoll_create1(0);
	eventfd(3, 0);
	timerfd_create(CLOCK_MONOTONIC, 0);
	inotify_init1(IN_NONBLOCK);
	memfd_create("m", MFD_ALLOW_SEALING);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	signalfd(-1, &set, 0);
	open("/proc/self/maps", O_RDONLY);
	open("/dev/ptmx", O_RDWR | O_NOCTTY);
	open("/dev/zero", O_RDWR);
	open("/proc/self/fd", O_RDONLY);
	open("/proc/self/mem", O_RDWR);
	open("/tmp/fuzz", O_PATH);
}

/* Exit, and those that would end the parent or the system when root calls them. */
static int left_out(long number, int root)
{
	switch (number) {
	case SYS_exit: case SYS_exit_group: case SYS_rt_sigreturn:
		return 1;
	case SYS_kill: case SYS_tkill: case SYS_tgkill: case SYS_rt_sigqueueinfo: case SYS_rt_tgsigqueueinfo:
	case SYS_pidfd_send_signal: case SYS_reboot:
	case SYS_prlimit64: case SYS_sched_setaffinity: case SYS_sched_setscheduler: case SYS_sched_setattr: case SYS_sched_setparam:
	case SYS_setpriority:
		return root;
	}
	return 0;
}

/* Waits a while, then kills. The child's time is the guest's, so an idle wait costs nothing. */
static void finish(pid_t child)
{
	int status;
	for (int i = 0; i < 40; i++) {
		pid_t pid = waitpid(child, &status, WNOHANG);
		if (pid == child || (pid < 0 && errno == ECHILD))
			return;
		usleep(500);
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	while (waitpid(-1, &status, WNOHANG) > 0)
		;
}

static void no_more_rights(void)
{
	if (setgid(1000) || setuid(1000))
		_exit(9);
}

static void fuzz_call(long number, int root)
{
	fflush(stdout);
	pid_t child = fork();
	if (child) {
		if (child > 0)
			finish(child);
		return;
	}
	setpgid(0, 0);
	open_things();
	struct rlimit limit = { 64, 64 };
	if (root)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	else
		no_more_rights();
	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < 12; i++) {
		for (int k = 0; k < 1024; k += 1 + (next() & 31))
			((uint64_t *)page)[k & 1023] = next() & 3 ? argument() : next() & 255;
		uint64_t a = argument(), b = argument(), c = argument(), d = argument(), e = argument(), f = argument();
		syscall(number, a, b, c, d, e, f);
	}
	_exit(0);
}

static char *image;
static size_t image_size;

static int write_file(const char *path, const void *data, size_t size)
{
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	if (fd < 0)
		return 0;
	int good = write(fd, data, size) == (ssize_t)size;
	close(fd);
	return good;
}

static void run(const char *path)
{
	pid_t child = fork();
	if (!child) {
		setpgid(0, 0);
		int null = open("/dev/null", O_RDWR);
		for (int i = 0; i < 3; i++)
			dup2(null, i);
		no_more_rights();
		execl(path, path, "-", (char *)0);
		_exit(1);
	}
	if (child > 0)
		finish(child);
}

static int fuzz_programs(int rounds)
{
	struct stat st;
	int fd = open("/proc/self/exe", O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		return 0;
	image_size = st.st_size;
	image = malloc(image_size);
	if (!image || read(fd, image, image_size) != st.st_size)
		return 0;
	close(fd);
	if (!write_file("/tmp/program", image, image_size))
		return 0;
	fd = open("/tmp/program", O_RDWR);
	int headers = 64 + 56 * *(uint16_t *)(image + 56);
	static const uint32_t types[] = { 0, 1, 2, 3, 4, 6, 7, 0x6474e551, 0x6474e553, 0x6474e552 };
	static const char *const interpreters[] = { "/tmp/program", "/", "/none", "relative", "/dev/zero", "/proc/self/exe", "/tmp/script" };
	for (int i = 0; i < rounds; i++) {
		char *copy = malloc(headers);
		memcpy(copy, image, headers);
		for (int k = 1 + next() % 3; k > 0; k--) {
			int at = next() % headers;
			uint64_t odd = argument();
			char *segment = copy + 64 + 56 * (next() % ((headers - 64) / 56));
			switch (next() % 5) {
			case 0: copy[at] = next(); break;
			case 1: copy[at] ^= 1 << (next() & 7); break;
			case 2: memcpy(copy + (at & ~7), &odd, at + 8 <= headers ? 8 : 1); break;
			case 3: memcpy(segment, &types[next() % 10], 4); break;
			default: memcpy(segment + 8 * (1 + next() % 6), &odd, 8); break;
			}
		}
		if (next() % 4 == 0) {
			/* A segment becomes PT_INTERP with its text right after the headers. */
			const char *name = interpreters[next() % 7];
			uint64_t interp[7] = { 3 | 4ul << 32, headers, 0x400000 + headers, 0, strlen(name) + 1, strlen(name) + (next() & 1), 1 };
			memcpy(copy + 64 + 56 * (next() % ((headers - 64) / 56)), interp, 56);
			if (pwrite(fd, name, strlen(name) + 1, headers) < 0)
				return 0;
		}
		if (pwrite(fd, copy, headers, 0) != headers)
			return 0;
		if (next() % 16 == 0 && ftruncate(fd, next() % image_size) == 0 && pwrite(fd, image, 64, 0) != 64)
			return 0;
		run("/tmp/program");
		free(copy);
	}
	close(fd);
	unlink("/tmp/program");
	return 1;
}

static int fuzz_scripts(void)
{
	static char big[5000];
	memset(big, 'x', sizeof(big));
	memcpy(big, "#!/", 3);
	static const char *const texts[] = {
		"#!/tmp/script\n", "#!\n", "#! \t \n", "#!", "#!/\n", "#!/tmp\n", "#!/none\n", "#!/tmp/script2 a b\n", "#!relative",
			"#!/tmp/script\0x\n", "", "\n", "\x7f" "ELF",
		"#!/proc/self/exe -\n", "#! \0\n",
	};
	write_file("/tmp/script2", "#!/tmp/script\n", 14);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (!write_file("/tmp/script", texts[i], strlen(texts[i]) + (i == 9 ? 3 : i == 14 ? 2 : 0)))
			return 0;
		run("/tmp/script");
	}
	if (!write_file("/tmp/script", big, sizeof(big)))
		return 0;
	run("/tmp/script");
	return 1;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "-"))
		return 0;
	state = argc > 1 ? strtoul(argv[1], 0, 0) : 1;
	int rounds = argc > 2 ? atoi(argv[2]) : 1;
	long first = argc > 3 ? atol(argv[3]) : 0, last = argc > 4 ? atol(argv[4]) : 470;
	page = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || mprotect(page + 8192, 4096, PROT_NONE))
		return 2;
	chmod("/tmp", 01777);
	for (int i = 0; i < rounds; i++) {
		for (long number = first; number <= last; number++) {
			for (int root = 0; root < 2; root++) {
				uint64_t before = state;
				if (!left_out(number, root))
					fuzz_call(number, root);
				state = before;
				next();
			}
		}
	}
	CHECK("system calls", 1);
	CHECK("programs", fuzz_programs(rounds * 60));
	CHECK("scripts", fuzz_scripts());
	return guest_done("fuzz");
}
