// SPDX-License-Identifier: MIT
/* Mounts that hear of each other: peers, slaves, private and unbindable ones, in one namespace and in two; as root, in a mount namespace
 * of its own. */
#include "guest.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define AT "/tmp/propagation"

static int put(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY, 0644);

	return fd < 0 ? -1 : close(fd);
}

static int is(const char *path)
{
	return access(path, F_OK) == 0;
}

static int is_point(const char *path)
{
	struct stat one, above;
	char parent[256];

	snprintf(parent, sizeof(parent), "%s/..", path);
	return !stat(path, &one) && !stat(parent, &above) && one.st_dev != above.st_dev;
}

/* Lines of mountinfo with a point, and whether the fields before the "-" have a word. */
static int lines(const char *point, const char *root, const char *word, int *with)
{
	char line[1024], shown[256], place[256];
	FILE *file = fopen("/proc/self/mountinfo", "r");
	int found = 0;

	*with = 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %*s %*s %255s %255s", shown, place) != 2 || (point && strcmp(place, point)) || (root && strcmp(shown, root)))
			continue;
		found++;
		*strstr(line, " - ") = 0;
		*with += strstr(line, word) != NULL;
	}
	fclose(file);
	return found;
}

static int tmpfs(const char *at)
{
	return mount("propagation", at, "tmpfs", 0, NULL);
}

static int kind(const char *at, unsigned long flags)
{
	return mount(NULL, at, NULL, flags, NULL);
}

static void fresh(void)
{
	umount2(AT "/p", MNT_DETACH);
	umount2(AT "/q", MNT_DETACH);
	umount2(AT "/r", MNT_DETACH);
	tmpfs(AT "/p");
	mkdir(AT "/p/a", 0755);
	mkdir(AT "/p/a/deep", 0755);
	mkdir(AT "/p/b", 0755);
}

static void peers(void)
{
	int with, fd;

	fresh();
	CHECK("shared", kind(AT "/p", MS_SHARED) == 0 && lines(AT "/p", "/", "shared:", &with) == 1 && with == 1);
	CHECK("shown again", mount(AT "/p", AT "/q", NULL, MS_BIND, NULL) == 0 && lines(AT "/q", "/", "shared:", &with) == 1 && with == 1);
	CHECK("what is mounted on one", tmpfs(AT "/p/a") == 0 && put(AT "/p/a/file") == 0);
	CHECK("is on the other", is(AT "/q/a/file") && lines(AT "/q/a", "/", "shared:", &with) == 1 && with == 1);
	CHECK("what is mounted on that", mkdir(AT "/q/a/below", 0755) == 0 && tmpfs(AT "/q/a/below") == 0 && is_point(AT "/p/a/below"));
	fd = open(AT "/p/a/below", O_RDONLY);
	FAILS("who uses one keeps the other", EBUSY, umount(AT "/q/a/below"));
	close(fd);
	CHECK("until he does no more", umount(AT "/q/a/below") == 0 && !is_point(AT "/p/a/below"));
	CHECK("taken off one", umount(AT "/q/a") == 0 && !is(AT "/p/a/file") && !is(AT "/q/a/file"));
	CHECK("a part is shown", mount(AT "/p/a", AT "/r", NULL, MS_BIND, NULL) == 0 && lines(AT "/r", "/a", "shared:", &with) == 1);
	CHECK("and hears of what is in it", tmpfs(AT "/q/a/deep") == 0 && is_point(AT "/r/deep") && is_point(AT "/p/a/deep"));
	CHECK("not of others", tmpfs(AT "/p/b") == 0 && is_point(AT "/q/b") && !is(AT "/r/b"));
	CHECK("lazily taken off with what is in it", umount2(AT "/p/b", MNT_DETACH) == 0 && !is_point(AT "/q/b"));
	FAILS("nothing is moved away from under peers", EINVAL, mount(AT "/p/a/deep", AT "/p/b", NULL, MS_MOVE, NULL));
	CHECK("one leaves", kind(AT "/q", MS_PRIVATE) == 0 && tmpfs(AT "/p/b") == 0 && !is_point(AT "/q/b"));
}

