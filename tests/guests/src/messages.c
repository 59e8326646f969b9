// SPDX-License-Identifier: MIT
/* What sockets say of what they receive (control messages), urgent data, what comes back, UDP-Lite. */
#include "guest.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#ifndef SIOCATMARK
#define SIOCATMARK 0x8905
#endif

static char control[512], bytes[64];
static struct msghdr head;
static struct sockaddr_storage from;

/* Receives a message with its control messages. */
static ssize_t receive(int s, size_t room, int flags)
{
	struct iovec to = {bytes, sizeof(bytes)};

	memset(bytes, 0, sizeof(bytes));
	memset(control, 0, sizeof(control));
	head = (struct msghdr){.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &to, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = room};
	return recvmsg(s, &head, flags | MSG_DONTWAIT);
}

/* The data of a control message; NULL: there is none. */
static void *said(int level, int type, size_t length)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&head); c; c = CMSG_NXTHDR(&head, c))
		if (c->cmsg_level == level && c->cmsg_type == type && c->cmsg_len == CMSG_LEN(length))
			return CMSG_DATA(c);
	return NULL;
}

/* Sends with one control message. */
static ssize_t sends(int s, const void *name, socklen_t length, int level, int type, const void *data, size_t size)
{
	static char room[128];
	struct iovec what = {"message", 7};
	struct msghdr message = {.msg_name = (void *)name, .msg_namelen = length, .msg_iov = &what, .msg_iovlen = 1, .msg_control = room,
		.msg_controllen = CMSG_SPACE(size)};
	struct cmsghdr *c = (struct cmsghdr *)room;

	memset(room, 0, sizeof(room));
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), data, size);
	return sendmsg(s, &message, 0);
}

static int on(int s, int level, int option)
{
	int one = 1;

	return setsockopt(s, level, option, &one, sizeof(one));
}

