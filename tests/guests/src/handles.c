// SPDX-License-Identifier: MIT
/* handles DIR: files of a disk by handle, when they were made, how they are aligned, where they lie; as root. */
#include "guest.h"
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

static struct { struct file_handle head; unsigned char bytes[128]; } handle;

static int handle_of(const char *path, int room)
{
	int mount;

	handle.head.handle_bytes = room;
	return name_to_handle_at(AT_FDCWD, path, &handle.head, &mount, 0);
}

static int opens(int at)
{
	return open_by_handle_at(at, &handle.head, O_RDONLY);
}

int main(int argc, char **argv)
{
	struct statx x;
	struct { struct fiemap head; struct fiemap_extent extents[4]; } map = { .head = { .fm_length = ~0ULL, .fm_flags = FIEMAP_FLAG_SYNC,
		.fm_extent_count = 4 } };
	char text[8] = "";
	int at, fd;

	if (argc < 2 || chdir(argv[1]))
		return 2;
	at = open(".", O_RDONLY);
	fd = open("a", O_RDWR | O_CREAT, 0600);
	if (write(fd, "hello", 5) != 5 || close(fd))
		return 2;
	FAILS("too little room", EOVERFLOW, handle_of("a", 0));
	CHECK("inode and generation", handle_of("a", 128) == 0 && handle.head.handle_bytes == 8 && handle.head.handle_type == 1);
	CHECK("a handle", (fd = opens(at)) >= 0 && read(fd, text, 5) == 5 && !strcmp(text, "hello") && close(fd) == 0);
	rename("a", "b");
	CHECK("of another name", (fd = opens(at)) >= 0 && close(fd) == 0);
	handle.bytes[4] ^= 1;
	FAILS("of another generation", ESTALE, opens(at));
	handle.bytes[4] ^= 1;
	handle.bytes[3] = 0x7f;
	FAILS("of no inode", ESTALE, opens(at));
	CHECK("the directory", handle_of(".", 128) == 0 && (fd = opens(at)) >= 0 && close(fd) == 0);
	CHECK("when it was made", statx(AT_FDCWD, "b", 0, STATX_BASIC_STATS | STATX_BTIME, &x) == 0 && (x.stx_mask & STATX_BTIME)
		&& x.stx_btime.tv_sec > 0 && x.stx_btime.tv_sec <= x.stx_mtime.tv_sec);
	fd = open("b", O_RDWR);
	CHECK("where it lies", ioctl(fd, FS_IOC_FIEMAP, &map) == 0 && map.head.fm_mapped_extents == 1 && map.extents[0].fe_logical == 0
		&& map.extents[0].fe_physical && (map.extents[0].fe_flags & FIEMAP_EXTENT_LAST));
	map.head.fm_extent_count = 0;
	CHECK("counted alone", ioctl(fd, FS_IOC_FIEMAP, &map) == 0 && map.head.fm_mapped_extents == 1);
	map.head.fm_flags = 0x8000;
	CHECK("flags that there are not", ioctl(fd, FS_IOC_FIEMAP, &map) == -1 && errno == EBADR && map.head.fm_flags == 0x8000);
	map.head.fm_flags = map.head.fm_length = 0;
	FAILS("no length", EINVAL, ioctl(fd, FS_IOC_FIEMAP, &map));
	handle_of("b", 128);
	unlink("b");
	CHECK("of a file that is open still", (at = open(".", O_RDONLY)) >= 0 && close(opens(at)) == 0);
	close(fd);
	FAILS("of a file that is gone", ESTALE, opens(at));
	return guest_done("handles");
}
