// SPDX-License-Identifier: MIT
/* Auxiliary clocks (CONFIG_POSIX_AUX_CLOCKS, Linux 6.17; kernel word aux-clocks): enabled, set and adjusted by sysfs and system calls, read
 * by vDSO and system call. A booted stock kernel prints the same lines; "image" as an argument: the vDSO must know them. */
#include "guest.h"
#include "vdso.h"
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/timex.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

#define AUX	16
#define AUXES	8
#define SECOND	1000000000LL

typedef int reader(clockid_t, struct timespec *);
static reader *image_gettime, *image_getres;

static int by_call(clockid_t clock, struct timespec *ts)
{
	return syscall(SYS_clock_gettime, clock, ts) ? -errno : 0;
}

/* ns of a clock, or the error. */
static long long at(reader *read, clockid_t clock)
{
	struct timespec ts = { -1, -1 };
	int error = read(clock, &ts);

	if (error)
		return error;
	return ts.tv_nsec < 0 || ts.tv_nsec >= SECOND ? -EOVERFLOW : ts.tv_sec * SECOND + ts.tv_nsec;
}

static int write_enable(int id, const char *text)
{
	char path[64];
	int fd, result;

	snprintf(path, sizeof(path), "/sys/kernel/time/aux_clocks/%d/aux_clock_enable", id);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	result = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return result;
}

static int enabled(int id)
{
	char path[64], text[8] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/time/aux_clocks/%d/aux_clock_enable", id);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) != 2 || text[1] != '\n')
		return -1;
	close(fd);
	return text[0] - '0';
}

static int set(clockid_t clock, long long ns)
{
	struct timespec ts = { ns / SECOND, ns % SECOND };

	return syscall(SYS_clock_settime, clock, &ts) ? -errno : 0;
}

static int adjust(clockid_t clock, struct timex *x)
{
	int state = syscall(SYS_clock_adjtime, clock, x);

	return state < 0 ? -errno : state;
}

/* vDSO and system call in turn: none is before the one before it. A ns less is what the vDSO may say (it has no fraction). */
static int agree(clockid_t clock)
{
	long long last = at(by_call, clock);

	for (int i = 0; i < 200; i++) {
		long long now = at(i & 1 ? by_call : image_gettime, clock);

		if (now < last - 1 || now > last + 100 * SECOND)
			return 0;
		last = now;
	}
	return 1;
}

/* How much of a clock passes in 20 ms of CLOCK_MONOTONIC_RAW, in ppm more than that; rounded to 200. */
static int drift(reader *read, clockid_t clock)
{
	long long raw, begin, other;

	/* Twice: the first pass has the caches warm for the second. */
	for (int pass = 0; pass < 2; pass++) {
		raw = at(by_call, CLOCK_MONOTONIC_RAW);
		begin = at(read, clock);
	}
	do
		other = at(by_call, CLOCK_MONOTONIC_RAW) - raw;
	while (other < 20000000);
	long long ppm = ((at(read, clock) - begin - other) * 1000000) / other;
	return (int)((ppm + (ppm < 0 ? -100 : 100)) / 200) * 200;
}

static int unprivileged(void)
{
	struct timex x = { .modes = 0 };
	struct timespec ts = { 5, 0 };
	int status;
	pid_t child = fork();

	if (!child) {
		int fd = open("/sys/kernel/time/aux_clocks/0/aux_clock_enable", O_WRONLY);

		if (fd < 0 || setresuid(1000, 1000, 1000))
			_exit(1);
		int wrote = write(fd, "0", 1) == -1 && errno == EPERM;
		int may_read = at(by_call, AUX) > 0 && adjust(AUX, &x) >= 0;
		int opened = open("/sys/kernel/time/aux_clocks/0/aux_clock_enable", O_WRONLY) == -1 && errno == EACCES;
		int was_set = syscall(SYS_clock_settime, AUX, &ts) == -1 && errno == EPERM;
		x.modes = ADJ_FREQUENCY;
		_exit(!(wrote && may_read && opened && was_set && adjust(AUX, &x) == -EPERM));
	}
	return waitpid(child, &status, 0) == child && status == 0;
}

