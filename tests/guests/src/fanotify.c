// SPDX-License-Identifier: MIT
/* Who hears of files, and who is asked (fanotify(7)); as root. What is expected is Linux 6.12's. */
#include "guest.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>


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
	FAILS("a group by its path alone", EBADF, fanotify_mark(open("/tmp", O_PATH), FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "/tmp"));
	FAILS("a file by its path alone", EBADF, fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN, open("/tmp", O_PATH), NULL));
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
	CHECK("ignored once more", fanotify_mark(group, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL) == 0 &&
		fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "/tmp/watched/a") == 0 &&
		fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_IGNORED_MASK, FAN_OPEN, AT_FDCWD, "/tmp/watched/a") == 0 &&
		close(open("/tmp/watched/a", O_RDONLY)) == 0 && nothing(group));
	CHECK("until it is cut", truncate("/tmp/watched/a", 4) == 0 && close(open("/tmp/watched/a", O_RDONLY)) == 0 &&
		comes(group, FAN_OPEN));
	close(event->fd);
	CHECK("none of them", fanotify_mark(group, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL) == 0);
	CHECK("children", fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN | FAN_EVENT_ON_CHILD, AT_FDCWD, "/tmp/watched") == 0);
	CHECK("are told", close(open("/tmp/watched/a", O_RDONLY)) == 0 && comes(group, FAN_OPEN));
	close(event->fd);
	CHECK("the directory is not", close(open("/tmp/watched", O_RDONLY)) == 0 && nothing(group));
	fanotify_mark(group, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
	CHECK("what qualifies alone", fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN | FAN_ONDIR, AT_FDCWD, "/tmp/watched") == 0 &&
		fanotify_mark(group, FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "/tmp/watched") == 0);
	CHECK("is a mark still", fanotify_mark(group, FAN_MARK_REMOVE, FAN_ONDIR, AT_FDCWD, "/tmp/watched") == 0);
	FAILS("and then none", ENOENT, fanotify_mark(group, FAN_MARK_REMOVE, FAN_ONDIR, AT_FDCWD, "/tmp/watched"));
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

static void wrote(const char *path, const char *text)
{
	int file = open(path, O_WRONLY);

	CHECK(path, write(file, text, strlen(text)) == (long)strlen(text));
	close(file);
}

/* What /proc says of a group's marks, and what the system's limits do. */
static void limits(void)
{
	int group = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY), waits = epoll_create1(0), file;
	struct epoll_event ready = { .events = EPOLLIN | EPOLLET };
	char name[64], text[600] = "", *line;

	fanotify_mark(group, FAN_MARK_ADD | 0x200, FAN_OPEN, AT_FDCWD, "/tmp/watched/a");
	fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_MOUNT | 0x400 | FAN_MARK_IGNORED_SURV_MODIFY, FAN_CLOSE, AT_FDCWD, "/proc");
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", group);
	CHECK("shown", read(open(name, O_RDONLY), text, sizeof(text) - 1) > 0);
	CHECK("a mount first", (line = strstr(text, "fanotify mnt_id:")) && strstr(line, " mflags:440 mask:0 ignored_mask:18\n"));
	CHECK("then a file", line && (line = strstr(line, "fanotify ino:")) && strstr(line, " mflags:200 mask:20 ignored_mask:0 "));
	close(group);
	wrote("/proc/sys/fs/fanotify/max_queued_events", "2");
	group = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDWR);
	wrote("/proc/sys/fs/fanotify/max_queued_events", "16384");
	touch("/tmp/watched/b"), touch("/tmp/watched/c");
	fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN | FAN_EVENT_ON_CHILD, AT_FDCWD, "/tmp/watched");
	epoll_ctl(waits, EPOLL_CTL_ADD, group, &ready);
	close(open("/tmp/watched/a", O_RDONLY)), close(open("/tmp/watched/b", O_RDONLY));
	CHECK("two wait", epoll_wait(waits, &ready, 1, 0) == 1 && epoll_wait(waits, &ready, 1, 0) == 0);
	close(open("/tmp/watched/c", O_RDONLY));
	CHECK("a third is lost, which wakes", epoll_wait(waits, &ready, 1, 0) == 1);
	close(open("/tmp/watched/a", O_RDONLY));
	CHECK("a fourth that is like the first is not", epoll_wait(waits, &ready, 1, 0) == 0);
	CHECK("the first", read(group, buffer, sizeof(*event)) == sizeof(*event) && event->mask == FAN_OPEN && event->fd >= 0);
	file = event->fd;
	chmod("/tmp/watched/a", 0755);
	FAILS("which the reader may write, so that it cannot be executed", ETXTBSY, execl("/tmp/watched/a", "a", (char *)0));
	close(file);
	FAILS("until it is closed", ENOEXEC, execl("/tmp/watched/a", "a", (char *)0));
	CHECK("the second", read(group, buffer, sizeof(*event)) == sizeof(*event) && event->mask == FAN_OPEN && close(event->fd) == 0);
	CHECK("and that some were lost", read(group, buffer, sizeof(*event)) == sizeof(*event) && event->mask == FAN_Q_OVERFLOW &&
		event->fd == FAN_NOFD);
	close(group);
	wrote("/proc/sys/fs/fanotify/max_user_marks", "1");
	wrote("/proc/sys/fs/fanotify/max_user_groups", "1");
	group = fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY);
	CHECK("one mark", fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "/tmp/watched/a") == 0);
	FAILS("no other", ENOSPC, fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "/tmp/watched/b"));
	FAILS("and one group", EMFILE, fanotify_init(FAN_CLASS_NOTIF, O_RDONLY));
	close(group);
	wrote("/proc/sys/fs/fanotify/max_user_marks", "8192");
	wrote("/proc/sys/fs/fanotify/max_user_groups", "128");
}

