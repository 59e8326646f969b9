// SPDX-License-Identifier: MIT
/* How connections of TCP end: who closes first has its port in TIME_WAIT, resets, SO_LINGER, what binds to such a port. */
#include "guest.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>

static int port;
static const int on = 1;

static struct sockaddr_in at(int number)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(number), .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

static int stream(int reuse, int reuse_port)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);

	if (reuse)
		setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (reuse_port)
		setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	return s;
}

static int bind_to(int s, int number)
{
	struct sockaddr_in a = at(number);

	return bind(s, (struct sockaddr *)&a, sizeof(a));
}

static int connect_to(int s, int number)
{
	struct sockaddr_in a = at(number);

	return connect(s, (struct sockaddr *)&a, sizeof(a));
}

/* A connection: the client's port is its own choice. */
static int listener, client, server;

static void open_pair(int reuse, int reuse_port)
{
	listener = stream(reuse, reuse_port);
	port++;
	if (bind_to(listener, port) || listen(listener, 5))
		perror("listen");
	client = stream(0, 0);
	if (connect_to(client, port))
		perror("connect");
	server = accept(listener, NULL, NULL);
}

/* The state of a socket of this port in /proc/net/tcp, and its numbers of timer and inode: by its own port or its peer's. */
static int state_of(int own, int peer, int *timer, long *inode)
{
	char line[256];
	unsigned mine, its, state, tr;
	FILE *file = fopen("/proc/net/tcp", "r");
	int found = 0;

	while (fgets(line, sizeof(line), file)) {
		long number;
		if (sscanf(line, " %*d: %*x:%x %*x:%x %x %*x:%*x %x:%*x %*x %*d %*d %ld", &mine, &its, &state, &tr, &number) == 5 &&
		    (int)mine == own && (int)its == peer && state != 10) {
			found = state;
			if (timer)
				*timer = tr;
			if (inode)
				*inode = number;
		}
	}
	fclose(file);
	return found;
}

static int own_port(int s)
{
	struct sockaddr_in a;
	socklen_t length = sizeof(a);

	return getsockname(s, (struct sockaddr *)&a, &length) ? -1 : ntohs(a.sin_port);
}

static int info_state(int s)
{
	struct tcp_info info = { 0 };
	socklen_t length = sizeof(info);

	return getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &length) ? -1 : info.tcpi_state;
}

static int error_of(int s)
{
	int error = -1;
	socklen_t length = sizeof(error);

	getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &length);
	return error;
}

/* The last acknowledgement may be delayed. */
static void settle(void)
{
	struct timespec wait = { 0, 100000000 };

	nanosleep(&wait, NULL);
}

