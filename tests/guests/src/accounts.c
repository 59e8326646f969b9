// SPDX-License-Identifier: MIT
/* What /proc says of a process's memory, transfers, strings and calls, and limits that /proc/sys sets. With an argument also what root
 * changes there: inside a booted kernel, never on a machine in use. */
#include "guest.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define PAGE 4096ul

static char text[400000];

static int read_all(const char *path)
{
	return guest_read(path, text, sizeof(text));
}

/* The number behind a name at the start of a line of a file; -1 when there is none. */
static long number(const char *path, const char *name)
{
	char *at = text;

	read_all(path);
	while (at && strncmp(at, name, strlen(name)))
		at = (at = strchr(at, '\n')) ? at + 1 : NULL;
	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

static long status(const char *name)
{
	return number("/proc/self/status", name);
}

/* A number in the part of smaps that is about a mapping. */
static long of_mapping(void *start, const char *name)
{
	char line[40];

	snprintf(line, sizeof(line), "%08lx-", (long)start);
	read_all("/proc/self/smaps");
	char *at = strstr(text, line);
	at = at ? strstr(at, name) : NULL;
	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

static int has_flag(void *start, const char *flag)
{
	of_mapping(start, "Rss:");
	char line[40], *at, *end;

	snprintf(line, sizeof(line), "%08lx-", (long)start);
	at = strstr(text, line);
	at = at ? strstr(at, "VmFlags:") : NULL;
	end = at ? strchr(at, '\n') : NULL;
	if (!end)
		return -1;
	*end = 0;
	snprintf(line, sizeof(line), " %s ", flag);
	return strstr(at, line) != NULL;
}

/* Linux counts resident pages by CPU and adds them up in lots. */
static int near(long is, long expected)
{
	return is >= expected - 1024 && is <= expected + 1024;
}

static void memory(void)
{
	const long size = 8 << 20;
	long anonymous = status("RssAnon:"), shared = status("RssShmem:"), data = status("VmData:"), all = status("VmSize:");
	char *own = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(own, 1, size);
	CHECK("pages of its own", near(status("RssAnon:"), anonymous + size / 1024));
	CHECK("are no shared ones", near(status("RssShmem:"), shared));
	CHECK("data", status("VmData:") == data + size / 1024);
	CHECK("a peak", status("VmPeak:") >= all + size / 1024);
	char *common = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(common, 1, size);
	CHECK("shared pages", near(status("RssShmem:"), shared + size / 1024));
	CHECK("are no data", status("VmData:") == data + size / 1024);
	CHECK("residents are the sum", near(status("VmRSS:"), status("RssAnon:") + status("RssFile:") + status("RssShmem:")));
	munmap(common, size);
	CHECK("the peak stays", status("VmPeak:") >= all + 2 * size / 1024 && status("VmSize:") < all + 2 * size / 1024);
	CHECK("the most that was resident", near(status("VmHWM:"), status("VmRSS:") + size / 1024));

	CHECK("a mapping's pages", of_mapping(own, "Rss:") == size / 1024 && of_mapping(own, "Anonymous:") == size / 1024);
	CHECK("nobody else has", of_mapping(own, "Private_Dirty:") == size / 1024 && of_mapping(own, "Shared_Dirty:") == 0);
	pid_t child = fork();
	if (!child) {
		int right = of_mapping(own, "Shared_Dirty:") == size / 1024 && of_mapping(own, "Private_Dirty:") == 0;
		right = right && of_mapping(own, "\nPss:") == size / 2048;
		own[0] = 2;
		right = right && of_mapping(own, "Private_Dirty:") == 4 && of_mapping(own, "Shared_Dirty:") == size / 1024 - 4;
		_exit(!right);
	}
	int ended = -1;
	waitpid(child, &ended, 0);
	CHECK("a child has them too until it writes", ended == 0);
	CHECK("promised", has_flag(own, "ac") == 1);
	mprotect(own, PAGE, PROT_READ);
	CHECK("also what is read only by now", has_flag(own, "ac") == 1 && has_flag(own, "wr") == 0);
	char *loose = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	mprotect(loose, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	CHECK("not promised", has_flag(loose, "ac") == 0 && has_flag(loose, "nr") == 1);
	int file = open("/proc/self/exe", O_RDONLY);
	char *image = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);
	CHECK("a file's page", image[0] == 0x7f && of_mapping(image, "Rss:") == 4 && of_mapping(image, "Anonymous:") == 0);
	CHECK("is not promised", has_flag(image, "ac") == 0);
	char *copy = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
	copy[0] = 0;
	CHECK("a copy is one's own", of_mapping(copy, "Anonymous:") == 4 && of_mapping(copy, "Private_Dirty:") == 4);
	close(file);

	long sizes[7];
	read_all("/proc/self/statm");
	sscanf(text, "%ld %ld %ld %ld %ld %ld %ld", sizes, sizes + 1, sizes + 2, sizes + 3, sizes + 4, sizes + 5, sizes + 6);
	CHECK("statm: all of it", sizes[0] * 4 == status("VmSize:") && near(sizes[1] * 4, status("VmRSS:")));
	CHECK("statm: files and shared memory", near(sizes[2] * 4, status("RssFile:") + status("RssShmem:")));
	CHECK("statm: code, data and stack", sizes[3] * 4 == status("VmExe:") && sizes[5] * 4 == status("VmData:") + status("VmStk:"));
	CHECK("a stack", status("VmStk:") >= 132);
	CHECK("tables", status("VmPTE:") >= 12);
	CHECK("some of the machine's are mapped", number("/proc/meminfo", "Mapped:") > 0 && number("/proc/meminfo", "Cached:") > 0);
	CHECK("some are programs' own", number("/proc/meminfo", "AnonPages:") >= size / 1024);
	CHECK("and some are promised", number("/proc/meminfo", "Committed_AS:") >= size / 1024);
	munmap(own, size);
}

static void transfers(void)
{
	char byte[10];
	int zero = open("/dev/zero", O_RDONLY), nothing = open("/dev/null", O_WRONLY);
	long chars = number("/proc/self/io", "rchar:"), calls = number("/proc/self/io", "syscr:");
	long written = number("/proc/self/io", "wchar:"), writes = number("/proc/self/io", "syscw:");

	for (int i = 0; i < 1000; i++)
		if (read(zero, byte, 10) != 10 || write(nothing, byte, 5) != 5)
			return;
	long more = number("/proc/self/io", "rchar:");
	CHECK("read", more >= chars + 10000 && more < chars + 12000);
	CHECK("in calls", number("/proc/self/io", "syscr:") >= calls + 1000 && number("/proc/self/io", "syscr:") < calls + 1100);
	CHECK("written", number("/proc/self/io", "wchar:") == written + 5000);
	CHECK("in as many calls", number("/proc/self/io", "syscw:") == writes + 1000);
	struct iovec parts[2] = {{byte, 4}, {byte + 4, 6}};
	CHECK("in parts", writev(nothing, parts, 2) == 10 && number("/proc/self/io", "wchar:") == written + 5010);
	pid_t child = fork();
	if (!child)
		_exit(write(nothing, byte, 7) != 7);
	waitpid(child, NULL, 0);
	CHECK("a child's once it is gone", number("/proc/self/io", "wchar:") == written + 5017);
	errno = 0;
	CHECK("what is refused is no transfer", write(-1, byte, 1) < 0 && number("/proc/self/io", "syscw:") == writes + 1002);
	close(zero);
	close(nothing);
}

static void calls(void)
{
	int ends[2];
	char name[40];
	static char buffer[8];
	long values[9] = {0};

	if (pipe(ends))
		return;
	pid_t child = fork();
	if (!child)
		_exit(read(ends[0], buffer, 5) != 1);
	snprintf(name, sizeof(name), "/proc/%d/syscall", child);
	int blocked = 0;
	for (int i = 0; i < 1000 && !blocked; i++) {
		usleep(1000);
		blocked = read_all(name) > 0 && strncmp(text, "running", 7);
	}
	sscanf(text, "%ld %lx %lx %lx %lx %lx %lx %lx %lx", values, values + 1, values + 2, values + 3, values + 4, values + 5, values + 6,
	       values + 7, values + 8);
	CHECK("the call of who sleeps", values[0] == SYS_read && values[1] == ends[0] && values[2] == (long)buffer && values[3] == 5);
	long here = (long)&child;
	CHECK("and where that is", values[7] > here - 65536 && values[7] < here + 65536 && values[8] != 0);
	if (write(ends[1], "x", 1) != 1)
		return;
	waitpid(child, NULL, 0);
}

static unsigned long fields[60];

/* /proc/self/stat from its third field on, as numbers: fields[3] is the state. */
static void read_stat(void)
{
	read_all("/proc/self/stat");
	char *at = strrchr(text, ')') + 1;
	for (int i = 3; i < 53 && at; i++) {
		while (*at == ' ')
			at++;
		fields[i] = strtoul(at, NULL, 10);
		at = strchr(at, ' ');
	}
}

static void strings(char **argv)
{
	extern char **environ;

	read_stat();
	CHECK("code", fields[26] <= (unsigned long)strings && fields[27] > (unsigned long)strings);
	CHECK("stack", fields[28] > (unsigned long)&argv && fields[28] < (unsigned long)argv[0]);
	CHECK("arguments", fields[48] == (unsigned long)argv[0] && fields[49] >= fields[48] + strlen(argv[0]) + 1);
	CHECK("environment", fields[50] == fields[49] && (!environ[0] || fields[50] == (unsigned long)environ[0]));
	CHECK("data and heap", fields[45] < fields[46] && fields[47] >= fields[46] && fields[47] <= (unsigned long)sbrk(0));
	CHECK("faults", fields[10] > 0);

	size_t length = strlen(argv[0]);
	char *before = strdup(argv[0]);
	memset(argv[0], 't', length);
	read_all("/proc/self/cmdline");
	CHECK("a title", !memcmp(text, argv[0], length));
	pid_t child = fork();
	if (!child) {
		/* Over the end of the arguments, as setproctitle does. */
		char *end = (char *)fields[49];
		memset(argv[0], 'l', end + 3 - argv[0]);
		end[3] = 0;
		int got = read_all("/proc/self/cmdline");
		_exit(!(got == end + 4 - argv[0] && text[0] == 'l' && text[got - 2] == 'l' && text[got - 1] == 0));
	}
	int ended = -1;
	waitpid(child, &ended, 0);
	CHECK("a long title", fields[51] < fields[50] + 5 || ended == 0);
	memcpy(argv[0], before, length);

	unsigned int size = 0;
	CHECK("the size of a map", !prctl(PR_SET_MM, 15, &size, 0, 0) && size == 104);
	FAILS("a map of another size", EINVAL, prctl(PR_SET_MM, 14, &size, 8, 0));
	if (geteuid() == 0) {
		char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		strcpy(page, "elsewhere");
		child = fork();
		if (!child) {
			int right = !prctl(PR_SET_MM, 9, page + 10, 0, 0) && !prctl(PR_SET_MM, 8, page, 0, 0);
			right = right && read_all("/proc/self/cmdline") == 10 && !strcmp(text, "elsewhere");
			right = right && prctl(PR_SET_MM, 9, page - 1, 0, 0) == -1 && errno == EINVAL;
			_exit(!right);
		}
		/* Where arguments end must be behind where they begin at each step. */
		ended = -1;
		waitpid(child, &ended, 0);
		CHECK("other arguments", ended == 0 || (unsigned long)page > fields[49] || (unsigned long)page < fields[48]);
		FAILS("no address", EINVAL, prctl(PR_SET_MM, 8, 16, 0, 0));
		FAILS("no such place", EINVAL, prctl(PR_SET_MM, 77, page, 0, 0));
	}
}

static void kernels_pages(void)
{
	unsigned long vdso = getauxval(AT_SYSINFO_EHDR), vvar = 0;
	char bytes[4] = "", *line;
	int file = open("/proc/self/mem", O_RDWR);

	CHECK("the vDSO's image is a page of a file", of_mapping((void *)vdso, "Rss:") >= 4 && of_mapping((void *)vdso, "Anonymous:") == 0);
	CHECK("a debugger reads it", pread(file, bytes, 4, vdso) == 4 && !memcmp(bytes, "\177ELF", 4));
	pid_t child = fork();
	if (!child)
		_exit(!(pwrite(open("/proc/self/mem", O_RDWR), "zz", 2, vdso + 8) == 2 && ((char *)vdso)[8] == 'z'
			&& of_mapping((void *)vdso, "Anonymous:") == 4));
	int ended = -1;
	waitpid(child, &ended, 0);
	CHECK("and writes to a copy of it", ended == 0 && ((char *)vdso)[8] == 0);
	read_all("/proc/self/maps");
	for (line = text; line; line = (line = strchr(line, '\n')) ? line + 1 : NULL)
		if (strstr(line, "[vvar]") && strstr(line, "[vvar]") < strchr(line, '\n'))
			vvar = strtoul(line, NULL, 16);
	FAILS("its data have no pages to read", EIO, vvar ? pread(file, bytes, 4, vvar) : (errno = EIO, -1));
	struct iovec to = {bytes, 4}, from = {(void *)vvar, 4};
	FAILS("nor for another process", EFAULT, vvar ? process_vm_readv(getpid(), &to, 1, &from, 1, 0) : (errno = EFAULT, -1));
	close(file);
}

static int put(const char *path, const char *value)
{
	int file = open(path, O_WRONLY), n = file < 0 ? -1 : write(file, value, strlen(value));

	close(file);
	return n == (int)strlen(value);
}

/* What somebody else does in a directory like /tmp, in a child: 0, or the error. */
static int as_other(int (*what)(void))
{
	pid_t child = fork();
	int ended;

	if (!child) {
		if (setgid(1000) || setuid(1000))
			_exit(255);
		_exit(what() ? errno : 0);
	}
	waitpid(child, &ended, 0);
	return WEXITSTATUS(ended);
}

static int links_secret(void) { return link("/tmp/sticky/secret", "/tmp/sticky/name"); }
static int links_open(void) { return link("/tmp/sticky/open", "/tmp/sticky/name2"); }
static int makes_link(void) { return symlink("secret", "/tmp/sticky/theirs"); }
static int makes_file(void) { return open("/tmp/sticky/file", O_CREAT | O_RDWR, 0666) < 0; }
static int makes_fifo(void) { return mkfifo("/tmp/sticky/fifo", 0666); }
static int unshares(void) { return unshare(CLONE_NEWUSER); }
static int binds(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(90), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&at, sizeof(at));
}

static void protections(void)
{
	mkdir("/tmp", 0777);
	mkdir("/tmp/sticky", 0777);
	chmod("/tmp/sticky", 01777);
	close(open("/tmp/sticky/secret", O_CREAT | O_RDWR, 0600));
	close(open("/tmp/sticky/open", O_CREAT | O_RDWR, 0666));
	chmod("/tmp/sticky/open", 0666);
	CHECK("a name for what one cannot read", as_other(links_secret) == EPERM);
	CHECK("a name for what one can", as_other(links_open) == 0);
	CHECK("somebody makes a link", as_other(makes_link) == 0);
	FAILS("it is not followed", EACCES, open("/tmp/sticky/theirs", O_RDONLY));
	CHECK("nor protected any more", put("/proc/sys/fs/protected_symlinks", "0") && open("/tmp/sticky/theirs", O_RDONLY) >= 0);
	CHECK("as before", put("/proc/sys/fs/protected_symlinks", "1"));
	CHECK("somebody makes files", as_other(makes_file) == 0 && as_other(makes_fifo) == 0);
	CHECK("they are opened", open("/tmp/sticky/file", O_CREAT | O_RDWR, 0666) >= 0);
	CHECK("and protected", put("/proc/sys/fs/protected_regular", "1") && put("/proc/sys/fs/protected_fifos", "1"));
	FAILS("a file of others", EACCES, open("/tmp/sticky/file", O_CREAT | O_RDWR, 0666));
	FAILS("a FIFO of others", EACCES, open("/tmp/sticky/fifo", O_CREAT | O_RDWR, 0666));
	CHECK("without O_CREAT", open("/tmp/sticky/file", O_RDWR) >= 0);
	FAILS("not that high", EINVAL, put("/proc/sys/fs/protected_regular", "3") ? 0 : -1);
	put("/proc/sys/fs/protected_regular", "0");
	put("/proc/sys/fs/protected_fifos", "0");
}

static void settings(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(at);
	int value = 0, stream = socket(AF_INET, SOCK_STREAM, 0);

	CHECK("ports", put("/proc/sys/net/ipv4/ip_local_port_range", "40000 40000"));
	CHECK("of a range", !bind(stream, (struct sockaddr *)&at, length) && !getsockname(stream, (struct sockaddr *)&at, &length)
		&& at.sin_port == htons(40000));
	at.sin_port = 0;
	FAILS("which is used up", EADDRINUSE, bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&at, sizeof(at)));
	FAILS("no range", EINVAL, put("/proc/sys/net/ipv4/ip_local_port_range", "5 4") ? 0 : -1);
	put("/proc/sys/net/ipv4/ip_local_port_range", "32768 60999");
	CHECK("a port for root", as_other(binds) == EACCES);
	CHECK("for all", put("/proc/sys/net/ipv4/ip_unprivileged_port_start", "80") && as_other(binds) == 0);
	put("/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024");
	CHECK("buffers", put("/proc/sys/net/core/rmem_max", "300000"));
	value = 300000;
	length = sizeof(value);
	setsockopt(stream, SOL_SOCKET, SO_RCVBUF, &value, length);
	CHECK("so large", !getsockopt(stream, SOL_SOCKET, SO_RCVBUF, &value, &length) && value == 600000);
	put("/proc/sys/net/core/rmem_max", "212992");
	put("/proc/sys/net/ipv6/bindv6only", "1");
	int six = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK("sockets of IPv6 alone", six < 0 || (!getsockopt(six, IPPROTO_IPV6, 26, &value, &length) && value == 1));
	put("/proc/sys/net/ipv6/bindv6only", "0");

	read_all("/proc/self/maps");
	int mappings = 0;
	for (char *c = text; *c; c++)
		mappings += *c == '\n';
	char count[12];
	snprintf(count, sizeof(count), "%d", mappings + 10);
	CHECK("mappings", put("/proc/sys/vm/max_map_count", count));
	int made = 0;
	while (made < 100 && mmap(NULL, PAGE, made % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		made++;
	put("/proc/sys/vm/max_map_count", "65530");
	CHECK("no more than that", made >= 8 && made <= 13);
	CHECK("numbers of processes", put("/proc/sys/kernel/pid_max", "350"));
	int largest = 0;
	for (int i = 0; i < 400; i++) {
		pid_t child = fork();
		if (!child)
			_exit(0);
		largest = child > largest ? child : largest;
		waitpid(child, NULL, 0);
	}
	put("/proc/sys/kernel/pid_max", "32768");
	CHECK("below that", largest == 349);
	FAILS("not that low", EINVAL, put("/proc/sys/kernel/pid_max", "100") ? 0 : -1);
	long forks = number("/proc/stat", "processes ");
	pid_t child = fork();
	if (!child)
		_exit(0);
	waitpid(child, NULL, 0);
	CHECK("forks are counted", number("/proc/stat", "processes ") >= forks + 1);
	CHECK("namespaces", put("/proc/sys/user/max_user_namespaces", "0"));
	CHECK("no more of them", as_other(unshares) == ENOSPC);
	CHECK("some of them", put("/proc/sys/user/max_user_namespaces", "100") && as_other(unshares) == 0);
}

int main(int argc, char **argv)
{
	static char buffer[65536];

	/* What is printed makes neither heap nor writes, until the end. */
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	memory();
	transfers();
	calls();
	strings(argv);
	kernels_pages();
	if (argc > 1) {
		protections();
		settings();
	}
	return guest_done("accounts");
}