/* The process that an event is of, for a reader without privilege and for one in a PID namespace. */
static void processes(void)
{
	int status, go[2], told[2];
	char byte = 0;

	for (int space = 0; space < 2; space++) {
		CHECK("pipes", pipe(go) == 0 && pipe(told) == 0);
		if (space)
			unshare(CLONE_NEWPID);
		pid_t child = fork();
		if (child == 0) {
			int group = space ? fanotify_init(FAN_NONBLOCK, O_RDONLY)
				: setgid(1000) || setuid(1000) ? -1 : fanotify_init(0x200 | FAN_NONBLOCK, O_RDONLY);
			int bad = fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "/tmp/watched/a");
			(void)!write(told[1], &byte, 1), (void)!read(go[0], &byte, 1);
			bad |= !comes(group, FAN_OPEN) || event->pid != 0;
			if (space)
				close(event->fd);
			close(open("/tmp/watched/a", O_RDONLY));
			bad |= !comes(group, FAN_OPEN) || event->pid != getpid() || (space && event->pid != 1);
			_exit(bad);
		}
		(void)!read(told[0], &byte, 1);
		close(open("/tmp/watched/a", O_RDONLY));
		(void)!write(go[1], &byte, 1);
		CHECK(space ? "in a namespace" : "without privilege", waitpid(child, &status, 0) == child && status == 0);
	}
}

static int answer(int group, int fd, int how)
{
	struct fanotify_response answer = { fd, how };

	return write(group, &answer, sizeof(answer)) == sizeof(answer) ? 0 : errno;
}

static pid_t opener(int group, const char *path, int program)
{
	pid_t child = fork();

	if (child)
		return child;
	close(group);
	if (program)
		execl(path, path, (char *)NULL);
	int file = program ? -1 : open(path, O_RDONLY);
	_exit(file >= 0 ? 0 : errno);
}

/* Questions whose descriptors were closed, programs, and a listener that goes. */
static void questions(void)
{
	static char copy[1 << 16];
	int group = fanotify_init(FAN_CLASS_CONTENT, O_RDONLY), status, fd = -1, from, to, n;
	pid_t first, second;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	touch("/tmp/asked");
	fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, "/tmp/asked");
	first = opener(group, "/tmp/asked", 0);
	CHECK("a question", comes(group, FAN_OPEN_PERM) && event->pid == first && close(fd = event->fd) == 0);
	second = opener(group, "/tmp/asked", 0);
	CHECK("another by the same number", comes(group, FAN_OPEN_PERM) && event->pid == second && event->fd == fd);
	CHECK("the first is answered first", answer(group, fd, FAN_DENY) == 0);
	CHECK("and the second", answer(group, fd, FAN_ALLOW) == 0);
	if (answer(group, fd, FAN_ALLOW) != ENOENT || guest_failures)
		kill(first, SIGKILL), kill(second, SIGKILL);
	CHECK("which may not", waitpid(first, &status, 0) == first && WEXITSTATUS(status) == EPERM);
	CHECK("and which may", waitpid(second, &status, 0) == second && status == 0 && close(fd) == 0);
	/* Who asks goes on after the group is closed. */
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &(struct sched_param){ 1 });
	sched_setaffinity(0, sizeof(one), &one);
	for (int program = 0; program < 2; program++) {
		chmod("/tmp/asked", 0755);
		first = opener(group, "/tmp/asked", program);
		CHECK("asked last", comes(group, FAN_OPEN_PERM) && answer(group, event->fd, FAN_DENY) == 0 && close(group) == 0);
		CHECK("a refusal holds", waitpid(first, &status, 0) == first && WEXITSTATUS(status) == EPERM);
		close(event->fd);
		group = fanotify_init(FAN_CLASS_CONTENT, O_RDONLY);
		fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, "/tmp/asked");
	}
	sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){ 0 });
	from = open("/proc/self/exe", O_RDONLY), to = open("/tmp/interpreter", O_CREAT | O_WRONLY, 0755);
	while ((n = read(from, copy, sizeof(copy))) > 0)
		(void)!write(to, copy, n);
	close(from), close(to);
	to = open("/tmp/script", O_CREAT | O_WRONLY, 0755);
	CHECK("a script", write(to, "#!/tmp/interpreter\n", 19) == 19 && close(to) == 0);
	CHECK("programs", fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN_PERM | FAN_OPEN_EXEC_PERM, AT_FDCWD, "/tmp/script") == 0 &&
		fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN_PERM | FAN_OPEN_EXEC_PERM, AT_FDCWD, "/tmp/interpreter") == 0);
	for (int denied = 0; denied < 2; denied++) {
		first = opener(group, "/tmp/script", 1);
		for (n = 0; n < 4 - denied; n++) {
			CHECK("to execute, and to open", comes(group, n % 2 ? FAN_OPEN_PERM : FAN_OPEN_EXEC_PERM) && event->pid == first &&
				readlink((snprintf(copy, 64, "/proc/self/fd/%d", event->fd), copy), copy + 64, 64) == (n < 2 ? 11 : 16));
			CHECK("answered", answer(group, event->fd, denied && n == 2 ? FAN_DENY : FAN_ALLOW) == 0 && close(event->fd) == 0);
		}
		CHECK(denied ? "no interpreter" : "runs", waitpid(first, &status, 0) == first && WEXITSTATUS(status) == (denied ? EPERM : 7));
	}
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

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) /* an interpreter of a script */
		return 7;
	setvbuf(stdout, NULL, _IONBF, 0);
	arguments();
	descriptors();
	handles();
	limits();
	questions();
	asked();
	processes();
	return guest_done("fanotify");
}
