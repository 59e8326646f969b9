// SPDX-License-Identifier: MIT
/*
 * server [-t WORKERS] [-c CLIENTS] [-n REQUESTS]
 * A server as many are written: WORKERS (4) threads take connections from a queue and answer line by line, with a log line for each
 * request (time, process, thread, user); CLIENTS (4) threads ask REQUESTS (200) times each over a connection of their own. It prints
 * what the answers add up to, the same in each run. The time is asked as a libc asks it, through the vDSO where there is one; the
 * identities are system calls, as in a libc without a cache.
 */
#include "guest.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static int requests = 200;
static int listener;
static struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "\0armvdso-server" };
static const socklen_t length = offsetof(struct sockaddr_un, sun_path) + 15;
static atomic_ulong logged;

static void log_request(const char *line, size_t n)
{
	char text[160];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	int size = snprintf(text, sizeof(text), "%lld.%09ld [%ld:%ld] uid %ld %.*s", (long long)now.tv_sec, now.tv_nsec, syscall(SYS_getpid),
		syscall(SYS_gettid), syscall(SYS_getuid), (int)n, line);
	/* A log that nobody reads: the work of making the line is what is wanted. */
	atomic_fetch_add(&logged, size > 0);
}

static size_t read_line(int fd, char *line, size_t size)
{
	size_t n = 0;

	while (n < size) {
		ssize_t got = read(fd, line + n, size - n);
		if (got <= 0)
			return 0;
		n += got;
		if (line[n - 1] == '\n')
			return n;
	}
	return n;
}

static void *worker(void *unused)
{
	(void)unused;
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			return NULL;
		char line[128];
		size_t n;
		while ((n = read_line(fd, line, sizeof(line))) != 0) {
			unsigned long a, b;
			log_request(line, n - 1);
			if (sscanf(line, "add %lu %lu", &a, &b) != 2)
				break;
			int size = snprintf(line, sizeof(line), "%lu\n", a + b);
			if (write(fd, line, size) != size)
				break;
		}
		close(fd);
	}
}

static void *client(void *argument)
{
	unsigned long id = (unsigned long)argument, sum = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, length) != 0)
		return NULL;
	for (int i = 0; i < requests; i++) {
		char line[64];
		int size = snprintf(line, sizeof(line), "add %lu %d\n", id, i);
		if (write(fd, line, size) != size || read_line(fd, line, sizeof(line)) == 0)
			break;
		sum += strtoul(line, NULL, 10);
	}
	close(fd);
	return (void *)sum;
}

int main(int argc, char **argv)
{
	int workers = 4, clients = 4, option;

	while ((option = getopt(argc, argv, "t:c:n:")) != -1) {
		int value = atoi(optarg);
		if (option == 't')
			workers = value;
		else if (option == 'c')
			clients = value;
		else
			requests = value;
	}
	if (workers < 1 || workers > 64 || clients < 1 || clients > 64)
		return 2;
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 64) != 0) {
		perror("server");
		return 1;
	}
	pthread_t threads[64], unused;
	for (int i = 0; i < workers; i++)
		pthread_create(&unused, NULL, worker, NULL);
	for (long i = 0; i < clients; i++)
		pthread_create(&threads[i], NULL, client, (void *)i);
	unsigned long total = 0;
	for (int i = 0; i < clients; i++) {
		void *sum;
		pthread_join(threads[i], &sum);
		total += (unsigned long)sum;
	}
	printf("sum %lu log lines %lu\n", total, atomic_load(&logged));
	return 0;
}
