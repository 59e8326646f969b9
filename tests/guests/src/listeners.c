// SPDX-License-Identifier: MIT
/* listeners COMMAND...: opens sockets of several kinds, then runs a command that looks at them. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in at4(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

static int unix_at(int type, const char *name, int length)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, type, 0);

	memcpy(at.sun_path, name, length);
	return bind(s, (struct sockaddr *)&at, offsetof(struct sockaddr_un, sun_path) + length) ? -1 : s;
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = at4(8080), u = at4(5353), from = at4(40001), from2 = at4(40002);
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(8081) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), listener6 = socket(AF_INET6, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0),
		half = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0), server, pair[2], on = 1, status;

	if (argc < 2)
		return 2;
	prctl(PR_SET_NAME, "listeners");
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	unlink("/tmp/listeners.sock");
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) || listen(listener, 7)
		|| bind(listener6, (struct sockaddr *)&six, sizeof(six)) || listen(listener6, 8)
		|| bind(client, (struct sockaddr *)&from, sizeof(from)) || connect(client, (struct sockaddr *)&a, sizeof(a))
		|| (server = accept(listener, NULL, NULL)) < 0
		|| bind(half, (struct sockaddr *)&from2, sizeof(from2)) || connect(half, (struct sockaddr *)&a, sizeof(a))
		|| bind(udp, (struct sockaddr *)&u, sizeof(u))
		|| listen(unix_at(SOCK_STREAM, "/tmp/listeners.sock", 20), 5) || unix_at(SOCK_DGRAM, "\0listeners", 10) < 0
		|| socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair)) {
		perror("listeners");
		return 1;
	}
	send(client, "hello", 5, 0);
	send(pair[0], "four", 4, 0);
	shutdown(half, SHUT_WR);
	if (fork() == 0) {
		for (int fd = 3; fd < 32; fd++)
			close(fd);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	wait(&status);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
