// SPDX-License-Identifier: MIT
/* PID and user namespaces: numbers and IDs inside and outside, maps, setns, the end of process 1. */
#include "guest.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), result;

	if (fd < 0)
		return -errno;
	result = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return result;
}

static void link_of(const char *path, char text[64])
{
	ssize_t n = readlink(path, text, 63);

	text[n < 0 ? 0 : n] = 0;
}

struct seen { pid_t pid, tid, ppid, forked, waited, first; int refused, inherited; };

static volatile struct seen *seen;

/* Process 1 of a new PID namespace. */
static void inside(void)
{
	pid_t child;

	seen->pid = getpid();
	seen->tid = gettid();
	seen->ppid = getppid();
	child = fork();
	if (!child) {
		seen->inherited = getppid() == 1 && getpid() == 2;
		/* Process 1 gets only what it handles. */
		kill(1, SIGKILL);
		kill(1, SIGTERM);
		_exit(7);
	}
	seen->forked = child;
	seen->waited = waitpid(child, NULL, 0);
	seen->refused = kill(seen->first, 0) < 0 ? errno : 0;
	/* An orphan comes to process 1. */
	if (!(child = fork())) {
		if (!fork()) {
			while (getppid() != 1)
				usleep(100);
			_exit(0);
		}
		_exit(0);
	}
	waitpid(child, NULL, 0);
	_exit(wait(NULL) > 0 ? 5 : 6);
}

int main(void)
{
	char before[64], after[64], path[64];
	uid_t outside = getuid();
	gid_t outside_group = getgid();
	int status, fd, pipes[2];
	pid_t child;

	seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	seen->first = getpid();

	link_of("/proc/self/ns/user", before);
	CHECK("user namespace as a link", !strncmp(before, "user:[", 6));
	CHECK("clone into a thread's own PID namespace", syscall(SYS_unshare, CLONE_NEWPID | 0x1000) < 0 && errno == EINVAL);

	CHECK("unshare user and PID", !unshare(CLONE_NEWUSER | CLONE_NEWPID));
	link_of("/proc/self/ns/user", after);
	CHECK("another user namespace", strcmp(before, after) && !strncmp(after, "user:[", 6));
	CHECK("without a map everybody is nobody", getuid() == 65534 && geteuid() == 65534 && getgid() == 65534);
	CHECK("setuid to what has no mapping", setuid(0) < 0 && errno == EINVAL);
	CHECK("gid map with setgroups allowed", write_file("/proc/self/gid_map", "0 5 1\n") == -EPERM);
	CHECK("setgroups denied", !write_file("/proc/self/setgroups", "deny"));
	snprintf(path, sizeof(path), "0 %u 1\n", outside);
	CHECK("uid map", !write_file("/proc/self/uid_map", path));
	CHECK("uid map once", write_file("/proc/self/uid_map", path) == -EPERM);
	snprintf(path, sizeof(path), "0 %u 1\n", outside_group);
	CHECK("gid map", !write_file("/proc/self/gid_map", path));
	CHECK("root inside", getuid() == 0 && geteuid() == 0 && getgid() == 0 && getegid() == 0);
	CHECK("still in the old PID namespace", getpid() == seen->first);

	link_of("/proc/self/ns/pid", before);
	link_of("/proc/self/ns/pid_for_children", after);
	CHECK("PID namespace for children", strncmp(before, "pid:[", 5) == 0);

	/* Before the first child: then threads are not possible. */
	CHECK("no threads across", syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, 0, 0, 0, 0) < 0 && errno == EINVAL);

	child = fork();
	if (!child)
		inside();
	CHECK("the child has a number outside", child > 1 && child != 1);
	CHECK("wait for process 1", waitpid(child, &status, 0) == child);
	CHECK("process 1 ended by itself", WIFEXITED(status) && WEXITSTATUS(status) == 5);
	CHECK("its own numbers", seen->pid == 1 && seen->tid == 1);
	CHECK("its parent is not visible", seen->ppid == 0);
	CHECK("its child's number", seen->forked == 2 && seen->waited == 2 && seen->inherited);
	CHECK("outside is not to be signalled", seen->refused == ESRCH);
	CHECK("after process 1 nobody is born", fork() < 0 && errno == ENOMEM);

	/* A namespace by clone, entered by setns; its process 1 takes everybody along. */
	CHECK("pipe", !pipe(pipes));
	CHECK("another PID namespace", !unshare(CLONE_NEWPID) || errno == EINVAL || errno == ENOMEM);
	child = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	if (!child) {
		close(pipes[1]);
		_exit(read(pipes[0], path, 1) == 1 ? 3 : 4);
	}
	if (child > 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/pid", child);
		fd = open(path, O_RDONLY);
		CHECK("namespace opens", fd >= 0);
		CHECK("setns of another kind", setns(fd, CLONE_NEWUSER) < 0 && errno == EINVAL);
		CHECK("setns", !setns(fd, CLONE_NEWPID));
		pid_t other = fork();
		if (!other) {
			seen->pid = getpid();
			seen->ppid = getppid();
			for (;;)
				pause();
		}
		while (seen->pid == 1)
			usleep(100);
		CHECK("born into it", other > 0 && seen->pid == 2 && seen->ppid == 0);
		CHECK("let process 1 go", write(pipes[1], "x", 1) == 1);
		CHECK("process 1 ends", waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 3);
		CHECK("with it the others", waitpid(other, &status, 0) == other && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	} else {
		CHECK("clone with a PID namespace", 0);
	}
	return guest_done("namespaces");
}
