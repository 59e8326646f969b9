// SPDX-License-Identifier: MIT
/* Mount namespaces: what is mounted in one is not there in another; clone, setns, pivot_root; as root. */
#include "guest.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>


static int mounted(const char *where)
{
	char line[512], point[256];
	FILE *file = fopen("/proc/self/mounts", "r");
	int found = 0;

	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %255s", point) == 1 && !strcmp(point, where))
			found++;
	fclose(file);
	return found;
}

static int put(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0644);

	return fd < 0 ? -1 : close(fd);
}

/* The name of the caller's namespace. */
static long space(void)
{
	char text[64] = "";

	readlink("/proc/self/ns/mnt", text, 63);
	return strtol(text + 5, 0, 10);
}

static void apart(int first)
{
	long before = space();
	char cwd[256], path[256];
	int status;

	CHECK("unshare", unshare(CLONE_NEWNS) == 0 && space() != before);
	CHECK("the working directory stays", getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/tmp/ns"));
	CHECK("nothing is passed on", mount("none", "/", 0, MS_REC | MS_PRIVATE, 0) == 0);
	CHECK("what was mounted is", access("/tmp/ns/outside/a", F_OK) == 0 && mounted("/tmp/ns/outside") == 1);
	mount("/tmp/ns/outside", "/tmp/ns/inside", 0, MS_BIND, 0);
	status = open("inside/a", O_RDONLY);
	snprintf(cwd, sizeof(cwd), "/proc/self/fd/%d", status);
	CHECK("a file has the path that it was opened by", readlink(cwd, path, sizeof(path)) == 16 && !memcmp(path, "/tmp/ns/inside/a", 16));
	close(status);
	umount("inside");
	CHECK("a mount of its own", mount("none", "inside", "tmpfs", 0, 0) == 0 && put("inside/b") == 0 && mounted("/tmp/ns/inside") == 1);
	CHECK("files are the same", put("/tmp/ns/shared") == 0);
	CHECK("an unmount of its own", umount("outside") == 0 && access("/tmp/ns/outside/a", F_OK) == -1);
	CHECK("back", setns(first, CLONE_NEWNS) == 0 && space() == before);
	CHECK("at the root", getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/"));
	CHECK("where the mount is not", access("/tmp/ns/inside/b", F_OK) == -1 && mounted("/tmp/ns/inside") == 0);
	CHECK("nor the unmount", access("/tmp/ns/outside/a", F_OK) == 0 && access("/tmp/ns/shared", F_OK) == 0);
}

static int other(void *argument)
{
	(void)argument;
	mount("none", "/", 0, MS_REC | MS_PRIVATE, 0);
	return mount("none", "/tmp/ns/inside", "tmpfs", 0, 0) || put("/tmp/ns/inside/c");
}

static void pivot(void)
{
	struct stat old, now;

	unshare(CLONE_NEWNS);
	mount("none", "/", 0, MS_REC | MS_PRIVATE, 0);
	mkdir("/tmp/ns/root", 0755);
	stat("/", &old);
	FAILS("no mount", EBUSY, syscall(SYS_pivot_root, "/tmp/ns/root", "/tmp/ns/root"));
	mount("none", "/tmp/ns/root", "tmpfs", 0, 0);
	mkdir("/tmp/ns/root/old", 0755);
	put("/tmp/ns/root/mark");
	FAILS("no directory", ENOTDIR, syscall(SYS_pivot_root, "/tmp/ns/root", "/tmp/ns/root/mark"));
	FAILS("a place in the root's mount", EBUSY, syscall(SYS_pivot_root, "/tmp/ns/root", "/tmp/ns/inside"));
	mkdir("/tmp/ns/root/old/below", 0755);
	FAILS("a folder of a mount", EINVAL, syscall(SYS_pivot_root, "/tmp/ns/root/old", "/tmp/ns/root/old/below"));
	FAILS("the root itself", EBUSY, syscall(SYS_pivot_root, "/", "/tmp"));
	CHECK("pivot_root", syscall(SYS_pivot_root, "/tmp/ns/root", "/tmp/ns/root/old") == 0);
	CHECK("is the root now", access("/mark", F_OK) == 0 && stat("/old", &now) == 0 && now.st_ino == old.st_ino);
	CHECK("with the old one below", access("/old/tmp/ns/shared", F_OK) == 0);
	FAILS("which is in use until nobody is there", EBUSY, umount("/old"));
	CHECK("or taken off", umount2("/old", MNT_DETACH) == 0 && access("/old/tmp", F_OK) == -1);
}

int main(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	int first = open("/proc/self/ns/mnt", O_RDONLY), status = 0;
	pid_t child;

	unshare(CLONE_NEWNS);
	mount("none", "/", 0, MS_REC | MS_PRIVATE, 0);
	close(first);
	first = open("/proc/self/ns/mnt", O_RDONLY);
	mkdir("/tmp/ns", 0755);
	mkdir("/tmp/ns/inside", 0755);
	mkdir("/tmp/ns/outside", 0755);
	chdir("/tmp/ns");
	mount("none", "/tmp/ns/outside", "tmpfs", 0, 0);
	put("/tmp/ns/outside/a");
	apart(first);
	FAILS("a descriptor of another kind", EINVAL, setns(first, CLONE_NEWUTS));
	FAILS("with a shared root", EINVAL, clone(other, stack + sizeof(stack), CLONE_NEWNS | CLONE_FS | SIGCHLD, 0));
	child = clone(other, stack + sizeof(stack), CLONE_NEWNS | SIGCHLD, 0);
	CHECK("a child with its own", child > 0 && waitpid(child, &status, 0) == child && status == 0);
	CHECK("seen by nobody else", access("/tmp/ns/inside/c", F_OK) == -1);
	child = fork();
	if (!child) {
		setuid(65534);
		_exit(unshare(CLONE_NEWNS) == -1 && errno == EPERM ? 0 : 1);
	}
	CHECK("root alone", waitpid(child, &status, 0) == child && status == 0);
	fflush(stdout);
	child = fork();
	if (!child) {
		pivot();
		fflush(stdout);
		_exit(guest_failures);
	}
	CHECK("a root of its own", waitpid(child, &status, 0) == child && status == 0 && access("/mark", F_OK) == -1);
	umount("/tmp/ns/outside");
	system("rm -r /tmp/ns");
	return guest_done("mountns");
}
