// SPDX-License-Identifier: MIT
/* What senders keep back because more is to come: MSG_MORE, UDP_CORK, TCP_CORK, SPLICE_F_MORE, UDP_SEGMENT; and that Unix sockets
 * keep back nothing. */
#include "guest.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

static char buffer[70000];

/* What can be received now. */
static int got(int fd)
{
	int n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);

	return n < 0 ? -errno : n;
}

static int bound(int domain, struct sockaddr_storage *at, socklen_t *length)
{
	int fd = socket(domain, SOCK_DGRAM, 0);

	memset(at, 0, sizeof(*at));
	at->ss_family = domain;
	*length = domain == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	if (domain == AF_INET)
		((struct sockaddr_in *)at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)at)->sin6_addr = in6addr_loopback;
	return bind(fd, (struct sockaddr *)at, *length) || getsockname(fd, (struct sockaddr *)at, length) ? -1 : fd;
}

static void datagrams(int domain)
{
	struct sockaddr_storage a, b;
	socklen_t length;
	struct pollfd poll_out;
	int first = bound(domain, &a, &length), second = bound(domain, &b, &length), s = socket(domain, SOCK_DGRAM, 0), on = 1, off = 0;
	socklen_t size = sizeof(on);
	struct iovec pieces[2] = { { "ab", 2 }, { "cde", 3 } };
	struct msghdr message = { .msg_name = &a, .msg_namelen = length, .msg_iov = pieces, .msg_iovlen = 2 };

	CHECK("a part is taken", sendto(s, "one", 3, MSG_MORE, (struct sockaddr *)&a, length) == 3);
	CHECK("and kept back", got(first) == -EAGAIN);
	poll_out = (struct pollfd){ s, POLLOUT, 0 };
	CHECK("another can be sent", poll(&poll_out, 1, 0) == 1);
	CHECK("it goes where the first part goes", sendto(s, "two", 3, 0, (struct sockaddr *)&b, length) == 3 && got(second) == -EAGAIN);
	CHECK("as one datagram", got(first) == 6 && !memcmp(buffer, "onetwo", 6));
	CHECK("the next is one of its own", sendto(s, "x", 1, 0, (struct sockaddr *)&b, length) == 1 && got(second) == 1);
	CHECK("with nowhere to go", sendto(s, "x", 1, MSG_MORE, NULL, 0) == -1 && errno == EDESTADDRREQ);
	CHECK("sendmsg", sendmsg(s, &message, MSG_MORE) == 5 && got(first) == -EAGAIN && send(s, "", 0, 0) == 0 && got(first) == 5);
	CHECK("an empty part", sendto(s, "", 0, MSG_MORE, (struct sockaddr *)&a, length) == 0 && got(first) == -EAGAIN
		&& send(s, "z", 1, 0) == 1 && got(first) == 1);

	connect(s, (struct sockaddr *)&a, length);
	CHECK("write ends it", send(s, "12", 2, MSG_MORE) == 2 && write(s, "3", 1) == 1 && got(first) == 3);
	CHECK("corked", setsockopt(s, IPPROTO_UDP, UDP_CORK, &on, sizeof(on)) == 0 && write(s, "1", 1) == 1 && write(s, "2", 1) == 1
		&& got(first) == -EAGAIN);
	CHECK("it says so", getsockopt(s, IPPROTO_UDP, UDP_CORK, &on, &size) == 0 && on == 1);
	CHECK("uncorked", setsockopt(s, IPPROTO_UDP, UDP_CORK, &off, sizeof(off)) == 0 && got(first) == 2);
	CHECK("nothing is left", setsockopt(s, IPPROTO_UDP, UDP_CORK, &off, sizeof(off)) == 0 && got(first) == -EAGAIN);
	send(s, buffer, 60000, MSG_MORE);
	CHECK("too long", send(s, buffer, 60000, 0) == -1 && errno == EMSGSIZE);
	CHECK("takes with it what was there", send(s, "n", 1, 0) == 1 && got(first) == 1);
	send(s, "gone", 4, MSG_MORE);
	close(s);
	CHECK("what is closed is lost", got(first) == -EAGAIN);
	close(first);
	close(second);
}

static void pieces(void)
{
	struct sockaddr_storage a;
	socklen_t length;
	int first = bound(AF_INET, &a, &length), s = socket(AF_INET, SOCK_DGRAM, 0), size = 100;

	connect(s, (struct sockaddr *)&a, length);
	CHECK("datagrams of a size", setsockopt(s, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)) == 0 && send(s, buffer, 250, 0) == 250
		&& got(first) == 100 && got(first) == 100 && got(first) == 50 && got(first) == -EAGAIN);
	size = 1;
	setsockopt(s, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
	FAILS("too many", EINVAL, send(s, buffer, 1000, 0));
	size = 70000;
	FAILS("a size that none has", EINVAL, setsockopt(s, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)));
	close(s);
	close(first);
}

