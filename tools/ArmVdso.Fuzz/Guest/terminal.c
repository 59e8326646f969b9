/* SPDX-License-Identifier: MIT */
/* Bytes and settings for a terminal, from both of its ends. */
#include "fuzz.h"
#include <asm/termbits.h>

#define STEPS 40
#define SESSIONS 16

int posix_openpt(int flags);
int unlockpt(int fd);
int ptsname_r(int fd, char *name, size_t size);

static void nothing(int signal)
{
	(void)signal;
}

static int random_bytes(char *to)
{
	int size = 1 + next() % (next() % 16 ? 40 : 3000);
	for (int i = 0; i < size; i++) {
		uint64_t r = next();
		to[i] = r & 3 ? r >> 8 & 31 : r & 4 ? r >> 8 : 'a' + (r >> 8) % 26;
	}
	return size;
}

static void settings(int fd)
{
	static const unsigned int flags[] = { IGNBRK, BRKINT, PARMRK, ISTRIP, INLCR, IGNCR, ICRNL, IXON, IXANY, IXOFF, IUTF8, IUCLC };
	static const unsigned int local[] = { ISIG, ICANON, ECHO, ECHOE, ECHOK, ECHONL, NOFLSH, TOSTOP, ECHOCTL, ECHOKE, IEXTEN, XCASE };
	static const unsigned int output[] = { OPOST, OLCUC, ONLCR, OCRNL, ONOCR, ONLRET, OFILL, TAB3 };
	static const unsigned int requests[] = { TCSETS, TCSETSW, TCSETSF };
	struct termios t;
	if (ioctl(fd, TCGETS, &t))
		return;
	for (int k = 1 + next() % 4; k > 0; k--) {
		uint64_t r = next();
		switch (r & 7) {
		case 0: t.c_iflag ^= flags[(r >> 8) % 12]; break;
		case 1: case 2: t.c_lflag ^= local[(r >> 8) % 12]; break;
		case 3: t.c_oflag ^= output[(r >> 8) % 8]; break;
		case 4: case 5: t.c_cc[(r >> 8) % NCCS] = r >> 16; break;
		case 6: t.c_line = r >> 8; break;
		default: ((unsigned int *)&t)[(r >> 8) & 3] = r >> 16; break;
		}
	}
	ioctl(fd, requests[next() % 3], &t);
}

static void session(void)
{
	static const unsigned long requests[] = {
		TIOCSWINSZ, TIOCGWINSZ, TIOCPKT, TCFLSH, TIOCSTI, TIOCEXCL, TIOCNXCL, FIONREAD, TIOCOUTQ, TIOCSPGRP, TIOCGPGRP, TIOCGSID, TIOCSETD,
		TIOCGETD, TCXONC, TCSBRK, TIOCNOTTY, TIOCSCTTY, TIOCSIG, TIOCGPTN, TIOCSPTLCK, TIOCGPTPEER, TIOCMGET, TIOCVHANGUP, TCGETA, TCSETA,
		TIOCGDEV, TIOCSBRK, TIOCCBRK, FIOASYNC, TCGETS2, TCSETS2, TIOCLINUX, TIOCCONS,
	};
	char name[32];
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (master < 0 || unlockpt(master) || ptsname_r(master, name, sizeof(name)))
		return;
	int slave = open(name, O_RDWR | O_NONBLOCK | (next() & 1 ? O_NOCTTY : 0));
	for (int i = 0; i < STEPS; i++) {
		int end = next() & 1 ? master : slave;
		ssize_t got = 0;
		switch (next() % 10) {
		case 0: case 1: case 2: got = write(master, page, random_bytes(page)); break;
		case 3: got = write(slave, page, random_bytes(page)); break;
		case 4: case 5: got = read(slave, page, 1 + next() % 4096); break;
		case 6: got = read(master, page, 1 + next() % 4096); break;
		case 7: settings(end); break;
		case 8:
			for (int k = 0; k < 8; k++)
				((uint64_t *)page)[k] = argument();
			ioctl(end, requests[next() % (sizeof(requests) / sizeof(*requests))], next() & 1 ? (uint64_t)page : argument());
			break;
		default:
			if (next() % 8 == 0) {
				close(slave);
				slave = open(name, O_RDWR | O_NONBLOCK);
			}
			break;
		}
		counts->calls += got >= 0;
	}
	close(next() & 1 ? master : slave);
	if (read(master, page, 4096) < 0 || read(slave, page, 4096) < 0)
		counts->calls++;
	close(master);
	close(slave);
}

void fuzz_terminal(void)
{
	struct sigaction action = { .sa_handler = nothing };
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH, SIGCONT, SIGIO };
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, 0);
	setsid();
	for (int i = 0; i < SESSIONS; i++) {
		counts->cases++;
		session();
	}
}
