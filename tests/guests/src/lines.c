// SPDX-License-Identifier: MIT
/* Terminals: what the background may not do (SIGTTOU, SIGTTIN), and how long a raw read waits (VMIN, VTIME). */
#include "guest.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

static int master, slave;

static void nothing(int number)
{
	(void)number;
}

static void raw(int least, int tenths)
{
	struct termios t;

	tcgetattr(slave, &t);
	cfmakeraw(&t);
	t.c_cc[VMIN] = least;
	t.c_cc[VTIME] = tenths;
	tcsetattr(slave, TCSANOW, &t);
}

static long ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Types letters, one every so many milliseconds, from another process. */
static pid_t type(const char *text, int every)
{
	pid_t child = fork();

	if (child)
		return child;
	for (; *text; text++) {
		usleep(every * 1000);
		if (write(master, text, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static void reads(void)
{
	struct pollfd p = { .events = POLLIN };
	char text[16];
	long start, took;

	p.fd = slave;
	raw(0, 0);
	CHECK("VMIN 0, VTIME 0: nothing is nothing", read(slave, text, 16) == 0);
	write(master, "ab", 2);
	CHECK("or what there is", read(slave, text, 16) == 2);
	raw(0, 2);
	start = ms();
	CHECK("VMIN 0, VTIME 2: nothing", read(slave, text, 16) == 0);
	took = ms() - start;
	CHECK("after that time", took >= 190 && took < 2000);
	type("x", 50);
	CHECK("or the first byte", read(slave, text, 16) == 1);
	wait(0);
	raw(3, 0);
	type("abcd", 20);
	CHECK("VMIN 3: three", read(slave, text, 16) == 3);
	CHECK("or as many as are wanted", read(slave, text, 1) == 1);
	wait(0);
	write(master, "ab", 2);
	CHECK("of which two do not make a poll ready", poll(&p, 1, 0) == 0);
	fcntl(slave, F_SETFL, O_NONBLOCK);
	CHECK("a read that does not wait takes them", read(slave, text, 16) == 2);
	fcntl(slave, F_SETFL, 0);
	raw(5, 2);
	type("abc", 50);
	CHECK("VMIN 5, VTIME 2: until no more comes", read(slave, text, 16) == 3);
	wait(0);
	write(master, "a", 1);
	CHECK("poll is ready with one", poll(&p, 1, 0) == 1 && read(slave, text, 1) == 1);
}

/* A child in a group of its own, in the background; its status. */
static int background(void (*what)(void))
{
	int status = -1;
	pid_t child = fork();

	if (!child) {
		setpgid(0, 0);
		what();
		_exit(0);
	}
	waitpid(child, &status, WUNTRACED);
	if (WIFSTOPPED(status)) {
		kill(child, SIGKILL);
		waitpid(child, 0, 0);
	}
	return status;
}

static void writes(void) { if (write(slave, "x", 1) != 1) _exit(1); }
static void reads_one(void) { char c; if (read(slave, &c, 1) != 1) _exit(errno); }
static void sets(void) { struct termios t; tcgetattr(slave, &t); if (tcsetattr(slave, TCSANOW, &t)) _exit(errno); }
static void flushes(void) { if (tcflush(slave, TCIFLUSH)) _exit(errno); }
static void takes(void) { if (tcsetpgrp(slave, getpgrp())) _exit(errno); }
static void sets_deaf(void) { signal(SIGTTOU, SIG_IGN); sets(); }
static void sets_handling(void)
{
	struct sigaction action = { .sa_handler = nothing };
	struct termios t;

	sigaction(SIGTTOU, &action, 0);
	tcgetattr(slave, &t);
	_exit(tcsetattr(slave, TCSANOW, &t) == -1 && errno == EINTR ? 0 : 1);
}
static void reads_deaf(void) { signal(SIGTTIN, SIG_IGN); reads_one(); }

static int stops(int status, int signal)
{
	return WIFSTOPPED(status) && WSTOPSIG(status) == signal;
}

static void jobs(void)
{
	struct termios t;

	CHECK("the background writes", background(writes) == 0);
	tcgetattr(slave, &t);
	t.c_lflag |= TOSTOP;
	tcsetattr(slave, TCSANOW, &t);
	CHECK("unless TOSTOP stops it", stops(background(writes), SIGTTOU));
	CHECK("it does not read", stops(background(reads_one), SIGTTIN));
	CHECK("nor change settings", stops(background(sets), SIGTTOU));
	CHECK("nor throw input away", stops(background(flushes), SIGTTOU));
	CHECK("nor take the terminal", stops(background(takes), SIGTTOU));
	CHECK("who ignores the signal changes settings", background(sets_deaf) == 0);
	CHECK("who handles it is interrupted", background(sets_handling) == 0);
	CHECK("reading is an error then", WEXITSTATUS(background(reads_deaf)) == EIO);
}

int main(void)
{
	int zero = 0, number = 0, status = 0;
	char path[32];
	pid_t child;

	master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	ioctl(master, TIOCSPTLCK, &zero);
	ioctl(master, TIOCGPTN, &number);
	snprintf(path, sizeof(path), "/dev/pts/%d", number);
	fflush(stdout);
	child = fork();
	if (!child) {
		setsid();
		slave = open(path, O_RDWR);
		CHECK("a terminal of its own", slave >= 0 && tcgetpgrp(slave) == getpgrp());
		jobs();
		reads();
		fflush(stdout);
		_exit(guest_failures);
	}
	waitpid(child, &status, 0);
	guest_failures += WEXITSTATUS(status);
	CHECK("nothing ended it", WIFEXITED(status));
	return guest_done("lines");
}
