// SPDX-License-Identifier: MIT
/* Load averages: who waits so that no signal wakes it counts, as the parent of vfork does; who only sleeps does not. */
#include "guest.h"
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>

static double loads[3];

static void read_loads(void)
{
	char text[200];

	guest_read("/proc/loadavg", text, sizeof(text));
	sscanf(text, "%lf %lf %lf", &loads[0], &loads[1], &loads[2]);
}

static void sleep_for(int seconds)
{
	struct timespec time = { seconds, 0 };

	nanosleep(&time, NULL);
}

static int near(double value, double wanted)
{
	return value > wanted - 0.1 && value < wanted + 0.1;
}

int main(void)
{
	char path[40], text[4000];
	struct sysinfo info;
	pid_t child;

	/* Whatever there was before is over. */
	sleep_for(7200);
	read_loads();
	CHECK("nobody", loads[0] < 0.1 && loads[1] < 0.1 && loads[2] < 0.1);
	child = vfork();
	if (!child) {
		sleep_for(300);
		read_loads();
		sysinfo(&info);
		snprintf(path, sizeof(path), "/proc/%d/status", getppid());
		guest_read(path, text, sizeof(text));
		_exit(0);
	}
	CHECK("one who waits for a child of vfork, 300 s", near(loads[0], 0.99) && near(loads[1], 0.63) && near(loads[2], 0.28));
	CHECK("sysinfo says so, too", near(info.loads[0] / 65536.0, loads[0]) && near(info.loads[2] / 65536.0, loads[2]));
	CHECK("such a sleep has its own letter", strstr(text, "State:\tD (disk sleep)"));
	waitpid(child, NULL, 0);
	sleep_for(60);
	read_loads();
	CHECK("a minute later", near(loads[0], 0.37) && near(loads[1], 0.51) && near(loads[2], 0.27));
	return guest_done("loads");
}
