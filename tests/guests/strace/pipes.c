#include "begin.h"

int main(void)
{
	int ends[2], value = 5;
	char buffer[200] = "0123456789012345678901234567890123456789";
	begin();
	pipe2(ends, O_CLOEXEC);
	write(ends[1], buffer, 40);
	ioctl(ends[0], FIONREAD, &value);
	read(ends[0], buffer, 200);
	struct iovec vector[3] = { { "one", 3 }, { "two and more", 12 }, { NULL, 0 } };
	writev(ends[1], vector, 3);
	struct iovec parts[2] = { { buffer, 5 }, { buffer + 5, 100 } };
	readv(ends[0], parts, 2);
	struct pollfd fds[2] = { { .fd = ends[0], .events = POLLIN }, { .fd = ends[1], .events = POLLOUT | POLLIN } };
	struct timespec wait = { 0, 20000000 };
	syscall(SYS_ppoll, fds, 2, &wait, NULL, 8);
	wait.tv_nsec = 1000;
	syscall(SYS_ppoll, fds, 1, &wait, NULL, 8);
	wait.tv_nsec = 20000000;
	fds[1].fd = -1;
	syscall(SYS_ppoll, fds, 2, &wait, NULL, 8);
	fd_set in, out;
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(ends[0], &in);
	FD_SET(ends[1], &out);
	syscall(SYS_pselect6, ends[1] + 1, &in, &out, NULL, NULL, NULL);
	FD_ZERO(&in);
	FD_SET(ends[0], &in);
	wait = (struct timespec){ 0, 1000 };
	syscall(SYS_pselect6, ends[0] + 1, &in, NULL, NULL, &wait, NULL);
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = 7 };
	epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &event);
	event.events = EPOLLIN;
	epoll_ctl(ep, EPOLL_CTL_MOD, ends[0], &event);
	struct epoll_event events[4];
	epoll_pwait(ep, events, 4, 0, NULL);
	write(ends[1], "x", 1);
	epoll_pwait(ep, events, 4, 1000, NULL);
	epoll_ctl(ep, EPOLL_CTL_DEL, ends[0], NULL);
	epoll_ctl(ep, EPOLL_CTL_DEL, ends[0], NULL);
	int ev = eventfd(3, EFD_CLOEXEC | EFD_NONBLOCK);
	unsigned long long count;
	read(ev, &count, 8);
	read(ev, &count, 8);
	splice(ends[0], NULL, ends[1], NULL, 1, SPLICE_F_NONBLOCK);
	fcntl(ends[0], F_GETPIPE_SZ);
	fcntl(ends[0], F_SETPIPE_SZ, 8192);
	ioctl(ends[0], FIONBIO, &value);
	ioctl(ends[0], TCGETS, buffer);
	ioctl(ends[0], TIOCGWINSZ, buffer);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	write(ends[1], "gone", 4);
	return 0;
}
