// SPDX-License-Identifier: MIT
/* Each mount of devpts has terminals and numbers of its own, its options say whose they are and how many, and /dev/ptmx makes those of
   the one that is mounted beside it. As root. */
#include "guest.h"
#include <dirent.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif
#define ONE "/tmp/devpts/one"
#define TWO "/tmp/devpts/two"
#define BESIDE "/tmp/devpts/beside"
static char text[65536];

/* Opens a multiplexer: the number of the terminal, or -errno; *master is its descriptor. */
static int terminal(const char *multiplexer, int *master)
{
	int number = -1, unlock = 0;

	*master = open(multiplexer, O_RDWR | O_NOCTTY);
	if (*master < 0)
		return -errno;
	ioctl(*master, TIOCSPTLCK, &unlock);
	return ioctl(*master, TIOCGPTN, &number) ? -errno : number;
}

/* Entries of a directory but . and .. */
static int entries(const char *where)
{
	DIR *all = opendir(where);
	int n = 0;

	for (struct dirent *one; all && (one = readdir(all)) != NULL;)
		n += one->d_name[0] != '.';
	closedir(all);
	return n;
}

/* Options of the last mount at a place, as /proc/mounts has them. */
static const char *options_of(const char *where)
{
	static char found[256];
	char key[64], *at = text;

	found[0] = 0;
	snprintf(key, sizeof(key), " %s devpts ", where);
	guest_read("/proc/mounts", text, sizeof(text));
	while ((at = strstr(at, key)) != NULL) {
		at += strlen(key);
		snprintf(found, sizeof(found), "%.*s", (int)strcspn(at, " "), at);
	}
	return found;
}

static int says(int from, int to, const char *what)
{
	char got[16] = "";

	return write(from, what, strlen(what)) == (int)strlen(what) && read(to, got, sizeof(got)) == (int)strlen(what)
		&& !memcmp(got, what, strlen(what));
}

