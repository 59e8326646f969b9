// SPDX-License-Identifier: MIT
/* Network namespaces, routes over netlink, POSIX queues that start a thread; as root. What is expected is Linux 6.12's. */
#include "guest.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>


static int stream(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int try_connect(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int s = stream(), error = connect(s, (struct sockaddr *)&to, sizeof(to)) ? errno : 0;

	close(s);
	return error;
}

static int listen_on(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int s = stream();

	return bind(s, (struct sockaddr *)&at, sizeof(at)) ? -errno : listen(s, 4);
}

/* A request with a body; the answer's type and, of an error, its number. */
static int ask(int s, int type, int flags, const void *body, int size, char *answer, int room, int *error)
{
	struct { struct nlmsghdr head; char body[256]; } request = { .head = { NLMSG_LENGTH(size), type, flags | NLM_F_REQUEST, 7, 0 } };
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct nlmsghdr *head = (struct nlmsghdr *)answer;
	int n;

	memcpy(request.body, body, size);
	if (sendto(s, &request, request.head.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -1;
	n = recv(s, answer, room, MSG_DONTWAIT);
	if (n < (int)sizeof(*head) || head->nlmsg_seq != 7)
		return -1;
	*error = head->nlmsg_type == NLMSG_ERROR ? ((struct nlmsgerr *)NLMSG_DATA(head))->error : 0;
	return head->nlmsg_type;
}

static int has_address(const char *text, int *flags)
{
	struct ifaddrs *all, *at;
	int found = 0;

	*flags = -1;
	if (getifaddrs(&all))
		return -1;
	for (at = all; at; at = at->ifa_next) {
		char line[64] = "";

		if (at->ifa_addr && at->ifa_addr->sa_family == AF_PACKET)
			*flags = at->ifa_flags;
		else if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET)
			inet_ntop(AF_INET, &((struct sockaddr_in *)at->ifa_addr)->sin_addr, line, sizeof(line));
		found |= !strcmp(line, text);
	}
	freeifaddrs(all);
	return found;
}

static void netlink(void)
{
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), other = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), error, flags;
	struct sockaddr_nl at = { .nl_family = AF_NETLINK };
	struct ifinfomsg link = { .ifi_index = 1 }, none = { .ifi_index = 2 };
	struct rtmsg route = { .rtm_family = AF_INET };
	struct { struct rtmsg route; struct rtattr head; struct in_addr to; } way = { { .rtm_family = AF_INET, .rtm_dst_len = 32 },
		{ 8, RTA_DST }, { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof(at);
	char answer[4096];

	FAILS("a protocol that is not there", EPROTONOSUPPORT, socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT));
	FAILS("a stream", ESOCKTNOSUPPORT, socket(AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE));
	CHECK("bound to the process's number", bind(s, (struct sockaddr *)&at, sizeof(at)) == 0 &&
		getsockname(s, (struct sockaddr *)&at, &length) == 0 && length == sizeof(at) && (int)at.nl_pid == getpid());
	FAILS("which another has", EADDRINUSE, bind(other, (struct sockaddr *)&at, sizeof(at)));
	at.nl_pid = 0;
	CHECK("so it gets another", bind(other, (struct sockaddr *)&at, sizeof(at)) == 0 &&
		getsockname(other, (struct sockaddr *)&at, &length) == 0 && (int)at.nl_pid < 0);
	FAILS("nobody but the kernel", ECONNREFUSED, sendto(s, answer, 16, 0, (struct sockaddr *)&at, sizeof(at)));
	CHECK("a link", ask(s, RTM_GETLINK, 0, &link, sizeof(link), answer, sizeof(answer), &error) == RTM_NEWLINK &&
		((struct ifinfomsg *)NLMSG_DATA(answer))->ifi_type == 772);
	CHECK("no such link", ask(s, RTM_GETLINK, 0, &none, sizeof(none), answer, sizeof(answer), &error) == NLMSG_ERROR && error == -ENODEV);
	CHECK("a dump", ask(s, RTM_GETROUTE, NLM_F_DUMP, &route, sizeof(route), answer, sizeof(answer), &error) == RTM_NEWROUTE &&
		(((struct nlmsghdr *)answer)->nlmsg_flags & NLM_F_MULTI));
	while (recv(s, answer, sizeof(answer), MSG_DONTWAIT) > 0 && ((struct nlmsghdr *)answer)->nlmsg_type != NLMSG_DONE)
		;
	CHECK("and its end", ((struct nlmsghdr *)answer)->nlmsg_type == NLMSG_DONE);
	CHECK("the way to an address", ask(s, RTM_GETROUTE, 0, &way, sizeof(way), answer, sizeof(answer), &error) == RTM_NEWROUTE);
	way.to.s_addr = htonl(0x08080808);
	CHECK("none to another", ask(s, RTM_GETROUTE, 0, &way, sizeof(way), answer, sizeof(answer), &error) == NLMSG_ERROR &&
		error == -ENETUNREACH);
	CHECK("an acknowledgement", ask(s, RTM_NEWLINK, NLM_F_ACK, &link, sizeof(link), answer, sizeof(answer), &error) == NLMSG_ERROR &&
		!error);
	CHECK("interfaces of the library", has_address("127.0.0.1", &flags) == 1 &&
		(flags & (IFF_UP | IFF_LOOPBACK)) == (IFF_UP | IFF_LOOPBACK));
	CHECK("and by name", if_nametoindex("lo") == 1);
}

static void addresses_of_netlink(void)
{
	static char bytes[1 << 19];
	int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), own = 1 << 10, status, pair[2];
	struct sockaddr_nl at = { .nl_family = AF_NETLINK }, from;
	struct sockaddr *name = (struct sockaddr *)&at;
	struct iovec part = { bytes, 213000 };
	socklen_t length = sizeof(from);

	FAILS("nothing sent", ENODATA, send(s, bytes, 0, 0));
	FAILS("a short address", EINVAL, sendto(s, bytes, 16, 0, name, 11));
	FAILS("and connected", EINVAL, connect(s, name, 11));
	FAILS("hardly one", EINVAL, connect(s, name, 1));
	FAILS("and bound", EINVAL, bind(s, name, 11));
	at.nl_family = AF_INET;
	FAILS("one of another family", EINVAL, sendto(s, bytes, 16, 0, name, sizeof(at)));
	FAILS("also connected", EINVAL, connect(s, name, sizeof(at)));
	FAILS("also bound", EINVAL, bind(s, name, sizeof(at)));
	CHECK("the kernel is the peer", getpeername(s, (struct sockaddr *)&from, &length) == 0 && from.nl_pid == 0);
	at.nl_family = AF_NETLINK, at.nl_pid = 4000000, at.nl_groups = 6;
	CHECK("another", connect(s, name, sizeof(at)) == 0 && getpeername(s, (struct sockaddr *)&from, &length) == 0 &&
		from.nl_pid == 4000000 && from.nl_groups == 2);
	FAILS("who is not there", ECONNREFUSED, send(s, bytes, 16, 0));
	at.nl_family = AF_UNSPEC;
	CHECK("and the kernel again", connect(s, name, sizeof(at)) == 0 && send(s, bytes, 16, 0) == 16);
	FAILS("more than the buffer holds", EMSGSIZE, send(s, bytes, 213000, 0));
	FAILS("or written", EMSGSIZE, write(s, bytes, 213000));
	FAILS("in parts", EMSGSIZE, writev(s, &part, 1));
	if (fork() == 0) {
		at.nl_family = AF_NETLINK;
		_exit(setgid(65534) || setuid(65534) || sendto(s, bytes, 16, 0, name, sizeof(at)) != -1 || errno != EPERM ||
			connect(s, name, sizeof(at)) != -1 || errno != EPERM);
	}
	CHECK("a user sends to the kernel alone", wait(&status) > 0 && status == 0);
	close(s);
	CHECK("a message", socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0 && (own = 212992, 1) &&
		setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &own, sizeof(own)) == 0 && write(pair[0], bytes, 300000) == 300000);
	CHECK("arrives as a whole", read(pair[1], bytes, sizeof(bytes)) == 300000);
}

