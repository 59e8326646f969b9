// SPDX-License-Identifier: MIT
/* limits [-n]: what has a limit that can be written, what a loopback has carried, and watches that end with a file system; as root.
 * Expected is what Linux 6.12 does; with -n nothing is written that a whole machine shares. */
#include "guest.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

static char text[65536];

static const char *contents(const char *path)
{
	int fd = open(path, O_RDONLY), n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n < 0 ? 0 : n] = 0;
	return text;
}

static int put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY), n = write(fd, value, strlen(value)), error = errno;

	close(fd);
	errno = error;
	return n < 0 ? -1 : 0;
}

static void segments(void)
{
	int a, b;
	struct shminfo info;

	unshare(CLONE_NEWIPC);
	CHECK("limits of segments", !strcmp(contents("/proc/sys/kernel/shmmax"), "18446744073692774399\n")
		&& !strcmp(contents("/proc/sys/kernel/shmall"), "18446744073692774399\n")
		&& !strcmp(contents("/proc/sys/kernel/shmmni"), "4096\n"));
	put("/proc/sys/kernel/shmmax", "8192");
	CHECK("as large as may be", (a = shmget(IPC_PRIVATE, 8192, 0600)) >= 0);
	FAILS("larger", EINVAL, shmget(IPC_PRIVATE, 8193, 0600));
	put("/proc/sys/kernel/shmall", "3");
	FAILS("too many pages", ENOSPC, shmget(IPC_PRIVATE, 8192, 0600));
	CHECK("not too many", (b = shmget(IPC_PRIVATE, 1, 0600)) >= 0);
	CHECK("IPC_INFO", shmctl(0, IPC_INFO, (struct shmid_ds *)&info) >= 0 && info.shmmax == 8192 && info.shmall == 3);
	shmctl(b, IPC_RMID, NULL);
	put("/proc/sys/kernel/shmmni", "1");
	FAILS("too many segments", ENOSPC, shmget(IPC_PRIVATE, 1, 0600));
	shmctl(a, IPC_RMID, NULL);
	CHECK("one can be made again", (a = shmget(IPC_PRIVATE, 1, 0600)) >= 0);
	shmctl(a, IPC_RMID, NULL);
	CHECK("a negative limit", put("/proc/sys/kernel/shmmax", "-1") == -1 && errno == EINVAL);
	put("/proc/sys/kernel/msgmni", "0");
	FAILS("no queues", ENOSPC, msgget(IPC_PRIVATE, 0600));
}

static int next(int fd, char *name)
{
	static char buffer[4096] __attribute__((aligned(8)));
	static int at, end;
	struct inotify_event *e;

	if (at >= end) {
		at = 0;
		end = read(fd, buffer, sizeof(buffer));
	}
	if (end <= 0)
		return end = 0;
	e = (void *)(buffer + at);
	at += sizeof(*e) + e->len;
	strcpy(name, e->len ? e->name : "");
	return e->mask;
}

static void unmounts(void)
{
	char name[256];
	int fd = inotify_init1(IN_NONBLOCK), other, fan, held;

	mkdir("/tmp/limits", 0700);
	CHECK("mount", mount("none", "/tmp/limits", "tmpfs", 0, NULL) == 0);
	mkdir("/tmp/limits/d", 0700);
	close(creat("/tmp/limits/f", 0600));
	CHECK("watches", inotify_add_watch(fd, "/tmp/limits/f", IN_ATTRIB) == 1 && inotify_add_watch(fd, "/tmp/limits/d", IN_ATTRIB) == 2);
	sprintf(name, "/proc/self/fdinfo/%d", fd);
	CHECK("their files have handles",
		strstr(contents(name), "fhandle-bytes:") && strstr(text, "fhandle-type:") && strstr(text, "f_handle:"));
	fan = fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);
	fanotify_mark(fan, FAN_MARK_ADD, FAN_MODIFY, -1, "/tmp/limits/f");
	fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_MODIFY, -1, "/tmp/limits");
	fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_MODIFY, -1, "/tmp/limits");
	sprintf(name, "/proc/self/fdinfo/%d", fan);
	CHECK("marks", strstr(contents(name), "fanotify mnt_id:") && strstr(text, "fhandle-bytes:"));
	mkdir("/tmp/limits2", 0700);
	CHECK("a second place", mount("/tmp/limits", "/tmp/limits2", NULL, MS_BIND, NULL) == 0 && umount("/tmp/limits2") == 0);
	CHECK("nothing ends there", next(fd, name) == 0);
	held = open("/tmp/limits/f", O_RDONLY);
	CHECK("detached", umount2("/tmp/limits", MNT_DETACH) == 0 && next(fd, name) == 0);
	close(held);
	held = next(fd, name);
	other = next(fd, name);
	CHECK("unmounted", (held == IN_UNMOUNT || held == (IN_UNMOUNT | IN_ISDIR)) && other == IN_IGNORED);
	other = next(fd, name);
	CHECK("and the other", (held | other) == (IN_UNMOUNT | IN_ISDIR) && held != other && next(fd, name) == IN_IGNORED);
	CHECK("no more", next(fd, name) == 0);
	FAILS("no watch", EINVAL, inotify_rm_watch(fd, 1));
	sprintf(name, "/proc/self/fdinfo/%d", fan);
	CHECK("no marks", !strstr(contents(name), "fanotify ino:") && !strstr(text, "fanotify mnt_id:") && !strstr(text, "fanotify sdev:"));
	close(fd);
	close(fan);
	rmdir("/tmp/limits");
	rmdir("/tmp/limits2");
}