static void apart(void)
{
	struct stat first, second, node;
	int a, b, c, other, slave, number;

	CHECK("a mount", mount("devpts", ONE, "devpts", 0, "ptmxmode=0666,mode=0600") == 0);
	CHECK("another", mount("devpts", TWO, "devpts", 0, "newinstance,ptmxmode=600,gid=7,uid=9,mode=0640,max=2") == 0);
	CHECK("two file systems", stat(ONE, &first) == 0 && stat(TWO, &second) == 0 && first.st_dev != second.st_dev);
	CHECK("numbers of inodes", first.st_ino == 1 && stat(ONE "/ptmx", &node) == 0 && node.st_ino == 2
		&& node.st_rdev == makedev(5, 2));
	CHECK("what makes terminals", (node.st_mode & 07777) == 0666 && stat(TWO "/ptmx", &node) == 0 && (node.st_mode & 07777) == 0600);
	CHECK("options", strstr(options_of(ONE), ",mode=600,ptmxmode=666") && !strstr(options_of(ONE), "max"));
	CHECK("all of them", strstr(options_of(TWO), ",uid=9,gid=7,mode=640,ptmxmode=600,max=2"));
	CHECK("only that is there", entries(ONE) == 1 && entries(TWO) == 1);
	CHECK("the first", terminal(ONE "/ptmx", &a) == 0);
	CHECK("the first there, too", terminal(TWO "/ptmx", &b) == 0);
	CHECK("each in its own", entries(ONE) == 2 && entries(TWO) == 2);
	CHECK("whose", stat(ONE "/0", &node) == 0 && node.st_uid == 0 && node.st_gid == 0 && node.st_mode == (S_IFCHR | 0600));
	CHECK("its numbers", node.st_ino == 3 && node.st_rdev == makedev(136, 0));
	CHECK("as options say", stat(TWO "/0", &node) == 0 && node.st_uid == 9 && node.st_gid == 7 && node.st_mode == (S_IFCHR | 0640));
	slave = open(ONE "/0", O_RDWR | O_NOCTTY);
	other = open(TWO "/0", O_RDWR | O_NOCTTY);
	CHECK("both open", slave >= 0 && other >= 0);
	struct termios raw;
	tcgetattr(slave, &raw);
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	tcsetattr(other, TCSANOW, &raw);
	CHECK("to and fro", says(a, slave, "one") && says(b, other, "two") && says(slave, a, "three") && says(other, b, "four"));
	CHECK("names", !strcmp(ttyname(slave) ?: "", ONE "/0"));
	snprintf(text, sizeof(text), "/proc/self/fd/%d", other);
	char name[64] = "";
	CHECK("and links", readlink(text, name, sizeof(name) - 1) > 0 && !strcmp(name, TWO "/0"));
	CHECK("the next is the second", terminal(TWO "/ptmx", &c) == 1);
	int full;
	CHECK("and the last", terminal(TWO "/ptmx", &full) == -ENOSPC);
	CHECK("not of the other", (number = terminal(ONE "/ptmx", &full)) == 1);
	int peer = ioctl(full, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	CHECK("its peer", peer >= 0 && !strcmp(ttyname(peer) ?: "", ONE "/1"));
	close(peer);
	close(full);
	/* A number is free when both ends are closed. */
	close(b);
	CHECK("closed: the file is gone", access(TWO "/0", F_OK) == -1 && errno == ENOENT && entries(TWO) == 2);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", other);
	memset(name, 0, sizeof(name));
	CHECK("and said to be", readlink(text, name, sizeof(name) - 1) > 0 && !strcmp(name, TWO "/0 (deleted)"));
	CHECK("the number is not free", terminal(TWO "/ptmx", &full) == -ENOSPC);
	close(other);
	CHECK("now it is", terminal(TWO "/ptmx", &b) == 0);
	/* Device files elsewhere. */
	mknod("/tmp/devpts/node", S_IFCHR | 0600, makedev(136, 0));
	FAILS("such a number elsewhere", EIO, open("/tmp/devpts/node", O_RDWR | O_NOCTTY));
	mknod("/tmp/devpts/ptmx", S_IFCHR | 0600, makedev(5, 2));
	FAILS("nothing beside it", ENOENT, open("/tmp/devpts/ptmx", O_RDWR | O_NOCTTY));
	mknod(BESIDE "/ptmx", S_IFCHR | 0600, makedev(5, 2));
	mkdir(BESIDE "/pts", 0755);
	FAILS("a directory beside it", ENODEV, open(BESIDE "/ptmx", O_RDWR | O_NOCTTY));
	CHECK("a mount beside it", mount("devpts", BESIDE "/pts", "devpts", 0, NULL) == 0);
	CHECK("nobody may by default", strstr(options_of(BESIDE "/pts"), ",mode=600,ptmxmode=000"));
	CHECK("its first", terminal(BESIDE "/ptmx", &full) == 0 && access(BESIDE "/pts/0", F_OK) == 0);
	close(full);
	CHECK("shown once more", mount(ONE, BESIDE "/pts", NULL, MS_BIND, NULL) == 0);
	CHECK("is the same", terminal(BESIDE "/ptmx", &full) == 1 && access(ONE "/1", F_OK) == 0);
	close(full);
	CHECK("a file shown", mount(TWO "/ptmx", BESIDE "/ptmx", NULL, MS_BIND, NULL) == 0);
	CHECK("makes those beside its place or its own", (number = terminal(BESIDE "/ptmx", &full)) == -ENOSPC || number == 1);
	close(full);
	umount(BESIDE "/ptmx");
	umount(BESIDE "/pts");
	umount(BESIDE "/pts");
	/* Other options later. */
	CHECK("other options", mount(NULL, ONE, NULL, MS_REMOUNT, "mode=0622,max=1") == 0
		&& strstr(options_of(ONE), ",mode=622,ptmxmode=000,max=1"));
	CHECK("for new ones", stat(ONE "/0", &node) == 0 && (node.st_mode & 07777) == 0600 && terminal(ONE "/ptmx", &full) == -ENOSPC);
	CHECK("and the file that makes them", stat(ONE "/ptmx", &node) == 0 && (node.st_mode & 07777) == 0);
	FAILS("no such option", EINVAL, mount("devpts", BESIDE "/pts", "devpts", 0, "colour=1"));
	FAILS("no number", EINVAL, mount("devpts", BESIDE "/pts", "devpts", 0, "max=many"));
	FAILS("too many", EINVAL, mount("devpts", BESIDE "/pts", "devpts", 0, "max=1048577"));
	close(a);
	close(b);
	close(c);
	close(slave);
	CHECK("the end", umount(ONE) == 0 && umount(TWO) == 0);
}

/* In a user namespace: root's own, and only its numbers. */
static int inside(void)
{
	struct stat node;
	int master, failed = unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0;
	int file = open("/proc/self/setgroups", O_WRONLY);

	write(file, "deny", 4);
	close(file);
	file = open("/proc/self/uid_map", O_WRONLY);
	failed |= write(file, "0 0 1", 5) != 5;
	close(file);
	file = open("/proc/self/gid_map", O_WRONLY);
	failed |= write(file, "0 0 1", 5) != 5;
	close(file);
	failed |= mount("devpts", ONE, "devpts", 0, "gid=5") != -1 || errno != EINVAL;
	failed |= (mount("devpts", ONE, "devpts", 0, "gid=0,ptmxmode=666") != 0) << 1;
	failed |= (terminal(ONE "/ptmx", &master) != 0) << 2;
	failed |= (stat(ONE "/0", &node) != 0 || node.st_uid != 0) << 3;
	failed |= (!strstr(options_of(ONE), ",gid=0,mode=600,ptmxmode=666")) << 4;
	return failed;
}

int main(void)
{
	int status;

	setvbuf(stdout, NULL, _IONBF, 0);
	mkdir("/tmp", 01777);
	mkdir("/tmp/devpts", 0755);
	CHECK("mounts of its own", unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
		&& mount("tmpfs", "/tmp/devpts", "tmpfs", 0, "size=1m,mode=755") == 0);
	guest_read("/proc/mounts", text, sizeof(text));
	CHECK("options of a tmpfs", strstr(text, " /tmp/devpts tmpfs rw,relatime,size=1024k,mode=755"));
	mkdir(ONE, 0755);
	mkdir(TWO, 0755);
	mkdir(BESIDE, 0755);
	apart();
	if (fork() == 0)
		_exit(inside());
	wait(&status);
	CHECK("in a user namespace", status == 0);
	return guest_done("devpts");
}