/* A time namespace moves CLOCK_MONOTONIC and no auxiliary clock. */
static int in_namespace(void)
{
	int status;
	long long before = at(by_call, AUX), monotonic = at(by_call, CLOCK_MONOTONIC);
	pid_t child = fork();

	if (!child) {
		int fd;

		if (unshare(0x80) || (fd = open("/proc/self/timens_offsets", O_WRONLY)) < 0)
			_exit(1);
		if (write(fd, "monotonic 5000 0\n", 17) != 17)
			_exit(2);
		child = fork();
		if (!child) {
			long long now = at(image_gettime, AUX), call = at(by_call, AUX);

			if (at(image_gettime, CLOCK_MONOTONIC) < monotonic + 5000 * SECOND)
				_exit(3);
			_exit(!(now >= before - 1 && now < before + 1000 * SECOND && call >= now && call < before + 1000 * SECOND));
		}
		if (waitpid(child, &status, 0) != child)
			_exit(4);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 5);
	}
	return waitpid(child, &status, 0) == child && status == 0;
}

int main(int argc, char **argv)
{
	struct timespec ts;
	struct timex x;
	int of_image = argc > 1 && !strcmp(argv[1], "image"), id, all;
	long timer;

	image_gettime = (reader *)(uintptr_t)vdso_find("__kernel_clock_gettime", "LINUX_2.6.39");
	image_getres = (reader *)(uintptr_t)vdso_find("__kernel_clock_getres", "LINUX_2.6.39");
	if (!image_gettime || !image_getres) {
		image_gettime = by_call;
		image_getres = NULL;
	}

	for (all = 1, id = 0; id < AUXES; id++)
		all &= at(by_call, AUX + id) == -ENODEV && at(image_gettime, AUX + id) == -ENODEV && enabled(id) == 0;
	CHECK("all are off", all);
	CHECK("no ninth", at(by_call, AUX + AUXES) == -EINVAL && at(image_gettime, AUX + AUXES) == -EINVAL);
	CHECK("none between", at(by_call, AUX - 1) == -EINVAL && at(by_call, CLOCK_TAI) > 0);
	CHECK("the resolution of one that is off",
	      syscall(SYS_clock_getres, AUX + 3, &ts) == 0 && ts.tv_sec == 0 && ts.tv_nsec == 1);
	ts.tv_nsec = 0;
	CHECK("the image's", !image_getres || (image_getres(AUX + 3, &ts) == 0 && ts.tv_nsec == 1));
	CHECK("set while off", set(AUX, SECOND) == -ENODEV);
	memset(&x, 0, sizeof(x));
	CHECK("adjusted while off", adjust(AUX, &x) == -ENODEV);
	x.modes = ADJ_STATUS;
	x.status = STA_INS;
	CHECK("a leap second, even while off", adjust(AUX, &x) == -EINVAL);

	CHECK("no word of sysfs", write_enable(0, "maybe") == -EINVAL && enabled(0) == 0);
	CHECK("on", write_enable(0, "on\n") == 0 && enabled(0) == 1);
	long long first = at(by_call, AUX);
	CHECK("begins with 0", first >= 0 && first < 100 * SECOND);
	CHECK("one alone", at(by_call, AUX + 1) == -ENODEV && at(image_gettime, AUX + 7) == -ENODEV);
	CHECK("on once more changes nothing", write_enable(0, "1") == 0 && at(by_call, AUX) >= first);
	CHECK("vDSO and system call agree", agree(AUX));
	CHECK("it runs as the counter does", drift(image_gettime, AUX) == 0);

	CHECK("set", set(AUX, 5000000 * SECOND + 123) == 0);
	first = at(image_gettime, AUX);
	CHECK("both see it", first >= 5000000 * SECOND + 122 && first < 5000100 * SECOND && agree(AUX));
	CHECK("CLOCK_REALTIME does not", at(by_call, CLOCK_REALTIME) / SECOND / 100 != first / SECOND / 100);
	CHECK("not before 0", set(AUX, -1 * SECOND) == -EINVAL);
	ts.tv_sec = 1;
	ts.tv_nsec = SECOND;
	CHECK("no time", syscall(SYS_clock_settime, AUX, &ts) == -1 && errno == EINVAL);
	CHECK("no memory", syscall(SYS_clock_settime, AUX, NULL) == -1 && errno == EFAULT);

	memset(&x, 0, sizeof(x));
	CHECK("its own discipline", adjust(AUX, &x) == TIME_ERROR && x.freq == 0 && x.tick == 10000 && x.tai == 0
	      && x.time.tv_sec >= 5000000 && x.time.tv_sec < 5000100);
	x.modes = ADJ_FREQUENCY;
	x.freq = 400L << 16;
	CHECK("faster by 400 ppm", adjust(AUX, &x) >= 0 && x.freq == 400L << 16);
	CHECK("as the image says", drift(image_gettime, AUX) == 400);
	CHECK("as the system call says", drift(by_call, AUX) == 400 && agree(AUX));
	memset(&x, 0, sizeof(x));
	CHECK("the system's own rate stays", adjust(CLOCK_REALTIME, &x) >= 0 && x.freq == 0);
	x.modes = ADJ_TICK;
	x.tick = 9500;
	CHECK("slower by 5 percent less 400 ppm", adjust(AUX, &x) >= 0 && drift(image_gettime, AUX) == -49600);
	x.tick = 10000;
	CHECK("and not any more", adjust(AUX, &x) >= 0 && drift(image_gettime, AUX) == 400);
	memset(&x, 0, sizeof(x));
	x.modes = ADJ_SETOFFSET | ADJ_NANO;
	x.time.tv_sec = -1000;
	first = at(by_call, AUX);
	CHECK("moved by an offset", adjust(AUX, &x) >= 0 && at(by_call, AUX) < first - 900 * SECOND && agree(AUX));
	x.modes = ADJ_SETOFFSET | ADJ_NANO;
	x.time.tv_sec = -9000000;
	CHECK("not to before 0", adjust(AUX, &x) == -EINVAL);
	x.modes = ADJ_TAI;
	CHECK("no TAI", adjust(AUX, &x) == -EINVAL);
	x.modes = ADJ_STATUS;
	x.status = STA_PPSFREQ;
	CHECK("no pulses a second", adjust(AUX, &x) == -EINVAL);

	CHECK("no timer on it", syscall(SYS_timer_create, AUX, NULL, &timer) == -1 && errno == EOPNOTSUPP);
	CHECK("nor on one that is off", syscall(SYS_timer_create, AUX + 1, NULL, &timer) == -1 && errno == EOPNOTSUPP);
	ts.tv_sec = 0;
	ts.tv_nsec = 1;
	CHECK("no sleep", syscall(SYS_clock_nanosleep, AUX, 0, &ts, NULL) == -1 && errno == EOPNOTSUPP);
	CHECK("no descriptor", timerfd_create(AUX, 0) == -1 && errno == EINVAL);
	CHECK("an ordinary user may read it only", unprivileged());
	CHECK("a time namespace has the same", in_namespace());

	CHECK("a second one", write_enable(7, "y") == 0 && set(AUX + 7, 77 * SECOND) == 0
	      && at(image_gettime, AUX + 7) / SECOND < 177 && at(image_gettime, AUX) / SECOND > 4000000 && agree(AUX + 7));
	CHECK("off", write_enable(0, "off") == 0 && enabled(0) == 0 && enabled(7) == 1);
	CHECK("both know", at(by_call, AUX) == -ENODEV && at(image_gettime, AUX) == -ENODEV);
	CHECK("on again: from 0", write_enable(0, "1") == 0 && at(by_call, AUX) >= 0 && at(image_gettime, AUX) < 100 * SECOND);
	memset(&x, 0, sizeof(x));
	CHECK("the rate was kept", adjust(AUX, &x) >= 0 && x.freq == 400L << 16);

	/* How many of a hundred calls the image answers by itself: seccomp would end a process that asks the kernel. */
	if (of_image) {
		pid_t child = fork();
		int status;

		if (!child) {
			/* SECCOMP_MODE_STRICT: read, write, exit and sigreturn alone. */
			if (at(image_gettime, AUX) < 0 || syscall(SYS_prctl, 22, 1))
				_exit(1);
			for (int i = 0; i < 100; i++) {
				struct timespec t;

				image_gettime(AUX, &t);
			}
			syscall(SYS_exit, 0);
		}
		CHECK("the image asks nobody", waitpid(child, &status, 0) == child && status == 0);
	}
	write_enable(0, "0");
	write_enable(7, "0");
	return guest_done("aux_clock");
}
