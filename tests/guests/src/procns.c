// SPDX-License-Identifier: MIT
/* What a mount of /proc shows is the PID namespace that its maker was in, whoever reads; numbers of users are those of the reader's
   user namespace; cgroup namespaces. As root. */
#include "guest.h"
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define INNER "/tmp/procns"
static char text[65536], path[256], before[16];

/* The rest of the line of a text that begins with a word, up to the newline; "" if there is none. */
static const char *line_of(const char *file, const char *word)
{
	static char found[256];
	char *at;

	found[0] = 0;
	if (guest_read(file, text, sizeof(text)) > 0 && (at = strstr(text, word)) != NULL)
		snprintf(found, sizeof(found), "%.*s", (int)strcspn(at + strlen(word), "\n"), at + strlen(word));
	return found;
}

static int has(const char *file, const char *word, const char *rest)
{
	int same = !strcmp(line_of(file, word), rest);

	if (!same)
		fprintf(stderr, "%s: %s'%s'\n", file, word, line_of(file, word));
	return same;
}

/* Where a link leads, or "-". */
static const char *link_of(const char *name)
{
	static char to[256];
	int n = readlink(name, to, sizeof(to) - 1);

	snprintf(to + (n < 0 ? 0 : n), 2, "%s", n < 0 ? "-" : "");
	return to;
}

/* How many processes a /proc has. */
static int processes(const char *where)
{
	DIR *all = opendir(where);
	int n = 0;

	for (struct dirent *one; all && (one = readdir(all)) != NULL;)
		n += one->d_name[0] >= '1' && one->d_name[0] <= '9';
	closedir(all);
	return n;
}

static char *number(const char *format, int one, int two)
{
	static char made[4][128];
	static int at;

	snprintf(made[at = (at + 1) % 4], 128, format, one, two);
	return made[at];
}

/* Process 1 of the new namespace. */
static int inside(int outer, int parent, int tell, int wait_for)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	timer_t timer;
	char c;
	int fd, child, fds[2], status;

	CHECK("process 1", getpid() == 1 && getppid() == 0);
	CHECK("by the old /proc it has the old number", atoi(link_of("/proc/self")) == outer);
	CHECK("there with both numbers", has("/proc/self/status", "NSpid:", number("\t%d\t1", outer, 0))
		&& has("/proc/self/status", "\nPid:", number("\t%d", outer, 0)) && has("/proc/self/status", "PPid:", number("\t%d", parent, 0)));
	CHECK("a mount", mkdir(INNER, 0755) == 0 && mount("proc", INNER, "proc", 0, NULL) == 0);
	CHECK("self", !strcmp(link_of(INNER "/self"), "1") && !strcmp(link_of(INNER "/thread-self"), "1/task/1"));
	CHECK("it alone", processes(INNER) == 1 && access(INNER "/2", F_OK) == -1 && errno == ENOENT);
	CHECK("nobody by the old number", access(number(INNER "/%d", outer, 0), F_OK) == -1 && errno == ENOENT);
	CHECK("no parent", has(INNER "/1/status", "PPid:", "\t0") && has(INNER "/1/status", "Tgid:", "\t1"));
	CHECK("one number", has(INNER "/1/status", "NSpid:", "\t1") && has(INNER "/1/status", "NStgid:", "\t1"));
	CHECK("group and session are outside", has(INNER "/1/status", "NSpgid:", "\t0") && has(INNER "/1/status", "NSsid:", "\t0"));
	int pid = 0, ppid = -1, group = -1, session = -1, terminal, foreground;
	guest_read(INNER "/self/stat", text, sizeof(text));
	CHECK("stat", sscanf(text, "%d (%*[^)]) R %d %d %d %d %d", &pid, &ppid, &group, &session, &terminal, &foreground) == 6
		&& pid == 1 && ppid == 0 && group == 0 && session == 0);
	CHECK("the thread", !access(INNER "/1/task/1/status", F_OK) && access(INNER "/1/task/2/status", F_OK) == -1);
	CHECK("sched", guest_read(INNER "/1/sched", text, sizeof(text)) > 0 && strstr(text, "(1, #threads: 1)"));
	CHECK("no child", guest_read(INNER "/1/task/1/children", text, sizeof(text)) == 0);
	pipe(fds);
	if ((child = fork()) == 0) {
		close(fds[1]);
		_exit(read(fds[0], &c, 1));
	}
	CHECK("a child", child == 2 && processes(INNER) == 2 && has(INNER "/2/status", "PPid:", "\t1"));
	CHECK("is in the list", guest_read(INNER "/1/task/1/children", text, sizeof(text)) > 0 && !strcmp(text, "2 "));
	CHECK("the last number", guest_read("/proc/loadavg", text, sizeof(text)) > 0 && atoi(strrchr(text, ' ')) == 2);
	fd = syscall(SYS_pidfd_open, child, 0);
	CHECK("its descriptor", has(number(INNER "/self/fdinfo/%d", fd, 0), "Pid:", "\t2")
		&& has(number(INNER "/self/fdinfo/%d", fd, 0), "NSpid:", "\t2"));
	CHECK("from outside", atoi(line_of(number("/proc/self/fdinfo/%d", fd, 0), "Pid:")) > 2);
	snprintf(path, sizeof(path), "\t%d\t2", atoi(line_of(number("/proc/self/fdinfo/%d", fd, 0), "Pid:")));
	CHECK("with both numbers", has(number("/proc/self/fdinfo/%d", fd, 0), "NSpid:", path));
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	CHECK("a timer", has(INNER "/self/timers", "notify: ", "signal/pid.1")
		&& has("/proc/self/timers", "notify: ", number("signal/pid.%d", outer, 0)));
	int file = open("/tmp/procns.lock", O_RDWR | O_CREAT, 0600);
	fcntl(file, F_SETLK, &lock);
	CHECK("a lock", guest_read(INNER "/locks", text, sizeof(text)) > 0 && strstr(text, "POSIX  ADVISORY  WRITE 1 "));
	CHECK("tells outside", write(tell, "1", 1) == 1 && read(wait_for, &c, 1) == 1);
	close(fds[1]);
	CHECK("its end", wait(&status) == 2 && processes(INNER) == 1);
	unlink("/tmp/procns.lock");
	return guest_failures != 0;
}