static void four(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, nobody;
	socklen_t length = sizeof(at);
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0), value = 33;
	struct timespec now, *stamp;

	bind(a, (struct sockaddr *)&at, sizeof(at));
	getsockname(a, (struct sockaddr *)&at, &length);
	CHECK("options", !on(a, SOL_IP, IP_PKTINFO) && !on(a, SOL_IP, IP_RECVTTL) && !on(a, SOL_IP, IP_RECVTOS)
		&& !on(a, SOL_SOCKET, SO_TIMESTAMP) && !on(a, SOL_SOCKET, SO_TIMESTAMPNS));
	sendto(b, "plain", 5, 0, (struct sockaddr *)&at, sizeof(at));
	CHECK("a datagram", receive(a, sizeof(control), 0) == 5 && head.msg_flags == 0);
	struct in_pktinfo *way = said(SOL_IP, IP_PKTINFO, sizeof(*way));
	CHECK("where it came", way && way->ipi_ifindex == 1 && way->ipi_addr.s_addr == htonl(INADDR_LOOPBACK)
		&& way->ipi_spec_dst.s_addr == way->ipi_addr.s_addr);
	int *ttl = said(SOL_IP, IP_TTL, sizeof(int));
	unsigned char *tos = said(SOL_IP, IP_TOS, 1);
	CHECK("how many hops it had", ttl && *ttl == 64);
	CHECK("what service", tos && *tos == 0);
	stamp = said(SOL_SOCKET, SO_TIMESTAMPNS, sizeof(*stamp));
	clock_gettime(CLOCK_REALTIME, &now);
	CHECK("when", stamp && now.tv_sec - stamp->tv_sec >= 0 && now.tv_sec - stamp->tv_sec < 60 && stamp->tv_nsec < 1000000000);
	CHECK("one stamp", !said(SOL_SOCKET, SO_TIMESTAMP, 16));
	int first = ((struct cmsghdr *)control)->cmsg_level == SOL_SOCKET;
	CHECK("the time first", first);
	CHECK("as the sender has it", !setsockopt(b, SOL_IP, IP_TTL, &value, sizeof(value)));
	value = 0x10;
	setsockopt(b, SOL_IP, IP_TOS, &value, sizeof(value));
	sendto(b, "plain", 5, 0, (struct sockaddr *)&at, sizeof(at));
	receive(a, sizeof(control), 0);
	ttl = said(SOL_IP, IP_TTL, sizeof(int));
	tos = said(SOL_IP, IP_TOS, 1);
	CHECK("by its options", ttl && *ttl == 33 && tos && *tos == 0x10);
	value = 7;
	CHECK("or the message", sends(b, &at, sizeof(at), SOL_IP, IP_TTL, &value, sizeof(value)) == 7 && receive(a, sizeof(control), 0) == 7);
	ttl = said(SOL_IP, IP_TTL, sizeof(int));
	CHECK("has it", ttl && *ttl == 7);
	struct in_pktinfo source = {.ipi_spec_dst.s_addr = htonl(INADDR_LOOPBACK)};
	CHECK("a source", sends(b, &at, sizeof(at), SOL_IP, IP_PKTINFO, &source, sizeof(source)) == 7 && receive(a, 512, 0) == 7
		&& ((struct sockaddr_in *)&from)->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	FAILS("no such message", EINVAL, sends(b, &at, sizeof(at), SOL_IP, 99, &value, sizeof(value)));
	FAILS("no such TTL", EINVAL, sends(b, &at, sizeof(at), SOL_IP, IP_TTL, &source, sizeof(source)));
	value = 256;
	FAILS("too many hops", EINVAL, sends(b, &at, sizeof(at), SOL_IP, IP_TTL, &value, sizeof(value)));
	CHECK("other levels are left alone", sends(b, &at, sizeof(at), 1234, 1, &value, sizeof(value)) == 7 && receive(a, 512, 0) == 7);

	sendto(b, "plain", 5, 0, (struct sockaddr *)&at, sizeof(at));
	CHECK("no room", receive(a, 10, 0) == 5 && (head.msg_flags & MSG_CTRUNC) && head.msg_controllen == 0);
	sendto(b, "plain", 5, 0, (struct sockaddr *)&at, sizeof(at));
	CHECK("room for a part", receive(a, 20, 0) == 5 && (head.msg_flags & MSG_CTRUNC) && head.msg_controllen == 20
		&& ((struct cmsghdr *)control)->cmsg_len == 20);

	/* What nobody takes comes back. */
	length = sizeof(nobody);
	int gone = socket(AF_INET, SOCK_DGRAM, 0);
	nobody = at;
	nobody.sin_port = 0;
	bind(gone, (struct sockaddr *)&nobody, sizeof(nobody));
	getsockname(gone, (struct sockaddr *)&nobody, &length);
	close(gone);
	FAILS("nothing came back", EAGAIN, receive(b, 512, MSG_ERRQUEUE));
	CHECK("it is lost", sendto(b, "lost", 4, 0, (struct sockaddr *)&nobody, sizeof(nobody)) == 4
		&& sendto(b, "lost", 4, 0, (struct sockaddr *)&nobody, sizeof(nobody)) == 4);
	CHECK("unless one asks", !on(b, SOL_IP, IP_RECVERR) && sendto(b, "again", 5, 0, (struct sockaddr *)&nobody, sizeof(nobody)) == 5);
	struct pollfd waits = {b, POLLIN, 0};
	CHECK("an error waits", poll(&waits, 1, 0) == 1 && waits.revents == POLLERR);
	CHECK("what was sent", receive(b, 512, MSG_ERRQUEUE) == 5 && !memcmp(bytes, "again", 5) && (head.msg_flags & MSG_ERRQUEUE));
	CHECK("to whom", head.msg_namelen == sizeof(nobody) && ((struct sockaddr_in *)&from)->sin_port == nobody.sin_port);
	struct sock_extended_err *error = said(SOL_IP, IP_RECVERR, sizeof(*error) + sizeof(struct sockaddr_in));
	CHECK("why", error && error->ee_errno == ECONNREFUSED && error->ee_origin == SO_EE_ORIGIN_ICMP && error->ee_type == 3
		&& error->ee_code == 3);
	CHECK("who says so", error && ((struct sockaddr_in *)SO_EE_OFFENDER(error))->sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK("no more", poll(&waits, 1, 0) == 0);
	close(a);
	close(b);
}

static void six(void)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t length = sizeof(at);
	int a = socket(AF_INET6, SOCK_DGRAM, 0), b = socket(AF_INET6, SOCK_DGRAM, 0), value = 9;

	if (bind(a, (struct sockaddr *)&at, sizeof(at)))
		return;
	getsockname(a, (struct sockaddr *)&at, &length);
	on(a, SOL_IPV6, IPV6_RECVPKTINFO);
	on(a, SOL_IPV6, IPV6_RECVHOPLIMIT);
	on(a, SOL_IPV6, IPV6_RECVTCLASS);
	sendto(b, "plain", 5, 0, (struct sockaddr *)&at, sizeof(at));
	CHECK("a datagram of IPv6", receive(a, 512, 0) == 5);
	struct in6_pktinfo *way = said(SOL_IPV6, IPV6_PKTINFO, sizeof(*way));
	int *hops = said(SOL_IPV6, IPV6_HOPLIMIT, sizeof(int)), *class = said(SOL_IPV6, IPV6_TCLASS, sizeof(int));
	CHECK("its way", way && way->ipi6_ifindex == 1 && !memcmp(&way->ipi6_addr, &at.sin6_addr, 16) && hops && *hops == 64
		&& class && *class == 0);
	CHECK("hops of a message", sends(b, &at, sizeof(at), SOL_IPV6, IPV6_HOPLIMIT, &value, sizeof(value)) == 7 && receive(a, 512, 0) == 7);
	hops = said(SOL_IPV6, IPV6_HOPLIMIT, sizeof(int));
	CHECK("arrive", hops && *hops == 9);
	value = 300;
	FAILS("not so many", EINVAL, sends(b, &at, sizeof(at), SOL_IPV6, IPV6_HOPLIMIT, &value, sizeof(value)));
	close(a);
	close(b);
}

