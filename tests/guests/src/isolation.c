// SPDX-License-Identifier: MIT
/* UTS and IPC namespaces; sets of epoll in sets, and those of which an event wakes one. A stock kernel prints the same lines. */
#include "guest.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/utsname.h>
#include <sys/wait.h>

static int named(const char *name)
{
	struct utsname u;

	return !uname(&u) && !strcmp(u.nodename, name);
}

static ino_t number(const char *kind)
{
	char path[40], text[40];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/self/ns/%s", kind);
	n = readlink(path, text, sizeof text - 1);
	return n > 0 ? strtoul(strchr(text, '[') + 1, NULL, 10) : 0;
}

static int ends_well(int (*body)(void))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(body());
	waitpid(pid, &status, 0);
	return status == 0;
}

static int own_name(void)
{
	ino_t before = number("uts");

	return !(!unshare(CLONE_NEWUTS) && number("uts") != before && named("outside") && !sethostname("inside", 6) && named("inside"));
}

static int without_privileges(void)
{
	return !(!setuid(1000) && unshare(CLONE_NEWUTS) < 0 && errno == EPERM && unshare(CLONE_NEWIPC) < 0 && errno == EPERM);
}

static int back_again(void)
{
	int old = open("/proc/self/ns/uts", O_RDONLY);

	if (unshare(CLONE_NEWUTS) || sethostname("inside", 6))
		return 1;
	return !(setns(old, CLONE_NEWIPC) < 0 && errno == EINVAL && !setns(old, CLONE_NEWUTS) && named("outside"));
}

static int key = 0x4711;
static int own_queues(void)
{
	ino_t before = number("ipc");

	if (msgget(key, 0) < 0 || unshare(CLONE_NEWIPC) || number("ipc") == before)
		return 1;
	return !(msgget(key, 0) < 0 && errno == ENOENT && msgget(key, IPC_CREAT | 0600) >= 0);
}

static int keeps_memory(void)
{
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	char *p = shmat(id, NULL, 0);

	strcpy(p, "kept");
	shmctl(id, IPC_RMID, NULL);
	return !(!unshare(CLONE_NEWIPC) && !strcmp(p, "kept") && shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600) >= 0);
}

static long add(int set, int file, unsigned events)
{
	struct epoll_event e = { .events = events };

	return epoll_ctl(set, EPOLL_CTL_ADD, file, &e);
}

static void chains(void)
{
	int good = 1, inner = epoll_create1(0), sets[5], deep;

	for (int i = 0; i < 20; i++) {
		int outer = epoll_create1(0);

		good &= !add(outer, inner, EPOLLIN);
		close(outer);
	}
	CHECK("closed sets are above nobody", good);
	for (int i = 0; i < 5; i++)
		sets[i] = epoll_create1(0);
	for (deep = 0; deep < 4 && !add(sets[deep + 1], sets[deep], EPOLLIN); deep++)
		;
	CHECK("five sets in each other", deep == 4);
	CHECK("not six", add(epoll_create1(0), sets[4], EPOLLIN) < 0 && errno == ELOOP);
	close(sets[4]);
	CHECK("one that is closed does not count", !add(epoll_create1(0), sets[3], EPOLLIN));
}

static int event;
static int woken;
static void *wait_for_event(void *unused)
{
	struct epoll_event e;
	int set = epoll_create1(0);

	(void)unused;
	add(set, event, EPOLLIN | EPOLLEXCLUSIVE);
	if (epoll_wait(set, &e, 1, 200) == 1)
		__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void exclusive(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	int set = epoll_create1(0), other = epoll_create1(0);
	pthread_t t[4];
	uint64_t one = 1;

	event = eventfd(0, 0);
	CHECK("exclusive with others", add(set, event, EPOLLIN | EPOLLEXCLUSIVE | EPOLLRDHUP) < 0 && errno == EINVAL);
	CHECK("exclusive of a set", add(set, other, EPOLLIN | EPOLLEXCLUSIVE) < 0 && errno == EINVAL);
	CHECK("exclusive", !add(set, event, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET));
	CHECK("exclusive again", epoll_ctl(set, EPOLL_CTL_MOD, event, &e) < 0 && errno == EINVAL);
	e.events = EPOLLIN;
	CHECK("not exclusive any more", epoll_ctl(set, EPOLL_CTL_MOD, event, &e) < 0 && errno == EINVAL);
	CHECK("none", !epoll_ctl(set, EPOLL_CTL_DEL, event, &e));
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, wait_for_event, NULL);
	usleep(50000);
	CHECK("one event", write(event, &one, 8) == 8);
	usleep(50000);
	CHECK("wakes one", woken == 1);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

int main(void)
{
	int queue = msgget(key, IPC_CREAT | 0600);

	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	CHECK("name", !sethostname("outside", 7) && named("outside"));
	CHECK("a name of its own", ends_well(own_name));
	CHECK("the name outside", named("outside"));
	CHECK("not without privileges", ends_well(without_privileges));
	CHECK("back by setns", ends_well(back_again));
	CHECK("queues of its own", ends_well(own_queues));
	CHECK("the queue outside", msgget(key, 0) == queue && !msgctl(queue, IPC_RMID, NULL));
	CHECK("attached memory stays", ends_well(keeps_memory));
	chains();
	exclusive();
	return guest_done("isolation");
}
