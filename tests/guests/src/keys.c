// SPDX-License-Identifier: MIT
/* Keys and keyrings; file handles, IDs of System V objects, deadlines, owners of files. What is expected is Linux 6.12's. */
#include "guest.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define THREAD (-1)
#define PROCESS (-2)
#define SESSION (-3)

static long add(const char *type, const char *name, const char *payload, size_t length, int ring)
{
	return syscall(SYS_add_key, type, name, payload, length, ring);
}

static long keyctl(int operation, long a, long b, long c, long d)
{
	return syscall(SYS_keyctl, operation, a, b, c, d);
}

static void keys(void)
{
	char text[64] = "";
	int ring = keyctl(0, PROCESS, 1, 0, 0), key = add("user", "name", "contents", 8, PROCESS), other;

	CHECK("a process keyring", ring > 0 && key > 0);
	CHECK("read", keyctl(11, key, (long)text, sizeof(text), 0) == 8 && !strcmp(text, "contents"));
	CHECK("its size where it does not fit", keyctl(11, key, (long)text, 3, 0) == 8);
	CHECK("described", keyctl(6, key, (long)text, sizeof(text), 0) == 23 && !strcmp(text, "user;0;0;3f010000;name"));
	CHECK("the same again is an update", add("user", "name", "other", 5, PROCESS) == key && keyctl(11, key, 0, 0, 0) == 5);
	CHECK("searched", syscall(SYS_request_key, "user", "name", NULL, 0) == key);
	FAILS("not there", ENOKEY, syscall(SYS_request_key, "user", "nobody", NULL, 0));
	FAILS("no such type", ENODEV, add("nonsense", "name", "x", 1, PROCESS));
	FAILS("the kernel's own", EPERM, add(".type", "name", "x", 1, PROCESS));
	FAILS("no contents", EINVAL, add("user", "empty", "", 0, PROCESS));
	FAILS("a logon key has a prefix", EINVAL, add("logon", "name", "x", 1, PROCESS));
	key = add("logon", "my:name", "x", 1, PROCESS);
	FAILS("and is not read", EOPNOTSUPP, keyctl(11, key, (long)text, sizeof(text), 0));
	other = add("keyring", "below", NULL, 0, PROCESS);
	FAILS("no circles", EDEADLK, keyctl(8, ring, other, 0, 0));
	key = add("user", "deep", "x", 1, other);
	CHECK("found below", syscall(SYS_request_key, "user", "deep", NULL, 0) == key);
	CHECK("revoked", keyctl(3, key, 0, 0, 0) == 0);
	FAILS("EKEYREVOKED", EKEYREVOKED, keyctl(11, key, (long)text, sizeof(text), 0));
	CHECK("unlinked", keyctl(9, key, other, 0, 0) == 0);
	FAILS("gone", ENOKEY, keyctl(6, key, (long)text, sizeof(text), 0));
	key = add("user", "brief", "x", 1, PROCESS);
	CHECK("a timeout", keyctl(15, key, 1, 0, 0) == 0 && usleep(1100000) == 0);
	FAILS("EKEYEXPIRED", EKEYEXPIRED, keyctl(11, key, (long)text, sizeof(text), 0));
	key = add("user", "hers", "x", 1, SESSION);
	if (fork() == 0)
		_exit(syscall(SYS_request_key, "user", "hers", NULL, 0) == key && keyctl(0, PROCESS, 0, 0, 0) == -1 ? 7 : 1);
	int status;
	CHECK("a child has the session's, not the process's", wait(&status) > 0 && WEXITSTATUS(status) == 7);
	if (fork() == 0)
		_exit(keyctl(1, 0, 0, 0, 0) > 0 && add("user", "given", "x", 1, SESSION) > 0 && keyctl(18, 0, 0, 0, 0) == 0 ? 7 : 1);
	CHECK("a child gives its session", wait(&status) > 0 && WEXITSTATUS(status) == 7);
	CHECK("to its parent", syscall(SYS_request_key, "user", "given", NULL, 0) > 0);
}

