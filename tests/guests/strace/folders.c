#include "begin.h"

int main(void)
{
	char buffer[4096];
	struct statfs fs;
	struct statx x;
	begin();
	syscall(SYS_mkdirat, AT_FDCWD, "folder", 0755);
	syscall(SYS_mkdirat, AT_FDCWD, "folder", 0755);
	syscall(SYS_mknodat, AT_FDCWD, "fifo", S_IFIFO | 0644, 0);
	syscall(SYS_symlinkat, "target of the link", AT_FDCWD, "link");
	syscall(SYS_readlinkat, AT_FDCWD, "link", buffer, sizeof buffer);
	syscall(SYS_readlinkat, AT_FDCWD, "link", buffer, 4);
	syscall(SYS_readlinkat, AT_FDCWD, "folder", buffer, 4);
	int fd = open("folder", O_RDONLY | O_DIRECTORY);
	syscall(SYS_linkat, AT_FDCWD, "fifo", fd, "other", AT_SYMLINK_FOLLOW);
	syscall(SYS_renameat2, AT_FDCWD, "link", fd, "moved", RENAME_NOREPLACE);
	syscall(SYS_getdents64, fd, buffer, sizeof buffer);
	syscall(SYS_getdents64, fd, buffer, sizeof buffer);
	syscall(SYS_faccessat, AT_FDCWD, "folder", R_OK | X_OK);
	syscall(SYS_faccessat, AT_FDCWD, "folder", F_OK);
	syscall(SYS_faccessat2, AT_FDCWD, "nothing", W_OK, AT_EACCESS);
	chdir("folder");
	fchdir(fd);
	chdir("..");
	syscall(SYS_unlinkat, fd, "moved", 0);
	syscall(SYS_unlinkat, fd, "other", 0);
	syscall(SYS_unlinkat, AT_FDCWD, "folder", AT_REMOVEDIR);
	syscall(SYS_unlinkat, AT_FDCWD, "folder", AT_REMOVEDIR);
	syscall(SYS_getcwd, buffer, 1);
	syscall(SYS_statx, AT_FDCWD, "fifo", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &x);
	syscall(SYS_statx, AT_FDCWD, "no", AT_STATX_FORCE_SYNC, STATX_ALL, &x);
	syscall(SYS_statfs, "no", &fs);
	struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_OMIT } };
	syscall(SYS_utimensat, AT_FDCWD, "fifo", times, 0);
	struct timespec exact[2] = { { 1000000000, 5 }, { 1600000000, 0 } };
	syscall(SYS_utimensat, AT_FDCWD, "fifo", exact, AT_SYMLINK_NOFOLLOW);
	syscall(SYS_utimensat, AT_FDCWD, "fifo", NULL, 0);
	syscall(SYS_chroot, "no");
	sync();
	int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	inotify_add_watch(notify, ".", IN_CREATE | IN_DELETE | IN_ONLYDIR);
	inotify_rm_watch(notify, 1);
	inotify_rm_watch(notify, 9);
	getxattr("fifo", "user.x", buffer, 5);
	return 3;
}
