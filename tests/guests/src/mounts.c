// SPDX-License-Identifier: MIT
/* Loop devices, limits of tmpfs, binds and moves, mounts by descriptors; as root. What is expected is Linux 6.12's. */
#include "guest.h"
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/mount.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>


int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);

static const unsigned long remount = 32, bind_ = 4096, move = 8192, readonly = 1;

static int put(const char *path, const char *text)
{
	int file = open(path, O_CREAT | O_WRONLY, 0644), n;

	if (file < 0)
		return -1;
	n = write(file, text, strlen(text));
	close(file);
	return n;
}

static void loops(void)
{
	int control = open("/dev/loop-control", O_RDWR), number = ioctl(control, LOOP_CTL_GET_FREE), file, device, other;
	struct loop_info64 info = { 0 };
	unsigned long long size = 0;
	char path[32], block[1024] = "block", back[16] = "";
	struct stat st;

	CHECK("a free loop device", number >= 0);
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	device = open(path, O_RDWR);
	CHECK("unbound: ENXIO", ioctl(device, LOOP_GET_STATUS64, &info) == -1 && errno == ENXIO);
	CHECK("unbound: no bytes", read(device, back, 1) == 0);
	file = open("/tmp/image", O_CREAT | O_RDWR, 0600);
	CHECK("fallocate takes blocks", posix_fallocate(file, 0, 1 << 20) == 0 && !fstat(file, &st) && st.st_blocks == 2048);
	CHECK("LOOP_SET_FD", ioctl(device, LOOP_SET_FD, file) == 0);
	FAILS("bound: EBUSY", EBUSY, ioctl(device, LOOP_SET_FD, file));
	CHECK("size", ioctl(device, 0x80081272 /* BLKGETSIZE64 */, &size) == 0 && size == 1 << 20);
	CHECK("its end", lseek(device, 0, SEEK_END) == 1 << 20);
	CHECK("writes reach the file", pwrite(device, block, 1024, 4096) == 1024 &&
		pread(file, back, 5, 4096) == 5 && !strcmp(back, "block"));
	FAILS("no room past the end", ENOSPC, pwrite(device, block, 512, 1 << 20));
	info.lo_offset = 4096;
	CHECK("an offset", ioctl(device, LOOP_SET_STATUS64, &info) == 0 && pread(device, back, 5, 0) == 5 && !strcmp(back, "block"));
	other = open(path, O_RDONLY);
	CHECK("unbound at the last close", ioctl(device, LOOP_CLR_FD) == 0 && ioctl(device, LOOP_GET_STATUS64, &info) == 0 &&
		(info.lo_flags & LO_FLAGS_AUTOCLEAR));
	close(other);
	close(device);
	device = open(path, O_RDWR);
	FAILS("and gone", ENXIO, ioctl(device, LOOP_GET_STATUS64, &info));
	CHECK("another one", ioctl(control, LOOP_CTL_ADD, 100) == 100 && access("/dev/loop100", F_OK) == 0);
	FAILS("twice", EEXIST, ioctl(control, LOOP_CTL_ADD, 100));
	CHECK("removed", ioctl(control, LOOP_CTL_REMOVE, 100) == 100 && access("/dev/loop100", F_OK) == -1);
	close(device);
	close(control);
	close(file);
}

static void memory(void)
{
	struct statfs fs;
	char page[4096] = "x";
	int file, n = 0;

	mkdir("/tmp/m", 0755);
	FAILS("no such option", EINVAL, mount("none", "/tmp/m", "tmpfs", 0, "nonsense=1"));
	FAILS("no such type", ENODEV, mount("none", "/tmp/m", "nonsense", 0, ""));
	CHECK("tmpfs of 16 pages", mount("none", "/tmp/m", "tmpfs", 0, "size=64k,nr_inodes=4,mode=700") == 0);
	CHECK("as statfs says", statfs("/tmp/m", &fs) == 0 && fs.f_blocks == 16 && fs.f_files == 4);
	file = open("/tmp/m/f", O_CREAT | O_RDWR, 0600);
	FAILS("more than there is", ENOSPC, fallocate(file, 0, 0, 1 << 20));
	while (write(file, page, sizeof(page)) == sizeof(page))
		n++;
	CHECK("full", n == 16 && errno == ENOSPC && statfs("/tmp/m", &fs) == 0 && fs.f_bfree == 0);
	CHECK("room again", ftruncate(file, 0) == 0 && statfs("/tmp/m", &fs) == 0 && fs.f_bfree == 16);
	CHECK("two pages", pwrite(file, page, 4096, 0) == 4096 && pwrite(file, page, 4096, 4096) == 4096);
	FAILS("less than there is used", EINVAL, mount(NULL, "/tmp/m", NULL, remount, "size=4k"));
	FAILS("writers", EBUSY, mount(NULL, "/tmp/m", NULL, remount | readonly, ""));
	FAILS("open files", EBUSY, umount2("/tmp/m", 0));
	close(file);
	CHECK("inodes run out", put("/tmp/m/a", "") == 0 && put("/tmp/m/b", "") == 0 && put("/tmp/m/c", "") == 0 &&
		put("/tmp/m/d", "") == -1 && errno == ENOSPC);
	CHECK("read-only", mount(NULL, "/tmp/m", NULL, remount | readonly, "") == 0);
	FAILS("EROFS", EROFS, put("/tmp/m/a", "x"));
	CHECK("gone", umount2("/tmp/m", 0) == 0);
}