static void handles(void)
{
	struct { struct file_handle head; char bytes[128]; } handle = { .head.handle_bytes = 0 };
	char text[8] = "";
	int mount, file = open("/tmp/named", O_CREAT | O_RDWR, 0600), tmp = open("/tmp", O_RDONLY);

	CHECK("contents", write(file, "named", 5) == 5);
	FAILS("its size", EOVERFLOW, name_to_handle_at(AT_FDCWD, "/tmp/named", &handle.head, &mount, 0));
	CHECK("a handle", name_to_handle_at(AT_FDCWD, "/tmp/named", &handle.head, &mount, 0) == 0);
	rename("/tmp/named", "/tmp/renamed");
	close(file);
	file = open_by_handle_at(tmp, &handle.head, O_RDONLY);
	CHECK("opened under another name", file >= 0 && read(file, text, 5) == 5 && !strcmp(text, "named"));
	close(file);
	unlink("/tmp/renamed");
	FAILS("gone", ESTALE, open_by_handle_at(tmp, &handle.head, O_RDONLY));
	FAILS("no handles there", EOPNOTSUPP, name_to_handle_at(AT_FDCWD, "/proc/self", &handle.head, &mount, 0));
	close(tmp);
}

static void others(void)
{
	struct {
		unsigned size, policy;
		unsigned long flags;
		int nice;
		unsigned priority;
		unsigned long runtime, deadline, period;
	} want = {
		48, 6, 0, 0, 0, 10000000, 30000000, 30000000 }, got;
	struct { long type; char text[8]; } message = { 1, "one" }, copy;
	struct { int type, pid; } owner = { 1, getpid() }, owned = { 0, 0 };
	struct epoll_event event = { .events = EPOLLIN };
	int queue, next = open("/proc/sys/kernel/msg_next_id", O_RDWR), sets[6], file;

	CHECK("the next ID", write(next, "4242", 4) == 4);
	queue = msgget(IPC_PRIVATE, 0600);
	CHECK("was asked for", queue == 4242);
	CHECK("a copy stays", msgsnd(queue, &message, 8, 0) == 0 && msgrcv(queue, &copy, 8, 0, 040000 | IPC_NOWAIT) == 8 &&
		msgrcv(queue, &copy, 8, 0, IPC_NOWAIT) == 8 && msgctl(queue, IPC_RMID, NULL) == 0);
	CHECK("a deadline", syscall(SYS_sched_setattr, 0, &want, 0) == 0 && syscall(SYS_sched_getattr, 0, &got, sizeof(got), 0) == 0 &&
		got.policy == 6 && got.runtime == want.runtime && got.period == want.period);
	want.runtime = want.deadline + 1;
	FAILS("more than there is time", EINVAL, syscall(SYS_sched_setattr, 0, &want, 0));
	file = open("/dev/zero", O_RDONLY);
	sets[0] = epoll_create1(0);
	FAILS("memory has nothing to poll", EPERM, epoll_ctl(sets[0], EPOLL_CTL_ADD, file, &event));
	for (int i = 1; i < 6; i++) {
		sets[i] = epoll_create1(0);
		if (i < 5)
			CHECK("a set in a set", epoll_ctl(sets[i], EPOLL_CTL_ADD, sets[i - 1], &event) == 0);
	}
	FAILS("five deep", ELOOP, epoll_ctl(sets[5], EPOLL_CTL_ADD, sets[4], &event));
	CHECK("the owner of a file", fcntl(file, 15, &owner) == 0 && fcntl(file, 16, &owned) == 0 && owned.type == 1 &&
		owned.pid == getpid());
	file = open("/tmp/made", O_CREAT | O_RDWR, 0600);
	CHECK("made by this open", fcntl(file, 1028) == 1);
}

int main(void)
{
	keys();
	handles();
	others();
	return guest_done("keys");
}