static void unix_ones(void)
{
	int ends[2];
	struct ucred who = {getpid(), getuid(), getgid()}, *sender;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends))
		return;
	on(ends[1], SOL_SOCKET, SO_PASSCRED);
	CHECK("who one is", sends(ends[0], NULL, 0, SOL_SOCKET, SCM_CREDENTIALS, &who, sizeof(who)) == 7 && receive(ends[1], 512, 0) == 7);
	sender = said(SOL_SOCKET, SCM_CREDENTIALS, sizeof(*sender));
	CHECK("is told", sender && sender->pid == getpid() && sender->uid == getuid());
	FAILS("half of it", EINVAL, sends(ends[0], NULL, 0, SOL_SOCKET, SCM_CREDENTIALS, &who, 8));
	FAILS("no such thing goes along", EINVAL, sends(ends[0], NULL, 0, SOL_SOCKET, 77, &who, 8));
	pid_t child = fork();
	if (!child) {
		struct ucred other = {getppid(), 0, 0};
		if (setgid(1000) || setuid(1000))
			_exit(0);
		_exit(!(sends(ends[0], NULL, 0, SOL_SOCKET, SCM_CREDENTIALS, &other, sizeof(other)) == -1 && errno == EPERM));
	}
	int ended = -1;
	waitpid(child, &ended, 0);
	CHECK("nor who one is not", ended == 0);
	CHECK("cut", write(ends[0], "x", 1) == 1 && receive(ends[1], 24, 0) == 1 && (head.msg_flags & MSG_CTRUNC)
		&& ((struct cmsghdr *)control)->cmsg_len == 24);
	close(ends[0]);
	close(ends[1]);
}

static volatile int urgent;

static void heard(int signal)
{
	(void)signal;
	urgent++;
}