/* Sends something and looks whether it is there at once. */
static int streams(int *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0), theirs;

	bind(listener, (struct sockaddr *)&at, length);
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)&at, &length);
	*s = socket(AF_INET, SOCK_STREAM, 0);
	connect(*s, (struct sockaddr *)&at, length);
	theirs = accept(listener, NULL, NULL);
	close(listener);
	return theirs;
}

static int arrives(int fd, int wanted)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int total = 0, n;

	while (total < wanted && poll(&p, 1, 2000) == 1 && (n = recv(fd, buffer, wanted - total, 0)) > 0)
		total += n;
	return total == wanted;
}

static void stream(void)
{
	int s, t = streams(&s), on = 1, off = 0, unsent = 0, pipes[2];
	struct timespec before, after;
	struct pollfd p = { t, POLLIN, 0 };

	CHECK("a part of a stream is kept back", send(s, "one", 3, MSG_MORE) == 3 && got(t) == -EAGAIN);
	CHECK("and is counted", ioctl(s, SIOCOUTQNSD, &unsent) == 0 && unsent == 3);
	CHECK("what follows takes it along", send(s, "two", 3, 0) == 3 && arrives(t, 6) && got(t) == -EAGAIN);
	CHECK("corked stream", setsockopt(s, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)) == 0 && write(s, "1", 1) == 1 && write(s, "2", 1) == 1
		&& got(t) == -EAGAIN);
	CHECK("uncorked stream", setsockopt(s, IPPROTO_TCP, TCP_CORK, &off, sizeof(off)) == 0 && arrives(t, 2));
	send(s, "n", 1, MSG_MORE);
	CHECK("TCP_NODELAY sends it", got(t) == -EAGAIN && setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 && arrives(t, 1));
	clock_gettime(CLOCK_MONOTONIC, &before);
	send(s, "late", 4, MSG_MORE);
	CHECK("it goes by itself", poll(&p, 1, 5000) == 1 && arrives(t, 4));
	clock_gettime(CLOCK_MONOTONIC, &after);
	CHECK("after a fifth of a second",
		(after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec >= 190000000);
	CHECK("full segments go at once", send(s, buffer, 70000, MSG_MORE) == 70000 && arrives(t, 60000));
	CHECK("and the rest with the next", send(s, "x", 1, 0) == 1 && arrives(t, 10001));
	if (pipe(pipes) || write(pipes[1], "spliced", 7) != 7)
		exit(2);
	CHECK("splice keeps back, too", splice(pipes[0], NULL, s, NULL, 7, SPLICE_F_MORE) == 7 && got(t) == -EAGAIN && send(s, "!", 1, 0) == 1
		&& arrives(t, 8));
	send(s, "end", 3, MSG_MORE);
	CHECK("the end sends it", shutdown(s, SHUT_WR) == 0 && arrives(t, 3) && got(t) == 0);
	close(s);
	close(t);
	t = streams(&s);
	send(s, "end", 3, MSG_MORE);
	close(s);
	CHECK("so does closing", arrives(t, 3) && got(t) == 0);
	close(t);
}

/* What a socket has no room for stays in the pipe. */
static void spliced(void)
{
	int pipes[2], pair[2], left = 0, n;
	long sent = 0, put = 0;

	if (pipe(pipes) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
		exit(2);
	while (put < 1 << 20) {
		put += write(pipes[1], buffer, 65536);
		while ((n = splice(pipes[0], NULL, pair[0], NULL, 65536, SPLICE_F_NONBLOCK)) > 0)
			sent += n;
		if (ioctl(pipes[0], FIONREAD, &left) || left)
			break;
	}
	CHECK("a socket is full", n == -1 && errno == EAGAIN && left > 0);
	CHECK("nothing is lost", sent + left == put);
	while ((n = got(pair[1])) > 0)
		sent -= n;
	CHECK("all that went arrives", sent == 0);
	CHECK("the rest goes when there is room", (n = splice(pipes[0], NULL, pair[0], NULL, left, 0)) > 0 && got(pair[1]) == n);
}

int main(void)
{
	int pair[2];

	spliced();

	datagrams(AF_INET);
	datagrams(AF_INET6);
	pieces();
	stream();
	for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type += type == SOCK_STREAM ? 1 : 3) {
		socketpair(AF_UNIX, type, 0, pair);
		CHECK("a Unix socket keeps nothing back", send(pair[0], "u", 1, MSG_MORE) == 1 && got(pair[1]) == 1);
	}
	return guest_done("corks");
}
