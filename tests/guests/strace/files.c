#include "begin.h"

int main(void)
{
	char buffer[256];
	struct stat st;
	begin();
	int fd = open("file", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	write(fd, "hello \"world\"\n\t\1\0017\377\\", 21);
	pwrite(fd, buffer, 0, 5);
	lseek(fd, 0, SEEK_SET);
	lseek(fd, -3, SEEK_END);
	read(fd, buffer, 100);
	pread(fd, buffer, 5, 2);
	fstat(fd, &st);
	stat("file", &st);
	stat("/dev/null", &st);
	stat("no-such-file", &st);
	lstat("file", &st);
	ftruncate(fd, 40);
	truncate("file", 50);
	fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4096);
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	fsync(fd);
	fdatasync(fd);
	fchmod(fd, 0600);
	syscall(SYS_fchmodat, AT_FDCWD, "file", 0755);
	fchown(fd, -1, -1);
	syscall(SYS_fchownat, AT_FDCWD, "file", 0, 0, AT_SYMLINK_NOFOLLOW);
	fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND);
	fcntl(fd, F_GETFD);
	fcntl(fd, F_SETFD, 0);
	fcntl(fd, F_GETFD);
	fcntl(fd, F_DUPFD_CLOEXEC, 50);
	fcntl(fd, F_DUPFD, 60);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10 };
	fcntl(fd, F_SETLK, &lock);
	fcntl(fd, F_GETLK, &lock);
	flock(fd, LOCK_EX | LOCK_NB);
	flock(fd, LOCK_UN);
	dup3(fd, 20, O_CLOEXEC);
	dup(fd);
	open("file", O_WRONLY | O_TRUNC | O_APPEND | O_NOFOLLOW);
	open("no-such-file", O_RDONLY);
	open(".", O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC);
	open("/dev/null", O_RDWR | O_NOCTTY | O_LARGEFILE | O_SYNC);
	open(".", O_PATH);
	open((char *)8, O_RDONLY);
	umask(022);
	umask(077);
	close(fd);
	close(fd);
	return 0;
}