static void users(void)
{
	int fds[2], back[2], status;
	char c;

	pipe(fds);
	pipe(back);
	pid_t child = fork();
	if (child == 0) {
		int failed = unshare(CLONE_NEWUSER) != 0 || !has("/proc/self/status", "Uid:", "\t65534\t65534\t65534\t65534");

		write(fds[1], "1", 1);
		read(back[0], &c, 1);
		failed |= !has("/proc/self/status", "Uid:", "\t1000\t1000\t1000\t1000")
			|| !has("/proc/self/status", "Gid:", "\t65534\t65534\t65534\t65534");
		_exit(failed);
	}
	read(fds[0], &c, 1);
	CHECK("root for who is outside", has(number("/proc/%d/status", child, 0), "Uid:", "\t0\t0\t0\t0"));
	int map = open(number("/proc/%d/uid_map", child, 0), O_WRONLY);
	CHECK("a map", write(map, "1000 0 1\n", 9) == 9);
	close(map);
	write(back[1], "1", 1);
	CHECK("others inside", wait(&status) == child && status == 0);
}

static void cgroups(void)
{
	char first[64], second[64];
	int old = open("/proc/self/ns/cgroup", O_RDONLY), status;

	snprintf(first, sizeof(first), "%s", link_of("/proc/self/ns/cgroup"));
	CHECK("a cgroup namespace", unshare(CLONE_NEWCGROUP) == 0);
	snprintf(second, sizeof(second), "%s", link_of("/proc/self/ns/cgroup"));
	CHECK("of its own", strcmp(first, second) && !strncmp(second, "cgroup:[", 8));
	if (fork() == 0)
		_exit(strcmp(link_of("/proc/self/ns/cgroup"), second) != 0);
	CHECK("a child is in it", wait(&status) > 0 && status == 0);
	CHECK("back", setns(old, CLONE_NEWCGROUP) == 0 && !strcmp(link_of("/proc/self/ns/cgroup"), first));
	FAILS("another kind", EINVAL, setns(old, CLONE_NEWUTS));
	if (fork() == 0)
		_exit(setuid(65534) || unshare(CLONE_NEWCGROUP) != -1 || errno != EPERM || setns(old, CLONE_NEWCGROUP) != -1 || errno != EPERM
			|| unshare(CLONE_NEWUSER | CLONE_NEWCGROUP) != 0);
	CHECK("who may", wait(&status) > 0 && status == 0);
	pid_t child = syscall(SYS_clone, CLONE_NEWCGROUP | SIGCHLD, NULL, NULL, NULL, NULL);
	if (child == 0)
		_exit(!strcmp(link_of("/proc/self/ns/cgroup"), first));
	CHECK("clone makes one", waitpid(child, &status, 0) == child && status == 0);
	CHECK("the limit is kept", guest_read("/proc/sys/user/max_cgroup_namespaces", text, sizeof(text)) > 0);
	snprintf(before, sizeof(before), "%.15s", text);
	int limit = open("/proc/sys/user/max_cgroup_namespaces", O_WRONLY);
	write(limit, "0\n", 2);
	FAILS("none more", ENOSPC, unshare(CLONE_NEWCGROUP));
	pwrite(limit, before, strlen(before), 0);
	CHECK("again", unshare(CLONE_NEWCGROUP) == 0);
}

int main(void)
{
	int out[2], in[2], status;
	char c;

	setvbuf(stdout, NULL, _IONBF, 0);
	mkdir("/tmp", 01777);
	pipe(out);
	pipe(in);
	pid_t parent = getpid(), outer = 0;
	int numbers[2];
	pipe(numbers);
	if (fork() == 0) {
		unshare(CLONE_NEWPID);
		outer = fork();
		if (outer == 0) {
			close(out[0]);
			close(in[1]);
			read(numbers[0], &outer, sizeof(outer));
			read(numbers[0], &parent, sizeof(parent));
			_exit(inside(outer, parent, out[1], in[0]));
		}
		parent = getpid();
		write(numbers[1], &outer, sizeof(outer));
		write(numbers[1], &parent, sizeof(parent));
		waitpid(outer, &status, 0);
		_exit(WEXITSTATUS(status));
	}
	close(out[1]);
	CHECK("it is ready", read(out[0], &c, 1) == 1);
	FAILS("who is outside is not in its /proc", ENOENT, readlink(INNER "/self", text, sizeof(text)));
	CHECK("and sees what is in it", has(INNER "/1/status", "\nPid:", "\t1") && processes(INNER) == 2);
	CHECK("locks of there", guest_read(INNER "/locks", text, sizeof(text)) > 0 && strstr(text, "POSIX  ADVISORY  WRITE 1 "));
	write(in[1], "1", 1);
	close(in[1]);
	CHECK("all was well inside", wait(&status) > 0 && status == 0);
	CHECK("nobody is left", processes(INNER) == 0);
	CHECK("the end of the mount", umount(INNER) == 0 && rmdir(INNER) == 0);
	users();
	cgroups();
	return guest_done("procns");
}
