#include "begin.h"

int main(void)
{
	char buffer[100];
	int pair[2], value = 1;
	socklen_t length = sizeof value;
	begin();
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	send(pair[0], "through", 7, MSG_NOSIGNAL);
	recv(pair[1], buffer, 100, MSG_PEEK);
	recvfrom(pair[1], buffer, 100, MSG_DONTWAIT, NULL, NULL);
	recv(pair[1], buffer, 100, MSG_DONTWAIT);
	struct iovec part = { "message", 7 };
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *first = CMSG_FIRSTHDR(&message);
	*first = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(first), &pair[1], sizeof(int));
	sendmsg(pair[0], &message, 0);
	part = (struct iovec){ buffer, 100 };
	recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC);
	shutdown(pair[0], SHUT_RDWR);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "socket" };
	connect(fd, (void *)&name, sizeof name);
	bind(fd, (void *)&name, sizeof name);
	listen(fd, 5);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(client, (void *)&name, sizeof name);
	struct sockaddr_storage peer;
	length = sizeof peer;
	accept4(fd, (void *)&peer, &length, SOCK_CLOEXEC);
	length = sizeof peer;
	getsockname(fd, (void *)&peer, &length);
	int inet = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(5353), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bind(inet, (void *)&address, sizeof address);
	sendto(inet, "datagram", 8, 0, (void *)&address, sizeof address);
	length = sizeof peer;
	recvfrom(inet, buffer, 100, 0, (void *)&peer, &length);
	length = sizeof peer;
	getpeername(inet, (void *)&peer, &length);
	setsockopt(inet, SOL_SOCKET, SO_REUSEADDR, &value, sizeof value);
	length = sizeof value;
	getsockopt(inet, SOL_SOCKET, SO_REUSEADDR, &value, &length);
	length = sizeof value;
	getsockopt(inet, SOL_SOCKET, SO_TYPE, &value, &length);
	length = sizeof value;
	getsockopt(inet, SOL_SOCKET, SO_ERROR, &value, &length);
	struct linger linger = { 1, 3 };
	setsockopt(inet, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	int tcp = socket(AF_INET, SOCK_STREAM, IPPROTO_IP);
	setsockopt(tcp, SOL_TCP, TCP_NODELAY, &value, sizeof value);
	connect(tcp, (void *)&address, sizeof address);
	socket(AF_INET, SOCK_STREAM, IPPROTO_UDP);
	return 0;
}