static void set_up(int up)
{
	struct ifreq request = { .ifr_name = "lo" };
	int s = stream();

	request.ifr_flags = up ? IFF_UP : 0;
	CHECK(up ? "set up" : "set down", ioctl(s, SIOCSIFFLAGS, &request) == 0);
	close(s);
}

/* ::1 is there once, however often the loopback comes up. */
static void once(int s)
{
	struct { struct ifaddrmsg head; struct rtattr attribute; struct in6_addr at; } one = {
		{ .ifa_family = AF_INET6, .ifa_prefixlen = 128, .ifa_index = 1 }, { 20, IFA_ADDRESS }, IN6ADDR_LOOPBACK_INIT };
	char answer[512], lines[512] = "";
	int error, n;

	CHECK("an address of its own", ask(s, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE, &one, sizeof(one), answer, sizeof(answer), &error) ==
		NLMSG_ERROR && error == 0);
	CHECK("there already", ask(s, RTM_NEWADDR, NLM_F_ACK, &one, sizeof(one), answer, sizeof(answer), &error) == NLMSG_ERROR &&
		error == -EEXIST);
	one.head.ifa_prefixlen = 64;
	CHECK("in any network", ask(s, RTM_NEWADDR, NLM_F_ACK, &one, sizeof(one), answer, sizeof(answer), &error) == NLMSG_ERROR &&
		error == -EEXIST);
	CHECK("may be given again", ask(s, RTM_NEWADDR, NLM_F_ACK | NLM_F_REPLACE, &one, sizeof(one), answer, sizeof(answer), &error) ==
		NLMSG_ERROR && error == 0);
	set_up(1);
	n = read(open("/proc/net/if_inet6", O_RDONLY), lines, sizeof(lines) - 1);
	CHECK("once", n > 0 && strchr(lines, '\n') == lines + n - 1);
	set_up(0);
}