static void watches(void)
{
	int a, b, c;
	char name[256];

	close(creat("/tmp/limits.a", 0600));
	close(creat("/tmp/limits.b", 0600));
	put("/proc/sys/fs/inotify/max_user_watches", "1");
	put("/proc/sys/fs/inotify/max_user_instances", "2");
	put("/proc/sys/fs/inotify/max_queued_events", "2");
	a = inotify_init1(IN_NONBLOCK);
	b = inotify_init1(IN_NONBLOCK);
	FAILS("too many instances", EMFILE, inotify_init1(0));
	CHECK("a watch", inotify_add_watch(a, "/tmp/limits.a", IN_OPEN | IN_CLOSE) == 1);
	FAILS("too many watches of one user", ENOSPC, inotify_add_watch(b, "/tmp/limits.b", IN_OPEN));
	CHECK("the same again", inotify_add_watch(a, "/tmp/limits.a", IN_OPEN | IN_CLOSE) == 1);
	for (int n = 0; n < 3; n++)
		close(open("/tmp/limits.a", O_RDONLY));
	CHECK("two events", next(a, name) == IN_OPEN && next(a, name) == IN_CLOSE_NOWRITE);
	CHECK("and that there were more", next(a, name) == IN_Q_OVERFLOW && next(a, name) == 0);
	inotify_rm_watch(a, 1);
	CHECK("a place is free", inotify_add_watch(b, "/tmp/limits.b", IN_OPEN) == 1);
	close(b);
	CHECK("and again", (c = inotify_init1(0)) >= 0 && inotify_add_watch(c, "/tmp/limits.b", IN_OPEN) == 1);
	close(a);
	close(c);
	unlink("/tmp/limits.a");
	unlink("/tmp/limits.b");
}

static void carried(long *bytes, long *packets)
{
	const char *line = strstr(contents("/proc/net/dev"), "lo:");
	long in_bytes = -1, in_packets = -1;

	sscanf(line, "lo: %ld %ld %*d %*d %*d %*d %*d %*d %ld %ld", &in_bytes, &in_packets, bytes, packets);
	if (in_bytes != *bytes || in_packets != *packets)
		*packets = -1;
}

static void send_to(int domain, int port, int length)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback };
	int s = socket(domain, SOCK_DGRAM, 0);

	sendto(s, text, length, 0, domain == AF_INET ? (void *)&four : (void *)&six, domain == AF_INET ? sizeof(four) : sizeof(six));
	close(s);
}

static void counters(void)
{
	static const struct { const char *what; int domain, port, length, bytes, packets; } cases[] = {
		{ "a datagram", AF_INET, 5000, 100, 128, 1 },
		{ "an empty one", AF_INET, 5000, 0, 28, 1 },
		{ "of IPv6", AF_INET6, 5000, 100, 148, 1 },
		{ "for nobody", AF_INET, 5001, 100, 128 + 156, 2 },
		{ "a long one for nobody", AF_INET, 5001, 1000, 1028 + 576, 2 },
		{ "of IPv6 for nobody", AF_INET6, 5001, 2000, 2048 + 1280, 2 },
	};
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons(5000) };
	struct sockaddr_in refused = { .sin_family = AF_INET, .sin_port = htons(5001), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int s = socket(AF_INET6, SOCK_DGRAM, 0), t = socket(AF_INET, SOCK_STREAM, 0);
	long bytes, packets, bytes2, packets2;

	bind(s, (struct sockaddr *)&at, sizeof(at));
	for (unsigned n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		carried(&bytes, &packets);
		send_to(cases[n].domain, cases[n].port, cases[n].length);
		carried(&bytes2, &packets2);
		CHECK(cases[n].what, bytes2 - bytes == cases[n].bytes && packets2 - packets == cases[n].packets);
	}
	carried(&bytes, &packets);
	connect(t, (struct sockaddr *)&refused, sizeof(refused));
	carried(&bytes2, &packets2);
	CHECK("a connection that is refused", bytes2 - bytes == 100 && packets2 - packets == 2);
	close(t);
	close(s);
}

/* A clock of a namespace may be set back as far as the machine has been up. */
static void offsets(void)
{
	struct timespec up, there = { -1, 0 };
	int pipes[2];

	clock_gettime(CLOCK_MONOTONIC, &up);
	CHECK("up for long enough (--uptime 2000)", up.tv_sec >= 1500);
	unshare(CLONE_NEWTIME);
	CHECK("set back too far", put("/proc/self/timens_offsets", "monotonic -100000000 0") == -1 && errno == ERANGE);
	CHECK("set back", put("/proc/self/timens_offsets", "monotonic -1001 500000000\nboottime -1 0") == 0);
	if (pipe(pipes))
		exit(2);
	if (fork() == 0) {
		clock_gettime(CLOCK_MONOTONIC, &there);
		exit(write(pipes[1], &there, sizeof(there)) != sizeof(there));
	}
	CHECK("a child reads it", read(pipes[0], &there, sizeof(there)) == sizeof(there)
		&& there.tv_sec >= up.tv_sec - 1001 && there.tv_sec <= up.tv_sec - 998);
}

int main(int argc, char **argv)
{
	counters();
	segments();
	unmounts();
	if (argc < 2 || strcmp(argv[1], "-n"))
		watches();
	offsets();
	return guest_done("limits");
}
