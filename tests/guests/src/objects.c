// SPDX-License-Identifier: MIT
/* Executables and their links in /proc, flags of mappings, /proc as tools read it, watches, options of sockets. */
#include "guest.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>


static char text[200000];

static int read_all(const char *path)
{
	return guest_read(path, text, sizeof(text));
}

static int copy_self(int to)
{
	int from = open("/proc/self/exe", O_RDONLY);
	struct stat st;
	off_t at = 0;

	fstat(from, &st);
	while (at < st.st_size && sendfile(to, from, &at, st.st_size - at) > 0)
		;
	close(from);
	return at == st.st_size ? 0 : -1;
}

static int ends(pid_t child)
{
	int status;

	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* What a copy of this program finds of itself. */
static int as_child(const char *what)
{
	char link[300] = "", wanted[400], magic[4];
	int file;

	if (readlink("/proc/self/exe", link, sizeof(link) - 1) < 0)
		return 1;
	if (!strcmp(what, "memfd"))
		return strcmp(link, "/memfd:program (deleted)") ? 2 : strncmp((char *)getauxval(AT_EXECFN), "/dev/fd/", 8) ? 3 : 0;
	if (!strcmp(what, "running"))
		return 0;
	unlink(link);
	snprintf(wanted, sizeof(wanted), "%s (deleted)", link);
	memset(link, 0, sizeof(link));
	if (readlink("/proc/self/exe", link, sizeof(link) - 1) < 0 || strcmp(link, wanted))
		return 4;
	file = open("/proc/self/exe", O_RDONLY);
	return read(file, magic, 4) == 4 && !memcmp(magic, "\177ELF", 4) ? 0 : 5;
}

static void executables(void)
{
	char *arguments[] = { "program", "memfd", NULL }, *none[] = { NULL };
	int file = open("/tmp/objects-a", O_CREAT | O_TRUNC | O_WRONLY, 0755), memory = memfd_create("program", 0);
	pid_t child;

	CHECK("copies", !copy_self(file) && !copy_self(memory));
	child = fork();
	if (!child) {
		execl("/tmp/objects-a", "a", "running", NULL);
		_exit(errno);
	}
	CHECK("a program that is open for writing cannot run", ends(child) == ETXTBSY);
	close(file);
	FAILS("a program that runs cannot be written", ETXTBSY, open("/proc/self/exe", O_WRONLY));
	FAILS("nor cut", ETXTBSY, truncate("/proc/self/exe", 0));
	child = fork();
	if (!child) {
		execl("/tmp/objects-a", "a", "deleted", NULL);
		_exit(errno);
	}
	CHECK("a program that was deleted knows its file", ends(child) == 0);
	child = fork();
	if (!child) {
		syscall(SYS_execveat, memory, "", arguments, none, AT_EMPTY_PATH);
		_exit(errno);
	}
	CHECK("a program without a name has one in /proc", ends(child) == 0);
	close(memory);
}

static char *map(void *at, size_t size, int protection, int flags, int file, long offset)
{
	return (char *)syscall(SYS_mmap, at, size, protection, flags, file, offset);
}

static void mappings(void)
{
	char *base = map(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int file = memfd_create("m", 0), only = open("/proc/self/exe", O_RDONLY);
	char *p;

	CHECK("a file to map", !ftruncate(file, 8192));
	FAILS("MAP_SYNC", EOPNOTSUPP, map(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE | MAP_SYNC, file, 0));
	FAILS("a flag that nobody knows", EOPNOTSUPP, map(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE | 0x400, file, 0));
	FAILS("validated flags without a file", EINVAL, map(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0));
	FAILS("beyond the largest file", EOVERFLOW, map(NULL, 8192, PROT_READ, MAP_SHARED, file, 0x7ffffffffffff000));
	FAILS("over a mapping that must stay", EEXIST,
		map(base, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	FAILS("writing to what is open for reading", EACCES, map(NULL, 4096, PROT_WRITE, MAP_SHARED, only, 0));
	p = map(NULL, 4096, PROT_READ, MAP_SHARED, only, 0);
	FAILS("also later", EACCES, mprotect(p, 4096, PROT_READ | PROT_WRITE));
	FAILS("a shared stack", EINVAL, map(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0));
	FAILS("PROT_GROWSDOWN of what does not grow", EINVAL, mprotect(base, 4096, PROT_READ | PROT_GROWSDOWN));
	FAILS("both ways", EINVAL, mprotect(base, 4096, PROT_GROWSDOWN | PROT_GROWSUP));
	FAILS("a hole", ENOMEM, mprotect(base, 1ul << 40, PROT_READ));
	FAILS("msync of all kinds", EINVAL, msync(base, 4096, 7));
}

static void processes(void)
{
	static const char *names[] = {
		"self/mem", "self/smaps_rollup", "self/pagemap", "self/numa_maps", "self/map_files", "self/timers", "self/clear_refs",
		"self/coredump_filter", "self/timerslack_ns", "self/oom_adj", "self/attr/current", "self/stack", "softirqs", "zoneinfo",
		"buddyinfo", "locks", "kallsyms", "sysvipc/shm", "pressure/cpu", "sys/kernel/yama/ptrace_scope", "net/udp",
	};
	char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), path[64], line[64];
	int file, missing = 0;
	uint64_t entry = 0, value = 0;
	pid_t child;

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "/proc/%s", names[i]);
		missing += access(path, F_OK) != 0;
	}
	CHECK("all files are there", missing == 0);
	prctl(PR_SET_NAME, "a) b (c\n");
	read_all("/proc/self/stat");
	CHECK("a name in stat", strstr(text, "(a) b (c\\n)") != NULL);
	read_all("/proc/self/status");
	CHECK("a name in status", !strncmp(text, "Name:\ta) b (c\\n\n", 16));
	memset(p, 7, 65536);
	file = open("/proc/self/mem", O_RDWR);
	CHECK("memory is read", pread(file, &value, 1, (long)p + 100) == 1 && value == 7);
	mprotect(p, 4096, PROT_READ);
	CHECK("and written as by a debugger", pwrite(file, "x", 1, (long)p) == 1 && *p == 'x');
	FAILS("nothing mapped", EIO, pread(file, &value, 1, 0x1000));
	close(file);
	file = open("/proc/self/pagemap", O_RDONLY);
	CHECK("a page is present", pread(file, &entry, 8, (long)p / 4096 * 8) == 8 && entry >> 63);
	close(file);
	snprintf(line, sizeof(line), "%08lx-", (long)p + 4096);
	read_all("/proc/self/smaps");
	char *section = strstr(text, line);
	CHECK("smaps counts pages", section && strstr(section, "Rss:                  60 kB"));
	file = open("/proc/self/oom_score_adj", O_RDWR);
	CHECK("oom_score_adj is kept", write(file, "300", 3) == 3 && read_all("/proc/self/oom_score_adj") == 4 && !strcmp(text, "300\n"));
	FAILS("out of its range", EINVAL, write(file, "1001", 4));
	close(file);
	child = fork();
	if (!child)
		_exit(0);
	usleep(3000);
	snprintf(path, sizeof(path), "/proc/%d/stat", child);
	read_all(path);
	CHECK("a zombie", strstr(text, ") Z ") != NULL);
	snprintf(path, sizeof(path), "/proc/%d/exe", child);
	FAILS("has no program", ENOENT, readlink(path, line, sizeof(line)));
	waitpid(child, NULL, 0);
}

static const char *events(int instance)
{
	static char shown[400];
	int n = read(instance, text, sizeof(text)), used = 0;

	shown[0] = 0;
	for (int at = 0; at < n;) {
		struct inotify_event *e = (void *)(text + at);

		used += snprintf(shown + used, sizeof(shown) - used, "%x ", e->mask);
		at += sizeof(*e) + e->len;
	}
	return shown;
}

static void watches(void)
{
	int instance = inotify_init1(IN_NONBLOCK), file;

	mkdir("/tmp/objects-d", 0755);
	inotify_add_watch(instance, "/tmp/objects-d", IN_ALL_EVENTS);
	file = open("/tmp/objects-d/f", O_CREAT | O_WRONLY, 0600);
	CHECK("a new file", !strcmp(events(instance), "100 20 "));
	CHECK("a write", write(file, "x", 1) == 1 && !strcmp(events(instance), "2 "));
	close(file);
	CHECK("its close", !strcmp(events(instance), "8 "));
	file = open("/tmp/objects-d/f", O_RDONLY);
	CHECK("a read", read(file, text, 1) == 1 && !strcmp(events(instance), "20 1 "));
	close(file);
	CHECK("the close of a reader", !strcmp(events(instance), "10 "));
	close(open("/tmp/objects-d/f", O_WRONLY | O_TRUNC));
	CHECK("a file that is cut", !strcmp(events(instance), "20 2 8 "));
	inotify_add_watch(instance, "/tmp/objects-d/f", IN_DELETE_SELF | IN_ATTRIB);
	file = open("/tmp/objects-d/f", O_RDONLY);
	events(instance);
	unlink("/tmp/objects-d/f");
	CHECK("a file that is deleted while it is open", !strcmp(events(instance), "4 200 "));
	close(file);
	CHECK("goes with its last close", !strcmp(events(instance), "10 400 8000 "));
	close(open("/tmp/objects-d/a", O_CREAT | O_WRONLY, 0600)), close(open("/tmp/objects-d/b", O_CREAT | O_WRONLY, 0600));
	file = open("/tmp/objects-d/b", O_RDONLY);
	inotify_add_watch(instance, "/tmp/objects-d/a", IN_MOVE_SELF);
	inotify_add_watch(instance, "/tmp/objects-d/b", IN_DELETE_SELF | IN_ATTRIB);
	events(instance);
	rename("/tmp/objects-d/a", "/tmp/objects-d/b");
	CHECK("a file whose name another gets while it is open", !strcmp(events(instance), "40 80 4 800 "));
	close(file);
	CHECK("goes likewise", !strcmp(events(instance), "10 400 8000 "));
	unlink("/tmp/objects-d/b");
	mkdir("/tmp/objects-d/d", 0700);
	file = open("/tmp/objects-d/d", O_RDONLY);
	inotify_add_watch(instance, "/tmp/objects-d/d", IN_DELETE_SELF);
	events(instance);
	rmdir("/tmp/objects-d/d");
	CHECK("so does a directory", !strcmp(events(instance), "40000200 "));
	close(file);
	CHECK("once", !strcmp(events(instance), "40000010 400 8000 "));
	close(open("/tmp/objects-d/a", O_CREAT | O_WRONLY, 0600)), close(open("/tmp/objects-d/b", O_CREAT | O_WRONLY, 0600));
	events(instance);
	syscall(SYS_renameat2, AT_FDCWD, "/tmp/objects-d/a", AT_FDCWD, "/tmp/objects-d/b", 2);
	CHECK("names that are exchanged", !strcmp(events(instance), "40 80 40 80 "));
	unlink("/tmp/objects-d/a"), unlink("/tmp/objects-d/b");
	close(instance);
	rmdir("/tmp/objects-d");
}

static int option(int file, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	return getsockopt(file, level, name, &value, &size) ? -errno : size == 0 ? 0 : value;
}

static void options(void)
{
	int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET6, SOCK_DGRAM, 0), local = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0x7f000001) };
	struct ifreq interface = { .ifr_name = "lo" };
	char name[32] = "";
	socklen_t size = sizeof(name);
	int one = 1;

	CHECK("defaults of IP", option(tcp, IPPROTO_IP, IP_TTL) == 64 && option(tcp, IPPROTO_IP, IP_MTU_DISCOVER) == 1);
	CHECK("no IP options", option(tcp, IPPROTO_IP, IP_OPTIONS) == 0);
	CHECK("defaults of TCP", option(tcp, IPPROTO_TCP, TCP_KEEPIDLE) == 7200 && option(tcp, IPPROTO_TCP, TCP_MAXSEG) == 536);
	CHECK("the congestion control", !getsockopt(tcp, IPPROTO_TCP, TCP_CONGESTION, name, &size) && !strcmp(name, "cubic") && size == 16);
	CHECK("an option that TCP does not have", option(tcp, IPPROTO_TCP, 9999) == -ENOPROTOOPT);
	FAILS("cannot be set", ENOPROTOOPT, setsockopt(tcp, IPPROTO_TCP, 9999, &one, sizeof(one)));
	FAILS("nor one of sockets", ENOPROTOOPT, setsockopt(tcp, SOL_SOCKET, 9999, &one, sizeof(one)));
	FAILS("nor one that is for reading", ENOPROTOOPT, setsockopt(tcp, SOL_SOCKET, SO_TYPE, &one, sizeof(one)));
	FAILS("nor any of TCP on a local socket", EOPNOTSUPP, setsockopt(local, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	CHECK("an IPv4 address for an IPv6 socket", !connect(udp, (void *)&four, sizeof(four)));
	CHECK("the loopback", !ioctl(tcp, SIOCGIFFLAGS, &interface) && interface.ifr_flags == 0x49);
	strcpy(interface.ifr_name, "eth0");
	FAILS("and no other", ENODEV, ioctl(tcp, SIOCGIFFLAGS, &interface));
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return as_child(argv[1]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	executables();
	mappings();
	processes();
	watches();
	options();
	return guest_done("objects");
}