static void binds(void)
{
	char path[256];
	struct stat one, two;

	mkdir("/tmp/from", 0755);
	mkdir("/tmp/from/deep", 0755);
	mkdir("/tmp/to", 0755);
	put("/tmp/from/deep/f", "text");
	CHECK("bind", mount("/tmp/from", "/tmp/to", NULL, bind_, NULL) == 0);
	CHECK("the same file", stat("/tmp/from/deep/f", &one) == 0 && stat("/tmp/to/deep/f", &two) == 0 && one.st_ino == two.st_ino &&
		one.st_dev == two.st_dev);
	CHECK("its own path", chdir("/tmp/to/deep") == 0 && getcwd(path, sizeof(path)) && !strcmp(path, "/tmp/to/deep"));
	CHECK("and parent", chdir("../..") == 0 && getcwd(path, sizeof(path)) && !strcmp(path, "/tmp"));
	CHECK("what one makes the other has", put("/tmp/to/new", "x") == 1 && stat("/tmp/from/new", &one) == 0 &&
		unlink("/tmp/from/new") == 0 && access("/tmp/to/new", F_OK) == -1);
	FAILS("no link across", EXDEV, link("/tmp/to/deep/f", "/tmp/from/g"));
	CHECK("read-only here", mount(NULL, "/tmp/to", NULL, remount | bind_ | readonly, NULL) == 0);
	FAILS("EROFS of a new file", EROFS, put("/tmp/to/new", "x"));
	CHECK("and of one that is there", open("/tmp/to/deep/f", O_WRONLY) == -1 && errno == EROFS);
	CHECK("not there", put("/tmp/from/new", "x") == 1);
	mkdir("/tmp/third", 0755);
	CHECK("moved", mount("/tmp/to", "/tmp/third", NULL, move, NULL) == 0 && access("/tmp/third/deep/f", F_OK) == 0 &&
		access("/tmp/to/deep", F_OK) == -1);
	FAILS("a directory that is no mount", EINVAL, mount("/tmp/to", "/tmp/third/deep", NULL, move, NULL));
	CHECK("gone", umount2("/tmp/third", 0) == 0 && umount2("/tmp/third", 0) == -1 && errno == EINVAL);
	put("/tmp/file", "one");
	put("/tmp/over", "two");
	CHECK("a file over a file", mount("/tmp/file", "/tmp/over", NULL, bind_, NULL) == 0 && stat("/tmp/file", &one) == 0 &&
		stat("/tmp/over", &two) == 0 && one.st_ino == two.st_ino && umount2("/tmp/over", 0) == 0);
	FAILS("not over a directory", ENOTDIR, mount("/tmp/file", "/tmp/to", NULL, bind_, NULL));
}

static void descriptors(void)
{
	int context = syscall(SYS_fsopen, "tmpfs", 1), mounted, tree;
	struct { unsigned long long set, clear, propagation, userns; } attributes = { 1, 0, 0, 0 };
	char line[128];
	int n;

	FAILS("no such type", ENODEV, syscall(SYS_fsopen, "nonsense", 0));
	CHECK("size", syscall(SYS_fsconfig, context, 1, "size", "64k", 0) == 0);
	FAILS("no such parameter", EINVAL, syscall(SYS_fsconfig, context, 1, "nonsense", "1", 0));
	n = read(context, line, sizeof(line) - 1);
	CHECK("it says so", n > 0 && (line[n] = 0, strstr(line, "nonsense")));
	FAILS("nothing else to say", ENODATA, read(context, line, sizeof(line)));
	FAILS("not made yet", EINVAL, syscall(SYS_fsmount, context, 0, 0));
	CHECK("made", syscall(SYS_fsconfig, context, 6, NULL, NULL, 0) == 0);
	mounted = syscall(SYS_fsmount, context, 1, 8 /* MOUNT_ATTR_NOEXEC */);
	CHECK("fsmount", mounted >= 0 && fcntl(mounted, F_GETFD) == FD_CLOEXEC);
	CHECK("move_mount", syscall(SYS_move_mount, mounted, "", AT_FDCWD, "/tmp/m", 4) == 0 && put("/tmp/m/f", "x") == 1);
	tree = syscall(SYS_open_tree, AT_FDCWD, "/tmp/m", 1);
	CHECK("a clone", tree >= 0 && faccessat(tree, "f", F_OK, 0) == 0);
	CHECK("made read-only", syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) == 0 &&
		syscall(SYS_move_mount, tree, "", AT_FDCWD, "/tmp/to", 4) == 0);
	FAILS("there", EROFS, put("/tmp/to/g", "x"));
	CHECK("not here", put("/tmp/m/g", "x") == 1);
	close(tree);
	close(mounted);
	CHECK("gone", umount2("/tmp/to", 0) == 0 && umount2("/tmp/m", 0) == 0);
	close(context);
}

/* statmount's options are the file system's own, as /proc/mounts has them behind those of the mount (Linux 6.11). */
static void described(void)
{
	struct { unsigned size, spare; unsigned long id, mask, more; } request = { 24, 0, 0, 0x80, 0 };
	struct { unsigned size, options; char rest[504], text[512]; } answer = { 0 };
	struct statx place = { 0 };

	mkdir("/tmp/described", 0755);
	syscall(SYS_mount, "tmpfs", "/tmp/described", "tmpfs", 0, "size=1m,mode=070");
	statx(AT_FDCWD, "/tmp/described", 0, 0x4000, &place);
	request.id = *(unsigned long *)((char *)&place + 0x90);
	CHECK("options of a mount", !syscall(457, &request, &answer, sizeof(answer), 0)
		&& !strncmp(answer.text + answer.options, "size=1024k,mode=070", 19));
	syscall(SYS_umount2, "/tmp/described", 0);
	rmdir("/tmp/described");
}

int main(void)
{
	umask(022);
	loops();
	memory();
	described();
	binds();
	descriptors();
	return guest_done("mounts");
}