static int events_of(int s)
{
	struct pollfd p = { s, POLLIN | POLLOUT | POLLRDHUP, 0 };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static void linger(int s, int seconds)
{
	struct linger l = { 1, seconds };

	setsockopt(s, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}

static void close_all(void)
{
	close(client);
	close(server);
	close(listener);
}

enum { ESTABLISHED = 1, FIN_WAIT2 = 5, TIME_WAIT = 6, CLOSED = 7, CLOSE_WAIT = 8 };

static void states(void)
{
	int from, timer, s;
	long inode;
	char byte;

	open_pair(1, 0);
	from = own_port(client);
	CHECK("established", info_state(client) == ESTABLISHED && state_of(from, port, 0, 0) == ESTABLISHED);
	close(client);
	settle();
	CHECK("who closed first waits for the other's end", state_of(from, port, &timer, &inode) == FIN_WAIT2 && inode == 0);
	CHECK("with a timer", timer == 3);
	CHECK("which has to close", info_state(server) == CLOSE_WAIT && state_of(port, from, 0, 0) == CLOSE_WAIT);
	CHECK("it reads the end", read(server, &byte, 1) == 0 && events_of(server) == (POLLIN | POLLOUT | POLLRDHUP));
	close(server);
	CHECK("then the first is in TIME_WAIT", state_of(from, port, &timer, &inode) == TIME_WAIT && inode == 0 && timer == 3);
	CHECK("and the other is gone", state_of(port, from, 0, 0) == 0);
	s = stream(0, 0);
	FAILS("its port is taken", EADDRINUSE, bind_to(s, from));
	close(s);
	s = stream(1, 0);
	FAILS("whoever would share it", EADDRINUSE, bind_to(s, from));
	close(s);
	close(listener);

	open_pair(0, 0);
	from = own_port(client);
	CHECK("one way alone", shutdown(client, SHUT_WR) == 0);
	settle();
	CHECK("the other end is still open", info_state(client) == FIN_WAIT2 && info_state(server) == CLOSE_WAIT);
	CHECK("the other way works", write(server, "x", 1) == 1 && read(client, &byte, 1) == 1 && byte == 'x');
	CHECK("both ways", shutdown(server, SHUT_WR) == 0 && info_state(client) == CLOSED && info_state(server) == CLOSED);
	CHECK("is TIME_WAIT for the first", state_of(from, port, 0, 0) == TIME_WAIT && state_of(port, from, 0, 0) == 0);
	CHECK("the end is read", read(client, &byte, 1) == 0 && read(server, &byte, 1) == 0);
	close_all();
	CHECK("closing changes nothing", state_of(from, port, 0, 0) == TIME_WAIT && state_of(port, from, 0, 0) == 0);

	open_pair(0, 0);
	from = own_port(client);
	shutdown(client, SHUT_WR);
	close(server);
	CHECK("closed while the first still reads", state_of(from, port, 0, 0) == TIME_WAIT && info_state(client) == CLOSED);
	close_all();
}

static void ports(void)
{
	int s, from;

	open_pair(1, 0);
	from = own_port(client);
	close(server);
	close(client);
	close(listener);
	CHECK("a server that closed first", state_of(port, from, 0, 0) == TIME_WAIT);
	s = stream(0, 0);
	FAILS("starts again only", EADDRINUSE, bind_to(s, port));
	close(s);
	s = stream(1, 0);
	CHECK("with SO_REUSEADDR", bind_to(s, port) == 0 && listen(s, 5) == 0);
	client = stream(1, 0);
	CHECK("and takes a connection from the same port", bind_to(client, from) == 0 && connect_to(client, port) == 0);
	CHECK("that is established", state_of(port, from, 0, 0) == ESTABLISHED);
	close(client);
	close(s);

	open_pair(0, 0);
	from = own_port(client);
	close(server);
	close(client);
	close(listener);
	s = stream(1, 0);
	FAILS("not where the first had not set it", EADDRINUSE, bind_to(s, port));
	close(s);

	open_pair(0, 1);
	close(server);
	close(client);
	close(listener);
	s = stream(1, 0);
	FAILS("SO_REUSEPORT is another", EADDRINUSE, bind_to(s, port));
	close(s);
	s = stream(0, 1);
	CHECK("with its like", bind_to(s, port) == 0);
	close(s);

	open_pair(1, 0);
	from = own_port(client);
	close(listener);
	s = stream(0, 0);
	FAILS("connections keep the port of a listener that is gone", EADDRINUSE, bind_to(s, port));
	close(s);
	s = stream(1, 0);
	CHECK("unless both allow it", bind_to(s, port) == 0 && listen(s, 5) == 0);
	close(s);
	close(client);
	close(server);
	CHECK("the client waits", state_of(from, port, 0, 0) == TIME_WAIT);
	s = stream(0, 0);
	CHECK("which is no matter for the server", bind_to(s, port) == 0);
	close(s);

	listener = stream(1, 0);
	port++;
	bind_to(listener, port);
	s = stream(1, 0);
	CHECK("two are bound", bind_to(s, port) == 0 && listen(listener, 5) == 0);
	FAILS("one listens", EADDRINUSE, listen(s, 5));
	close(s);
	s = stream(1, 0);
	FAILS("and then none is bound", EADDRINUSE, bind_to(s, port));
	close(s);
	close(listener);
}

static void resets(void)
{
	char byte, bytes[8];
	int from, value = -1;

	open_pair(0, 0);
	from = own_port(client);
	close(client);
	CHECK("the first that is sent to nobody is sent", write(server, "x", 1) == 1);
	CHECK("and answered with a reset", info_state(server) == CLOSED && state_of(from, port, 0, 0) == 0 && state_of(port, from, 0, 0) == 0);
	CHECK("of which poll tells", events_of(server) == (POLLIN | POLLOUT | POLLRDHUP | POLLHUP | POLLERR));
	CHECK("the end is read before", read(server, &byte, 1) == 0);
	FAILS("the second is not", EPIPE, write(server, "x", 1));
	CHECK("and the error gone", error_of(server) == 0);
	close_all();

	open_pair(0, 0);
	close(client);
	write(server, "x", 1);
	CHECK("or it is asked for", error_of(server) == EPIPE && error_of(server) == 0);
	FAILS("and all the same", EPIPE, write(server, "x", 1));
	close_all();

	open_pair(0, 0);
	from = own_port(client);
	write(server, "unread", 6);
	close(client);
	CHECK("bytes that nobody reads reset", info_state(server) == CLOSED && state_of(from, port, 0, 0) == 0);
	FAILS("which a reader hears", ECONNRESET, read(server, &byte, 1));
	CHECK("once", read(server, &byte, 1) == 0);
	FAILS("and a writer as another error", EPIPE, write(server, "x", 1));
	close_all();

	open_pair(0, 0);
	from = own_port(client);
	linger(client, 0);
	close(client);
	CHECK("SO_LINGER of no time resets", info_state(server) == CLOSED && state_of(from, port, 0, 0) == 0);
	FAILS("which a writer hears", ECONNRESET, write(server, "x", 1));
	close_all();

	open_pair(0, 0);
	from = own_port(client);
	write(client, "some", 4);
	linger(client, 0);
	close(client);
	CHECK("what has arrived is read first", read(server, bytes, 8) == 4);
	FAILS("then the error", ECONNRESET, read(server, bytes, 8));
	close_all();

	open_pair(0, 0);
	from = own_port(client);
	linger(client, 5);
	CHECK("SO_LINGER of some time does not", close(client) == 0 && read(server, &byte, 1) == 0 && info_state(server) == CLOSE_WAIT);
	close(server);
	CHECK("and waits as usual", state_of(from, port, 0, 0) == TIME_WAIT);
	close_all();

	open_pair(0, 0);
	from = own_port(client);
	setsockopt(client, IPPROTO_TCP, TCP_LINGER2, &value, sizeof(value));
	close(client);
	settle();
	CHECK("TCP_LINGER2 below 0 waits for nothing", state_of(from, port, 0, 0) == 0 && info_state(server) == CLOSED);
	close_all();

	open_pair(0, 0);
	from = own_port(client);
	shutdown(client, SHUT_RDWR);
	CHECK("shut both ways, there is nobody to read either", write(server, "x", 1) == 1 && info_state(server) == CLOSED &&
		error_of(server) == EPIPE);
	close_all();

	open_pair(0, 0);
	shutdown(client, SHUT_RD);
	CHECK("shut for reading alone, bytes arrive", write(server, "x", 1) == 1 && read(client, &byte, 1) == 1 &&
		info_state(server) == ESTABLISHED);
	CHECK("until there are none", read(client, &byte, 1) == 0);
	close_all();

	open_pair(0, 0);
	from = own_port(client);
	shutdown(client, SHUT_WR);
	write(server, "unread", 6);
	close(server);
	CHECK("the second end", state_of(from, port, 0, 0) == TIME_WAIT);
	CHECK("has its bytes read", read(client, bytes, 8) == 6 && read(client, bytes, 8) == 0);
	close_all();

	listener = stream(0, 0);
	bind_to(listener, ++port);
	listen(listener, 5);
	client = stream(0, 0);
	connect_to(client, port);
	close(listener);
	FAILS("a listener that goes resets whoever waits", ECONNRESET, read(client, &byte, 1));
	close(client);
}

/* Options of a listener are those of its connections. */
static void inherited(void)
{
	struct linger l;
	int value = 0, size = 10000;
	socklen_t length = sizeof(value), room = sizeof(l);

	listener = stream(1, 0);
	linger(listener, 7);
	setsockopt(listener, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(listener, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	bind_to(listener, ++port);
	listen(listener, 5);
	client = stream(0, 0);
	connect_to(client, port);
	server = accept(listener, NULL, NULL);
	CHECK("its connections linger", getsockopt(server, SOL_SOCKET, SO_LINGER, &l, &room) == 0 && l.l_onoff == 1 && l.l_linger == 7);
	CHECK("keep alive", getsockopt(server, SOL_SOCKET, SO_KEEPALIVE, &value, &length) == 0 && value == 1);
	CHECK("do not delay", getsockopt(server, IPPROTO_TCP, TCP_NODELAY, &value, &length) == 0 && value == 1);
	CHECK("share the port", getsockopt(server, SOL_SOCKET, SO_REUSEADDR, &value, &length) == 0 && value == 1);
	CHECK("have its buffer", getsockopt(server, SOL_SOCKET, SO_SNDBUF, &value, &length) == 0 && value == 20000);
	close_all();
}

/* A minute later. */
static void late(void)
{
	int from, half, s;
	struct timespec wait = { 1, 100000000 }, minute = { 61, 0 };

	open_pair(1, 0);
	from = own_port(client);
	close(server);
	close(client);
	nanosleep(&wait, NULL);
	CHECK("after a second still", state_of(port, from, 0, 0) == TIME_WAIT);
	client = stream(0, 0);
	connect_to(client, port);
	half = own_port(client);
	close(client);
	settle();
	CHECK("one whose other end stays open", state_of(half, port, 0, 0) == FIN_WAIT2);
	server = accept(listener, NULL, NULL);
	nanosleep(&minute, NULL);
	CHECK("after a minute no more", state_of(port, from, 0, 0) == 0);
	CHECK("nor the half closed", state_of(half, port, 0, 0) == 0 && info_state(server) == CLOSE_WAIT);
	close(listener);
	close(server);
	CHECK("nobody waits for its end", state_of(half, port, 0, 0) == 0);
	s = stream(0, 0);
	CHECK("so the port is free", bind_to(s, port) == 0);
	close(s);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	port = 20000 + (argc > 1 ? atoi(argv[1]) : 0);
	states();
	ports();
	resets();
	inherited();
	if (argc <= 2)
		late();
	return guest_done("farewells");
}
