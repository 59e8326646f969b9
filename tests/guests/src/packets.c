// SPDX-License-Identifier: MIT
/* Packet mode of a pseudo-terminal's master (tty_ioctl(4)). A stock kernel prints the same lines. */
#include "guest.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;

static short ready(void)
{
	struct pollfd p = { .fd = master, .events = POLLIN | POLLPRI };

	poll(&p, 1, 0);
	return p.revents;
}

int main(void)
{
	char text[64];
	int on = 1, off = 0, is = 0;
	struct termios t;

	master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	grantpt(master);
	unlockpt(master);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	CHECK("not on the slave", ioctl(slave, TIOCPKT, &on) < 0 && errno == ENOTTY);
	CHECK("on", !ioctl(master, TIOCPKT, &on));
	CHECK("is on", !ioctl(master, TIOCGPKT, &is) && is == 1);
	CHECK("nothing", read(master, text, sizeof text) < 0 && errno == EAGAIN && !ready());
	CHECK("write", write(slave, "abc", 3) == 3);
	usleep(10000);
	CHECK("data", ready() == POLLIN && read(master, text, sizeof text) == 4 && !memcmp(text, "\0abc", 4));
	CHECK("write", write(slave, "def", 3) == 3);
	usleep(10000);
	CHECK("data by parts", read(master, text, 3) == 3 && !memcmp(text, "\0de", 3));
	CHECK("and the rest", read(master, text, 3) == 2 && !memcmp(text, "\0f", 2));
	CHECK("flush", !tcflush(slave, TCIFLUSH));
	CHECK("flush is urgent", ready() == (POLLIN | POLLPRI));
	CHECK("flushed", read(master, text, sizeof text) == 1 && text[0] == TIOCPKT_FLUSHREAD);
	tcgetattr(slave, &t);
	t.c_iflag &= ~IXON;
	CHECK("without ^S", !tcsetattr(slave, TCSANOW, &t) && read(master, text, sizeof text) == 1 && text[0] == TIOCPKT_NOSTOP);
	t.c_iflag |= IXON;
	CHECK("with ^S", !tcsetattr(slave, TCSANOW, &t) && read(master, text, sizeof text) == 1 && text[0] == TIOCPKT_DOSTOP);
	CHECK("the same again", !tcsetattr(slave, TCSANOW, &t) && !ready());
	CHECK("off", !ioctl(master, TIOCPKT, &off));
	CHECK("write", write(slave, "abc", 3) == 3);
	usleep(10000);
	CHECK("plain", read(master, text, sizeof text) == 3 && !memcmp(text, "abc", 3));
	return guest_done("packets");
}