/* The same of a connection of TCP and of a pair of Unix sockets. */
static void streams(int a, int b, const char *name)
{
	char what[100];
	int mark = -1, count = -1;
	struct pollfd waits = {b, POLLIN | POLLPRI, 0};
#define NAMED(text) (snprintf(what, sizeof(what), "%s: %s", name, text), what)

	signal(SIGURG, heard);
	urgent = 0;
	fcntl(b, F_SETOWN, getpid());
	FAILS(NAMED("nothing urgent"), EINVAL, recv(b, bytes, 1, MSG_OOB | MSG_DONTWAIT));
	CHECK(NAMED("sent"), send(a, "one", 3, 0) == 3 && send(a, "twoX", 4, MSG_OOB) == 4 && send(a, "three", 5, 0) == 5);
	CHECK(NAMED("a signal"), urgent == 1);
	CHECK(NAMED("polled"), poll(&waits, 1, 0) == 1 && (waits.revents & POLLPRI) && (waits.revents & POLLIN));
	CHECK(NAMED("not at the mark"), !ioctl(b, SIOCATMARK, &mark) && mark == 0);
	CHECK(NAMED("peeked"), recv(b, bytes, 1, MSG_OOB | MSG_PEEK) == 1 && bytes[0] == 'X');
	CHECK(NAMED("received"), receive(b, 0, MSG_OOB) == 1 && bytes[0] == 'X' && (head.msg_flags & MSG_OOB));
	FAILS(NAMED("once"), EINVAL, recv(b, bytes, 1, MSG_OOB | MSG_DONTWAIT));
	CHECK(NAMED("up to the mark"), recv(b, bytes, 60, MSG_DONTWAIT) == 6 && !memcmp(bytes, "onetwo", 6));
	CHECK(NAMED("at it"), !ioctl(b, SIOCATMARK, &mark) && mark == 1);
	CHECK(NAMED("behind it"), recv(b, bytes, 60, MSG_DONTWAIT) == 5 && !memcmp(bytes, "three", 5));
	CHECK(NAMED("no mark"), !ioctl(b, SIOCATMARK, &mark) && mark == 0);

	send(a, "abC", 3, MSG_OOB);
	send(a, "de", 2, 0);
	CHECK(NAMED("not received"), recv(b, bytes, 60, MSG_DONTWAIT) == 2 && recv(b, bytes, 60, MSG_DONTWAIT) == 2
		&& !memcmp(bytes, "de", 2));
	FAILS(NAMED("it is lost"), EINVAL, recv(b, bytes, 1, MSG_OOB | MSG_DONTWAIT));

	on(b, SOL_SOCKET, SO_OOBINLINE);
	send(a, "abC", 3, MSG_OOB);
	send(a, "de", 2, 0);
	FAILS(NAMED("in line"), EINVAL, recv(b, bytes, 1, MSG_OOB | MSG_DONTWAIT));
	CHECK(NAMED("so many"), !ioctl(b, FIONREAD, &count) && count == 5);
	CHECK(NAMED("before"), recv(b, bytes, 60, MSG_DONTWAIT) == 2);
	CHECK(NAMED("there"), !ioctl(b, SIOCATMARK, &mark) && mark == 1);
	CHECK(NAMED("with it"), recv(b, bytes, 60, MSG_DONTWAIT) == 3 && !memcmp(bytes, "Cde", 3));
	close(a);
	close(b);
}

static void lite(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(at);
	int a = socket(AF_INET, SOCK_DGRAM, 136), b = socket(AF_INET, SOCK_DGRAM, 136), value = 20;

	/* Gone from Linux 7. */
	if (a < 0)
		return;
	CHECK("UDP-Lite", !bind(a, (struct sockaddr *)&at, sizeof(at)) && !getsockname(a, (struct sockaddr *)&at, &length));
	int other = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK("has ports of its own", !bind(other, (struct sockaddr *)&at, sizeof(at)));
	CHECK("covers a part", !setsockopt(a, 136, 10, &value, sizeof(value)));
	value = 3;
	setsockopt(a, 136, 11, &value, sizeof(value));
	length = sizeof(value);
	CHECK("of 8 bytes at least", !getsockopt(a, 136, 11, &value, &length) && value == 8);
	CHECK("and sends", sendto(b, "lite", 4, 0, (struct sockaddr *)&at, sizeof(at)) == 4 && receive(a, 512, 0) == 4);
	FAILS("not to the other", EAGAIN, receive(other, 512, 0));
	FAILS("a UDP socket has no coverage", ENOPROTOOPT, setsockopt(other, 17, 10, &value, sizeof(value)));
	close(a);
	close(b);
}

int main(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(at);
	struct rlimit before;
	int ends[2], listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

	four();
	six();
	unix_ones();
	bind(listener, (struct sockaddr *)&at, sizeof(at));
	listen(listener, 1);
	getsockname(listener, (struct sockaddr *)&at, &length);
	connect(client, (struct sockaddr *)&at, sizeof(at));
	/* What gets no number is not made, and not taken. */
	getrlimit(RLIMIT_NOFILE, &before);
	struct rlimit none = {0, before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &none);
	FAILS("no number for a connection", EMFILE, accept(listener, NULL, NULL));
	FAILS("no number for a file", EMFILE, open("/tmp/messages.made", O_CREAT | O_RDWR, 0600));
	setrlimit(RLIMIT_NOFILE, &before);
	FAILS("it was not made", ENOENT, unlink("/tmp/messages.made"));
	streams(client, accept(listener, NULL, NULL), "TCP");
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	streams(ends[0], ends[1], "Unix");
	lite();
	return guest_done("messages");
}
