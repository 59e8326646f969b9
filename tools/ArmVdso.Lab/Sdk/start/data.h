/* What the kernel writes and the image reads. */
#ifndef OWN_DATA_H
#define OWN_DATA_H

#define OWN_CPUS	64
#define OWN_OFFSET	0xffffUL	/* of the register; above it a count of the CPU's switches, never 0 */

/* What is known of the task that a CPU runs: a cache line of its own. */
struct own_slot {
	unsigned int cpu;
	unsigned int pid;
} __attribute__((aligned(64)));

struct own_data {
	struct own_slot slots[OWN_CPUS];
};

#endif
