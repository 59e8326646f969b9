// SPDX-License-Identifier: MIT
/* Which calls go on after a stop and a continue without a handler, and which say EINTR (signal(7)). */
#include "guest.h"
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

static struct timespec wait_time = { .tv_nsec = 30000000 };
static struct timeval wait_time_us = { .tv_usec = 30000 };
static int word, ends[2], sockets[2], set, queue;
static char byte;

static int in_child(void (*later)(void))
{
	if (fork())
		return 0;
	usleep(25000);
	if (later)
		later();
	_exit(0);
}

static void write_byte(void) { if (write(ends[1], "x", 1) != 1) _exit(1); }
static void send_message(void) { long type = 1; msgsnd(queue, &type, 0, 0); }

static long do_sleep(void) { return nanosleep(&wait_time, NULL); }
static long do_clock_sleep(void) { return (errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &wait_time, NULL)) ? -1 : 0; }

static long do_poll(void)
{
	struct pollfd p = { .fd = ends[0], .events = POLLIN };

	return poll(&p, 1, 30);
}

static long do_ppoll(void)
{
	struct pollfd p = { .fd = ends[0], .events = POLLIN };

	return ppoll(&p, 1, &wait_time, NULL);
}

static long do_select(void)
{
	fd_set readers;

	FD_ZERO(&readers);
	FD_SET(ends[0], &readers);
	return select(ends[0] + 1, &readers, NULL, NULL, &wait_time_us);
}

/* A call that starts anew waits for what is left, not for the whole time again. */
static long do_ppoll_left(void)
{
	struct timespec left = { .tv_nsec = 20000000 };

	return syscall(SYS_ppoll, NULL, 0, &left, NULL, 8) == 0 && left.tv_nsec == 0 ? 0 : (errno = 99, -1);
}

static long do_epoll(void)
{
	struct epoll_event event;

	return epoll_wait(epoll_create1(0), &event, 1, 30);
}

static long do_futex(void) { return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &wait_time, NULL, 0); }

static long do_sigtimedwait(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	return sigtimedwait(&mask, NULL, &wait_time);
}

static long do_semtimedop(void)
{
	struct sembuf down = { .sem_op = -1 };

	return semtimedop(set, &down, 1, &wait_time);
}

static long do_msgrcv(void)
{
	struct { long type; char text[8]; } message;

	in_child(send_message);
	return msgrcv(queue, &message, 8, 0, 0);
}

static long do_recv(void)
{
	setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &wait_time_us, sizeof(wait_time_us));
	return recv(sockets[0], &byte, 1, 0);
}

static long do_send(void)
{
	static char much[1 << 20];

	setsockopt(sockets[0], SOL_SOCKET, SO_SNDTIMEO, &wait_time_us, sizeof(wait_time_us));
	while (send(sockets[0], much, sizeof(much), MSG_DONTWAIT) > 0)
		;
	return send(sockets[0], much, 1, 0);
}

static long do_read(void) { in_child(write_byte); return read(ends[0], &byte, 1) == 1 ? 0 : -1; }
static long do_wait(void) { in_child(NULL); return wait(NULL) > 0 ? 0 : -1; }

static void try(const char *what, long (*call)(void), int expected)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		errno = 0;
		_exit(call() == -1 ? errno : 0);
	}
	usleep(6000);
	kill(child, SIGSTOP);
	waitpid(child, &status, WUNTRACED);
	usleep(2000);
	kill(child, SIGCONT);
	waitpid(child, &status, 0);
	CHECK(what, WIFEXITED(status) && WEXITSTATUS(status) == expected);
}

int main(void)
{
	CHECK("a pipe and sockets", !pipe(ends) && !socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	set = semget(IPC_PRIVATE, 1, 0600);
	queue = msgget(IPC_PRIVATE, 0600);
	try("nanosleep goes on", do_sleep, 0);
	try("clock_nanosleep goes on", do_clock_sleep, 0);
	try("poll goes on", do_poll, 0);
	try("ppoll goes on", do_ppoll, 0);
	try("ppoll waits for what is left", do_ppoll_left, 0);
	try("select goes on", do_select, 0);
	try("epoll_wait says EINTR", do_epoll, EINTR);
	try("futex wait goes on to its timeout", do_futex, ETIMEDOUT);
	try("sigtimedwait says EINTR", do_sigtimedwait, EINTR);
	try("semtimedop says EINTR", do_semtimedop, EINTR);
	try("msgrcv goes on", do_msgrcv, 0);
	try("recv with a timeout says EINTR", do_recv, EINTR);
	try("send with a timeout says EINTR", do_send, EINTR);
	try("read of a pipe goes on", do_read, 0);
	try("wait goes on", do_wait, 0);
	semctl(set, 0, IPC_RMID);
	msgctl(queue, IPC_RMID, NULL);
	return guest_done("restarts");
}
