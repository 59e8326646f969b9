// SPDX-License-Identifier: MIT
/* Terminals: how much can be typed ahead, who may open them, what stops output, and what a hang-up leaves. */
#include "guest.h"
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#ifndef TIOCGEXCL
#define TIOCGEXCL _IOR('T', 0x40, int)
#endif

static int master, slave, number;
static char path[40], many[100000];

/* A new pair, whose slave echoes nothing. */
static void pair(int raw)
{
	struct termios t;
	int unlocked = 0;

	if (master)
		close(master), close(slave);
	master = open("/dev/ptmx", O_RDWR | O_NONBLOCK | O_NOCTTY);
	ioctl(master, TIOCSPTLCK, &unlocked);
	ioctl(master, TIOCGPTN, &number);
	snprintf(path, sizeof(path), "/dev/pts/%d", number);
	slave = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
	tcgetattr(slave, &t);
	if (raw)
		cfmakeraw(&t);
	t.c_lflag &= ~ECHO;
	tcsetattr(slave, TCSANOW, &t);
	memset(many, 'a', sizeof(many));
}

static int poll_of(int fd)
{
	struct pollfd p = { fd, POLLIN | POLLOUT, 0 };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

/* Types until there is no room: how much there was room for. */
static long fill(void)
{
	long all = 0, n;

	/* What is typed goes to the line discipline a little later. */
	for (int idle = 0; all < 1000000 && idle < 5; usleep(1000)) {
		n = write(master, many, 1000);
		idle = n > 0 ? 0 : idle + 1;
		all += n > 0 ? n : 0;
	}
	return all;
}

static long drain(char *last)
{
	long all = 0, n;

	for (int idle = 0; idle < 20; idle++) {
		while ((n = read(slave, many, sizeof(many))) > 0) {
			*last = many[n - 1];
			all += n;
			idle = 0;
		}
		usleep(1000);
	}
	return all;
}

static void room(void)
{
	char last = 0;
	long typed, seen;

	pair(1);
	typed = fill();
	CHECK("no more is typed ahead than is kept", typed > 4096 && typed < 40000);
	CHECK("which a poll says", !(poll_of(master) & POLLOUT));
	CHECK("and all of it is read", drain(&last) == typed);
	CHECK("then there is room", (poll_of(master) & POLLOUT) && write(master, "x", 1) == 1);

	pair(0);
	typed = fill();
	CHECK("a line without an end takes all", typed == 1000000);
	write(master, "\n", 1);
	usleep(1000);
	CHECK("and keeps what there is room for", drain(&last) == 4096 && last == '\n');

	pair(0);
	for (size_t i = 9; i < sizeof(many); i += 10)
		many[i] = '\n';
	typed = fill();
	CHECK("whole lines do not", typed > 4096 && typed < 40000);
	seen = drain(&last);
	CHECK("nor are they lost", seen <= typed && seen > typed - 10 && last == '\n');
}

/* Opens the slave as another user: 0, or the error. */
static int open_as_other(void)
{
	int status;
	pid_t child = fork();

	if (!child) {
		if (setuid(1000))
			_exit(1);
		_exit(open(path, O_RDWR | O_NOCTTY) < 0 ? errno : 0);
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static void requests(void)
{
	int value = -1;

	pair(0);
	chmod(path, 0666);
	CHECK("not exclusive", !ioctl(slave, TIOCGEXCL, &value) && value == 0 && open_as_other() == 0);
	CHECK("exclusive", !ioctl(slave, TIOCEXCL) && !ioctl(slave, TIOCGEXCL, &value) && value == 1);
	CHECK("then root alone opens it", open_as_other() == EBUSY && close(open(path, O_RDWR | O_NOCTTY)) == 0);
	CHECK("no more", !ioctl(slave, TIOCNXCL) && open_as_other() == 0);
	CHECK("the line discipline", !ioctl(slave, TIOCGETD, &value) && value == 0 && !ioctl(slave, TIOCSETD, &value));
	value = 99;
	FAILS("no other", EINVAL, ioctl(slave, TIOCSETD, &value));
	CHECK("signals by the master", !ioctl(master, TIOCSIG, SIGINT));
	FAILS("that keys send", EINVAL, ioctl(master, TIOCSIG, SIGKILL));
	FAILS("not by the slave", ENOTTY, ioctl(slave, TIOCSIG, SIGINT));
	FAILS("no modem", ENOTTY, ioctl(slave, TIOCMGET, &value));
	CHECK("breaks", !ioctl(slave, TCSBRKP, 1) && !ioctl(slave, TCSBRK, 1) && !ioctl(slave, TIOCSBRK) && !ioctl(slave, TIOCCBRK));
	CHECK("its number", !ioctl(slave, TIOCGDEV, &value) && (unsigned)value == (136u << 8 | number));
	CHECK("no carrier to wait for", !ioctl(slave, TIOCGSOFTCAR, &value) && value == 0);
	value = 1;
	CHECK("or one that is not looked at", !ioctl(slave, TIOCSSOFTCAR, &value) && !ioctl(slave, TIOCGSOFTCAR, &value) && value == 1);
	FAILS("flow that is none", EINVAL, ioctl(slave, TCXONC, 9));
}

static void flow(void)
{
	char c = 0;

	pair(0);
	CHECK("output stops", !ioctl(slave, TCXONC, TCOOFF) && !(poll_of(slave) & POLLOUT));
	FAILS("and nothing is written", EAGAIN, write(slave, "yy", 2));
	CHECK("it goes on", !ioctl(slave, TCXONC, TCOON) && (poll_of(slave) & POLLOUT) && write(slave, "zz", 2) == 2);
	usleep(1000);
	CHECK("as it was", read(master, many, 100) == 2 && many[0] == 'z');
	CHECK("the other end is told to stop", !ioctl(slave, TCXONC, TCIOFF) && (usleep(1000), read(master, &c, 1)) == 1 && c == 0x13);
	CHECK("and to go on", !ioctl(slave, TCXONC, TCION) && (usleep(1000), read(master, &c, 1)) == 1 && c == 0x11);
	write(master, "\x13", 1);
	usleep(1000);
	FAILS("a key stops it, too", EAGAIN, write(slave, "yy", 2));
	write(master, "\x11", 1);
	usleep(1000);
	CHECK("another lets it go on", write(slave, "zz", 2) == 2);
	write(master, "\x13\x03", 2);
	usleep(1000);
	CHECK("as the one that interrupts", write(slave, "zz", 2) == 2);
}

static volatile int hups, conts;

static void count(int signal)
{
	if (signal == SIGHUP)
		hups++;
	else
		conts++;
}

static void hang_ups(void)
{
	int status, file;
	char c;
	pid_t child;

	pair(0);
	CHECK("a line is hung up", !ioctl(slave, TIOCVHANGUP));
	FAILS("then nothing is written", EIO, write(slave, "x", 1));
	CHECK("what is read is the end", read(slave, &c, 1) == 0);
	CHECK("and a poll says so", (poll_of(slave) & (POLLHUP | POLLERR)) == (POLLHUP | POLLERR));
	FAILS("no request", EIO, ioctl(slave, TIOCGETD, &status));
	file = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
	CHECK("it can be opened again", file >= 0 && write(file, "x", 1) == 1);
	close(file);

	pair(0);
	child = fork();
	if (!child) {
		signal(SIGHUP, count);
		signal(SIGCONT, count);
		setsid();
		file = open(path, O_RDWR);
		status = hups == 0 && open("/dev/tty", O_RDWR) >= 0 && !syscall(SYS_vhangup) && hups == 1 && conts == 1;
		status = status && open("/dev/tty", O_RDWR) < 0 && errno == ENXIO && write(file, "x", 1) < 0 && errno == EIO;
		_exit(!status);
	}
	waitpid(child, &status, 0);
	CHECK("vhangup: the session has no terminal, and its leader hears of it", status == 0);
	FAILS("nor has who was outside of it", EIO, write(slave, "x", 1));

	pair(0);
	child = fork();
	if (!child) {
		signal(SIGHUP, count);
		signal(SIGCONT, count);
		setsid();
		file = open(path, O_RDWR);
		status = !ioctl(file, TIOCNOTTY) && hups == 1 && conts == 1 && open("/dev/tty", O_RDWR) < 0 && write(file, "x", 1) == 1;
		status = status && ioctl(file, TIOCNOTTY) < 0 && errno == ENOTTY;
		_exit(!status);
	}
	waitpid(child, &status, 0);
	CHECK("given up: the line stays", status == 0 && write(slave, "x", 1) == 1);
	child = fork();
	if (!child) {
		if (setuid(1000))
			_exit(1);
		_exit(syscall(SYS_vhangup) != -1 || errno != EPERM);
	}
	waitpid(child, &status, 0);
	CHECK("not by everybody", status == 0);
}

static void many_of_them(void)
{
	int unlocked = 0, count = 0, fd, high = -1, n;
	char text[40];
	struct stat st;

	pair(0);
	while ((fd = open("/dev/ptmx", O_RDWR | O_NOCTTY)) >= 0) {
		if (!ioctl(fd, TIOCGPTN, &n) && n == 300) {
			ioctl(fd, TIOCSPTLCK, &unlocked);
			high = open("/dev/pts/300", O_RDWR | O_NOCTTY);
		}
		if (++count == 600)
			break;
	}
	CHECK("hundreds", count == 600 && high >= 0 && isatty(high));
	CHECK("each with its number", !fstat(high, &st) && major(st.st_rdev) == 136 && minor(st.st_rdev) == 300);
	CHECK("as many as there may be", guest_read("/proc/sys/kernel/pty/max", text, sizeof(text)) > 0 && atoi(text) == 4096);
	CHECK("and how many there are", guest_read("/proc/sys/kernel/pty/nr", text, sizeof(text)) > 0 && atoi(text) > 600);
	if ((fd = open("/proc/sys/kernel/pty/max", O_WRONLY)) >= 0)
		write(fd, "500", 3);
	FAILS("no more than that", ENOSPC, open("/dev/ptmx", O_RDWR | O_NOCTTY));
	write(fd, "4096", 4);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	room();
	requests();
	flow();
	hang_ups();
	many_of_them();
	return guest_done("terminals");
}