static void slaves(void)
{
	int with;

	fresh();
	kind(AT "/p", MS_SHARED);
	mount(AT "/p", AT "/q", NULL, MS_BIND, NULL);
	CHECK("a slave", kind(AT "/q", MS_SLAVE) == 0 && lines(AT "/q", "/", "master:", &with) == 1 && with == 1);
	CHECK("hears", tmpfs(AT "/p/a") == 0 && is_point(AT "/q/a"));
	CHECK("and is not heard", tmpfs(AT "/q/b") == 0 && !is_point(AT "/p/b"));
	CHECK("shared with others", kind(AT "/q", MS_SHARED) == 0 && mount(AT "/q", AT "/r", NULL, MS_BIND, NULL) == 0 &&
		lines(AT "/r", "/", "shared:", &with) == 1 && with == 1 && lines(AT "/r", "/", "master:", &with) == 1 && with == 1);
	umount(AT "/p/a");
	CHECK("which hear through it", !is_point(AT "/q/a") && tmpfs(AT "/p/a") == 0 && is_point(AT "/q/a") && is_point(AT "/r/a"));
	CHECK("and it of them", umount(AT "/q/b") == 0 && tmpfs(AT "/r/b") == 0 && is_point(AT "/q/b") && !is_point(AT "/p/b"));
	CHECK("alone, a slave is private", kind(AT "/p", MS_SLAVE) == 0 && lines(AT "/p", "/", "master:", &with) == 1 && with == 0 &&
		lines(AT "/q", "/", "master:", &with) == 1 && with == 0);

	fresh();
	kind(AT "/p", MS_UNBINDABLE);
	FAILS("unbindable", EINVAL, mount(AT "/p", AT "/q", NULL, MS_BIND, NULL));
	kind(AT "/p", MS_PRIVATE);
	CHECK("private again", mount(AT "/p", AT "/q", NULL, MS_BIND, NULL) == 0 && tmpfs(AT "/p/a") == 0 && !is_point(AT "/q/a"));
}

static void trees(void)
{
	fresh();
	kind(AT "/p", MS_SHARED);
	mount(AT "/p", AT "/q", NULL, MS_BIND, NULL);
	tmpfs(AT "/r");
	mkdir(AT "/r/in", 0755);
	tmpfs(AT "/r/in");
	put(AT "/r/in/file");
	CHECK("a tree is put on one", mount(AT "/r", AT "/p/a", NULL, MS_BIND | MS_REC, NULL) == 0 && is(AT "/p/a/in/file"));
	CHECK("and on the other", is(AT "/q/a/in/file"));
	umount2(AT "/p/a", MNT_DETACH);
	CHECK("and taken off both", !is(AT "/p/a/in/file") && !is(AT "/q/a/in") && is(AT "/r/in/file"));
	CHECK("a tree is moved there", mount(AT "/r", AT "/q/b", NULL, MS_MOVE, NULL) == 0 && is(AT "/q/b/in/file") && is(AT "/p/b/in/file"));
	CHECK("what is there gives way", mount(AT "/p/b/in", AT "/p/b", NULL, MS_BIND, NULL) == 0 && is(AT "/p/b/file") && is(AT "/q/b/file"));
}

static void namespaces(void)
{
	int ready[2], go[2], status;
	char byte = 0;

	fresh();
	kind(AT "/p", MS_SHARED);
	if (pipe(ready) || pipe(go))
		return;
	if (fork() == 0) {
		int good = unshare(CLONE_NEWNS) == 0 && write(ready[1], "", 1) == 1 && read(go[0], &byte, 1) == 1 && is_point(AT "/p/a") &&
			tmpfs(AT "/p/b") == 0 && kind(AT "/p", MS_SLAVE) == 0;
		_exit(!(good && write(ready[1], "", 1) == 1 && read(go[0], &byte, 1) == 1 && !is_point(AT "/p/a") && umount(AT "/p/b") == 0));
	}
	status = read(ready[0], &byte, 1) == 1 && tmpfs(AT "/p/a") == 0 && write(go[1], "", 1) == 1 && read(ready[0], &byte, 1) == 1;
	CHECK("another namespace's mount is here", status && is_point(AT "/p/b"));
	CHECK("and ours is gone there", umount(AT "/p/a") == 0 && write(go[1], "", 1) == 1 && wait(&status) > 0 && status == 0);
	CHECK("a slave's are its own", is_point(AT "/p/b"));
	if (fork() == 0) {
		int with;
		_exit(!(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && lines(AT "/p", "/", "master:", &with) == 1 && with == 1));
	}
	CHECK("another user's namespace has slaves", wait(&status) > 0 && status == 0);
}

static void stacks(void)
{
	int with, status;

	fresh();
	kind(AT "/p", MS_SHARED);
	if (fork() == 0) {
		int all;
		if (chroot(AT "/p") || chdir("/") || mkdir("/proc", 0755) || mount("proc", "/proc", "proc", 0, NULL))
			_exit(9);
		for (int n = 0; n < 5; n++)
			if (mount("/", "/", NULL, MS_BIND, NULL))
				_exit(8);
		all = lines("/", NULL, "shared:", &with);
		if (all != 32 || with != 32)
			_exit(all);
		/* What is on top of it, then it itself, which is the caller's root and stays. */
		if (umount("/") || lines("/", NULL, "shared:", &with) != 1 || umount("/"))
			_exit(7);
		_exit(!(open("/none", O_CREAT | O_WRONLY, 0600) == -1 && errno == EROFS));
	}
	CHECK("over itself it doubles", wait(&status) > 0 && status == 0);
}

int main(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return 1;
	mkdir(AT, 0755);
	tmpfs(AT);
	kind(AT, MS_PRIVATE);
	mkdir(AT "/p", 0755);
	mkdir(AT "/q", 0755);
	mkdir(AT "/r", 0755);
	peers();
	slaves();
	trees();
	namespaces();
	stacks();
	return guest_done("propagation");
}
