// SPDX-License-Identifier: MIT
/* Who hears of files, and who is asked (fanotify(7)); as root. What is expected is Linux 6.12's. */
#include "guest.h"
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>

#define FAILS(what, error, call) CHECK(what, (long)(call) == -1 && errno == (error))

static _Alignas(8) char buffer[4096];
static struct fanotify_event_metadata *event = (void *)buffer;

/* Reads one event, which has to have the mask. */
static int comes(int group, uint64_t mask)
{
	memset(buffer, 0, sizeof(buffer));
	int n = read(group, buffer, sizeof(buffer));
	return n == (int)event->event_len && event->mask == mask && event->vers == 3;
}

static int nothing(int group)
{
	return read(group, buffer, sizeof(buffer)) == -1 && errno == EAGAIN;
}

static void touch(const char *path)
{
	int file = open(path, O_CREAT | O_RDWR, 0644);

	(void)!write(file, "text", 4);
	close(file);
}

static void arguments(void)
{
	int group = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY), names = fanotify_init(0x200 | 0x400 | 0x800, 0), p[2];

	FAILS("a descriptor and a handle", EINVAL, fanotify_init(FAN_CLASS_CONTENT | 0x200, 0));
	FAILS("a name without its directory", EINVAL, fanotify_init(0x800, 0));
	FAILS("an unknown flag", EINVAL, fanotify_init(0x2000, 0));
	FAILS("the event's flags", EINVAL, fanotify_init(0, O_CREAT));
	FAILS("no events", EINVAL, fanotify_mark(group, FAN_MARK_ADD, 0, AT_FDCWD, "/tmp"));
	FAILS("no such group", EBADF, fanotify_mark(-1, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "/tmp"));
	FAILS("no group", EINVAL, fanotify_mark(0, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "/tmp"));
	FAILS("asked without a class", EINVAL, fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, "/tmp"));
	FAILS("names without handles", EINVAL, fanotify_mark(group, FAN_MARK_ADD, FAN_CREATE, AT_FDCWD, "/tmp"));
	FAILS("names of a mount", EINVAL, fanotify_mark(names, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_CREATE, AT_FDCWD, "/tmp"));
	FAILS("a directory alone", ENOTDIR, fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_OPEN, AT_FDCWD, "/etc/passwd"));
	FAILS("not marked", ENOENT, fanotify_mark(group, FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "/tmp"));
	FAILS("no handles there", EOPNOTSUPP, fanotify_mark(names, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "/proc"));
	CHECK("a pipe", pipe(p) == 0);
	FAILS("has no mount", EINVAL, fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_ACCESS, p[0], NULL));
	close(names), close(group);
	if (fork() == 0)
		_exit(setuid(1000) || fanotify_init(0, 0) != -1 || errno != EPERM || fanotify_init(0x200, 0) < 0);
	CHECK("a user has handles only", wait(p) > 0 && p[0] == 0);
}

static void descriptors(void)
{
	int group = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY), file;
	char text[8] = "";

	mkdir("/tmp/watched", 0755), touch("/tmp/watched/a");
	CHECK("a file", fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN | FAN_MODIFY | FAN_CLOSE, AT_FDCWD, "/tmp/watched/a") == 0);
	file = open("/tmp/watched/a", O_RDWR);
	CHECK("opened", comes(group, FAN_OPEN) && event->pid == getpid() && read(event->fd, text, 8) == 4 && !strcmp(text, "text"));
	close(event->fd);
	CHECK("what is done by that is not told", nothing(group));
	CHECK("written and closed is one", write(file, "more", 4) == 4 && close(file) == 0 && comes(group, FAN_MODIFY | FAN_CLOSE_WRITE));
	close(event->fd);
	CHECK("to be ignored", fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK, FAN_OPEN, AT_FDCWD, "/tmp/watched/a") == 0);
	file = open("/tmp/watched/a", O_RDWR);
	CHECK("is", nothing(group));
	CHECK("until it changes", write(file, "even", 4) == 4 && close(file) == 0 && comes(group, FAN_MODIFY | FAN_CLOSE_WRITE));
	close(event->fd);
	CHECK("again told", close(open("/tmp/watched/a", O_RDONLY)) == 0 && comes(group, FAN_OPEN | FAN_CLOSE_NOWRITE));
	close(event->fd);
	CHECK("none of them", fanotify_mark(group, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL) == 0);
	CHECK("children", fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN | FAN_EVENT_ON_CHILD, AT_FDCWD, "/tmp/watched") == 0);
	CHECK("are told", close(open("/tmp/watched/a", O_RDONLY)) == 0 && comes(group, FAN_OPEN));
	close(event->fd);
	CHECK("the directory is not", close(open("/tmp/watched", O_RDONLY)) == 0 && nothing(group));
	fanotify_mark(group, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
	CHECK("a mount", mount("/tmp/watched", "/mnt", NULL, MS_BIND, NULL) == 0 &&
		fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN, AT_FDCWD, "/mnt") == 0);
	CHECK("by its own place", close(open("/mnt/a", O_RDONLY)) == 0 && comes(group, FAN_OPEN));
	close(event->fd);
	CHECK("and no other", close(open("/tmp/watched/a", O_RDONLY)) == 0 && nothing(group));
	umount("/mnt");
	close(group);
}