static void namespaces(void)
{
	int first = open("/proc/self/ns/net", O_RDONLY), before, flags, status, pidfd;
	struct stat one, two;

	before = listen_on(4100);
	CHECK("a listener", before == 0 && try_connect(4100) == 0);
	CHECK("a namespace of its own", unshare(CLONE_NEWNET) == 0 && fstat(first, &one) == 0 && stat("/proc/self/ns/net", &two) == 0 &&
		one.st_ino != two.st_ino);
	CHECK("its loopback is down", try_connect(4100) == ENETUNREACH && has_address("127.0.0.1", &flags) == 0 && !(flags & IFF_UP));
	CHECK("and has no address", listen_on(4100) == -EADDRNOTAVAIL);
	once(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	set_up(1);
	CHECK("nobody listens here", try_connect(4100) == ECONNREFUSED);
	CHECK("until somebody does", listen_on(4100) == 0 && try_connect(4100) == 0 && has_address("127.0.0.1", &flags) == 1);
	set_up(0);
	char device[16] = "";
	int bound = stream();
	socklen_t length = sizeof(device);
	CHECK("bound to no device", getsockopt(bound, SOL_SOCKET, SO_BINDTODEVICE, device, &length) == 0 && length == 0);
	FAILS("there is none", ENODEV, setsockopt(bound, SOL_SOCKET, SO_BINDTODEVICE, "none", 5));
	CHECK("the loopback", setsockopt(bound, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) == 0);
	length = sizeof(device);
	CHECK("its name",
		getsockopt(bound, SOL_SOCKET, SO_BINDTODEVICE, device, &length) == 0 && length == 3 && !strcmp(device, "lo"));
	length = 4;
	FAILS("has no room", EINVAL, getsockopt(bound, SOL_SOCKET, SO_BINDTODEVICE, device, &length));
	int index = 0;
	length = sizeof(index);
	CHECK("its number", getsockopt(bound, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &length) == 0 && index == 1);
	if (fork() == 0)
		_exit(setuid(65534) || setsockopt(bound, SOL_SOCKET, SO_BINDTODEVICE, "", 1) != -1 || errno != EPERM
			|| setsockopt(stream(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0);
	CHECK("who may change it", wait(&status) > 0 && status == 0);
	CHECK("no more", setsockopt(bound, SOL_SOCKET, SO_BINDTODEVICE, "", 1) == 0);
	close(bound);
	CHECK("down again", try_connect(4100) == ENETUNREACH && has_address("127.0.0.1", &flags) == 1);
	if (fork() == 0)
		_exit(fstat(first, &one) == 0 && stat("/proc/self/ns/net", &one) == 0 && one.st_ino == two.st_ino ? 7 : 1);
	CHECK("a child is in it", wait(&status) > 0 && WEXITSTATUS(status) == 7);
	CHECK("back", setns(first, CLONE_NEWNET) == 0 && try_connect(4100) == 0);
	pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	int again = ioctl(pidfd, 0xFF04, 0);
	CHECK("by a pidfd", again >= 0 && fstat(again, &two) == 0 && fstat(first, &one) == 0 && one.st_ino == two.st_ino);
	again = ioctl(pidfd, 0xFF01, 0);
	CHECK("its cgroup namespace",
		again >= 0 && fstat(again, &two) == 0 && stat("/proc/self/ns/cgroup", &one) == 0 && one.st_ino == two.st_ino);
	FAILS("an argument", EINVAL, ioctl(pidfd, 0xFF04, 1));
	if (fork() == 0) {
		status = setgid(65534) || setuid(65534) || unshare(CLONE_NEWNET) != -1 || errno != EPERM;
		struct ifreq request = { .ifr_name = "lo" };
		status |= ioctl(stream(), SIOCSIFFLAGS, &request) != -1 || errno != EPERM;
		status |= unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 || (request.ifr_flags = IFF_UP, ioctl(stream(), SIOCSIFFLAGS, &request) != 0);
		_exit(status);
	}
	CHECK("a user with a namespace of his own may", wait(&status) > 0 && status == 0);
}

static sem_t told;
static int value_told;

static void on_message(union sigval value)
{
	value_told = value.sival_int;
	sem_post(&told);
}

static void queues(void)
{
	struct mq_attr attributes = { .mq_maxmsg = 2, .mq_msgsize = 8 };
	mqd_t queue = mq_open("/network", O_CREAT | O_RDWR, 0600, &attributes);
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 42 }, raw = { .sigev_notify = SIGEV_THREAD };
	char cookie[32] = "cookie", byte;
	int s = socket(AF_NETLINK, SOCK_RAW, 0);

	event.sigev_notify_function = on_message;
	sem_init(&told, 0, 0);
	CHECK("a thread to be told", mq_notify(queue, &event) == 0);
	FAILS("one alone", EBUSY, mq_notify(queue, &event));
	CHECK("is told", mq_send(queue, "text", 4, 0) == 0 && sem_wait(&told) == 0 && value_told == 42);
	CHECK("received", mq_receive(queue, cookie, 8, NULL) == 4);
	strcpy(cookie, "cookie");
	raw.sigev_value.sival_ptr = cookie;
	raw.sigev_signo = queue;
	FAILS("no socket", ENOTSOCK, syscall(SYS_mq_notify, queue, &raw));
	raw.sigev_signo = stream();
	FAILS("no netlink", EINVAL, syscall(SYS_mq_notify, queue, &raw));
	raw.sigev_signo = s;
	CHECK("a cookie", syscall(SYS_mq_notify, queue, &raw) == 0 && syscall(SYS_mq_notify, queue, NULL) == 0);
	CHECK("says that it is over", recv(s, cookie, sizeof(cookie), MSG_DONTWAIT) == 32 && !strcmp(cookie, "cookie") && cookie[31] == 2);
	CHECK("and nothing more", recv(s, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	mq_unlink("/network");
}

int main(void)
{
	netlink();
	addresses_of_netlink();
	namespaces();
	queues();
	return guest_done("network");
}