struct record {
	struct fanotify_event_info_header head;
	int fsid[2];
	unsigned bytes;
	int kind;
	unsigned char handle[8];
	char name[];
};

static int is(struct record *r, int kind, const char *path, const char *name)
{
	struct { struct file_handle head; unsigned char bytes[8]; } own = { .head.handle_bytes = 8 };
	struct statfs fs;
	int mount;

	return r->head.info_type == kind && name_to_handle_at(AT_FDCWD, path, &own.head, &mount, 0) == 0 && statfs(path, &fs) == 0 &&
		!memcmp(r->handle, own.head.f_handle, 8) && !memcmp(r->fsid, &fs.f_fsid, 8) && (!name || !strcmp(r->name, name));
}

static void handles(void)
{
	int group = fanotify_init(0x200 | 0x400 | 0x800 | FAN_NONBLOCK, 0), file;
	struct record *first = (void *)(event + 1), *second;

	mkdir("/tmp/named", 0755);
	CHECK("a directory", fanotify_mark(group, FAN_MARK_ADD, FAN_CREATE | FAN_DELETE | FAN_MOVE | 0x10000000 | FAN_OPEN | FAN_ONDIR |
		FAN_EVENT_ON_CHILD, AT_FDCWD, "/tmp/named") == 0);
	file = open("/tmp/named/a", O_CREAT | O_RDWR, 0644);
	CHECK("a name", read(group, buffer, 80) > 0 && event->mask == FAN_CREATE && event->fd == FAN_NOFD &&
		is(first, 2, "/tmp/named", "a"));
	CHECK("its file opened", comes(group, FAN_OPEN) && is(first, 2, "/tmp/named", "a"));
	second = (void *)((char *)first + first->head.len);
	CHECK("and which it is", (char *)second < buffer + event->event_len && is(second, 1, "/tmp/named/a", NULL));
	close(file);
	CHECK("renamed", rename("/tmp/named/a", "/tmp/named/b") == 0 && read(group, buffer, 112) > 0 && event->mask == 0x10000000 &&
		is(first, 10, "/tmp/named", "a") && is((void *)((char *)first + first->head.len), 12, "/tmp/named", "b"));
	CHECK("from", read(group, buffer, 80) > 0 && event->mask == FAN_MOVED_FROM && is(first, 2, "/tmp/named", "a"));
	CHECK("and to", comes(group, FAN_MOVED_TO) && is(first, 2, "/tmp/named", "b"));
	CHECK("a directory in it", mkdir("/tmp/named/d", 0755) == 0 && comes(group, FAN_CREATE | FAN_ONDIR) && is(first, 2, "/tmp/named", "d"));
	CHECK("itself", close(open("/tmp/named", O_RDONLY)) == 0 && comes(group, FAN_OPEN | FAN_ONDIR) && is(first, 2, "/tmp/named", "."));
	close(group);
}

static void asked(void)
{
	int group = fanotify_init(FAN_CLASS_CONTENT, O_RDONLY), status;
	struct fanotify_response answer;
	pid_t child;

	touch("/tmp/asked");
	CHECK("to be asked", fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, "/tmp/asked") == 0);
	for (int n = 0; n < 2; n++) {
		if ((child = fork()) == 0) {
			close(group);
			int file = open("/tmp/asked", O_RDONLY);
			_exit(file >= 0 ? 0 : errno);
		}
		CHECK("asked", comes(group, FAN_OPEN_PERM) && event->pid == child);
		CHECK("it waits", waitpid(child, &status, WNOHANG) == 0);
		answer = (struct fanotify_response){ event->fd, n == 0 ? FAN_ALLOW : FAN_DENY };
		CHECK("answered", write(group, &answer, sizeof(answer)) == sizeof(answer) && close(event->fd) == 0);
		CHECK(n == 0 ? "may" : "may not", waitpid(child, &status, 0) == child && WEXITSTATUS(status) == (n == 0 ? 0 : EPERM));
	}
	FAILS("answered once", ENOENT, write(group, &answer, sizeof(answer)));
	answer.response = 4;
	FAILS("no answer", EINVAL, write(group, &answer, sizeof(answer)));
	if ((child = fork()) == 0) {
		close(group);
		_exit(open("/tmp/asked", O_RDONLY) < 0);
	}
	CHECK("asked again", comes(group, FAN_OPEN_PERM) && close(event->fd) == 0);
	CHECK("nobody left to answer: it may", close(group) == 0 && waitpid(child, &status, 0) == child && status == 0);
}

int main(void)
{
	arguments();
	descriptors();
	handles();
	asked();
	return guest_done("fanotify");
}
