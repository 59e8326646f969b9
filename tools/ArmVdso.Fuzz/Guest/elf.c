/* SPDX-License-Identifier: MIT */
/* Programs whose headers are odd, and scripts. The program is small and made here: it ends at once with status 0. */
#include "fuzz.h"
#include <elf.h>

#define PAGE 4096
#define SEGMENTS 10
#define HEADERS (sizeof(Elf64_Ehdr) + SEGMENTS * sizeof(Elf64_Phdr))
#define TEXTS 0x380              /* a name of an interpreter, a note, a dynamic section */
#define CODE 0x600
#define SIZE (3 * PAGE)
#define FIXED 0x400000ul

static unsigned char image[SIZE];

static const char *const interpreters[] = { "/tmp/program", "/", "/none", "relative", "/dev/zero", "/proc/self/exe", "/tmp/script" };

static void segment(int index, uint32_t type, uint32_t flags, uint64_t offset, uint64_t address, uint64_t file, uint64_t memory,
		    uint64_t align)
{
	Elf64_Phdr header = { type, flags, offset, address, address, file, memory, align };
	memcpy(image + sizeof(Elf64_Ehdr) + index * sizeof(header), &header, sizeof(header));
}

static void make(void)
{
	static const uint32_t code[] = {
		0xf94003e0, /* ldr x0, [sp] */
		0x10000001, /* adr x1, . */
		0x52800000, /* mov w0, #0 */
		0x52800ba8, /* mov w8, #93 */
		0xd4000001, /* svc #0 */
	};
	static const uint32_t note[] = { 4, 16, 5, 0x554e47, 0xc0000000, 4, 3, 0 };   /* NT_GNU_PROPERTY_TYPE_0: BTI, PAC */
	static const Elf64_Dyn dynamic[] = { { DT_FLAGS_1, { DF_1_PIE } }, { DT_NULL, { 0 } } };
	uint64_t base = next() & 1 ? FIXED : 0;
	Elf64_Ehdr header = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = base ? ET_EXEC : ET_DYN, .e_machine = EM_AARCH64, .e_version = EV_CURRENT, .e_entry = base + CODE,
		.e_phoff = sizeof(header), .e_ehsize = sizeof(header), .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = SEGMENTS,
	};
	memset(image, 0, sizeof(image));
	memcpy(image, &header, sizeof(header));
	segment(0, PT_PHDR, PF_R, sizeof(header), base + sizeof(header), HEADERS - sizeof(header), HEADERS - sizeof(header), 8);
	segment(1, PT_LOAD, PF_R | PF_X, 0, base, PAGE, PAGE, PAGE);
	segment(2, PT_LOAD, PF_R | PF_W, PAGE, base + 16 * PAGE, 0x800, 0x2800, PAGE);
	segment(3, PT_LOAD, PF_R, 2 * PAGE, base + 32 * PAGE, PAGE, PAGE, 16 * PAGE);
	segment(4, PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 16);
	segment(5, PT_NOTE, PF_R, TEXTS + 64, base + TEXTS + 64, sizeof(note), sizeof(note), 8);
	segment(6, PT_GNU_PROPERTY, PF_R, TEXTS + 64, base + TEXTS + 64, sizeof(note), sizeof(note), 8);
	segment(7, PT_TLS, PF_R, PAGE, base + 16 * PAGE, 16, 32, 8);
	segment(8, PT_GNU_RELRO, PF_R, PAGE, base + 16 * PAGE, 0x800, PAGE, 1);
	segment(9, PT_DYNAMIC, PF_R | PF_W, TEXTS + 128, base + TEXTS + 128, sizeof(dynamic), sizeof(dynamic), 8);
	memcpy(image + TEXTS + 64, note, sizeof(note));
	memcpy(image + TEXTS + 128, dynamic, sizeof(dynamic));
	memcpy(image + CODE, code, sizeof(code));
}

static void mutate(void)
{
	static const uint32_t types[] = {
		PT_NULL, PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_SHLIB, PT_PHDR, PT_TLS, PT_GNU_STACK, PT_GNU_PROPERTY, PT_GNU_RELRO,
	};
	for (int k = 1 + next() % 3; k > 0; k--) {
		int at = next() % (HEADERS + (next() & 3 ? 0 : 0x300));
		uint64_t odd = argument();
		unsigned char *phdr = image + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) * (next() % SEGMENTS);
		switch (next() % 6) {
		case 0: image[at] = next(); break;
		case 1: image[at] ^= 1 << (next() & 7); break;
		case 2: memcpy(image + (at & ~7), &odd, 8); break;
		case 3: memcpy(phdr, &types[next() % (sizeof(types) / sizeof(*types))], 4); break;
		case 4: memcpy(phdr + 8 * (1 + next() % 6), &odd, 8); break;
		default: {
			/* A segment that nearly fits another. */
			uint64_t value;
			unsigned char *field = phdr + 8 * (1 + next() % 6);
			memcpy(&value, field, 8);
			value += (int64_t)(next() % 5 - 2) * (next() & 1 ? PAGE : 1);
			memcpy(field, &value, 8);
			break;
		}
		}
	}
	if (next() % 4 == 0) {
		const char *name = interpreters[next() % (sizeof(interpreters) / sizeof(*interpreters))];
		strcpy((char *)image + TEXTS, name);
		segment(next() % SEGMENTS, PT_INTERP, PF_R, TEXTS, TEXTS, strlen(name) + 1, strlen(name) + (next() & 1), 1);
	}
}

static size_t script(void)
{
	static const char *const parts[] = {
		"#!", "#! ", "/tmp/script", "/tmp/program", "/tmp", "/none", "relative", "\n", "\t", " a b", "/proc/self/exe", "", "\x7f" "ELF",
		"/",
	};
	size_t size = 0;
	char *text = (char *)image;
	memcpy(text, "#!", size = 2);
	for (int k = next() % 6; k > 0; k--) {
		const char *part = parts[next() % (sizeof(parts) / sizeof(*parts))];
		strcpy(text + size, part);
		size += strlen(part);
		if (next() % 8 == 0)
			text[size++] = next();
		if (next() % 16 == 0) {
			memset(text + size, 'x', 5000);
			size += 1000 + next() % 4000;
		}
		if (size > SIZE - 6000)
			break;
	}
	return size;
}

/* Closed again: a file that somebody may write is not executed. */
static void put(size_t size)
{
	int file = open("/tmp/program", O_WRONLY | O_CREAT | O_TRUNC, 0755);
	if (file < 0 || write(file, image, size) != (ssize_t)size)
		_exit(6);
	close(file);
}

void fuzz_program(void)
{
	static int null = -1;
	if (null < 0) {
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		int fd = open("/tmp/script", O_WRONLY | O_CREAT, 0755);
		if (fd < 0 || write(fd, "#!/tmp/program\n", 15) != 15)
			_exit(6);
		close(fd);
	}
	size_t size = SIZE;
	if (next() % 16 == 0) {
		size = script();
	} else {
		make();
		mutate();
		if (next() % 16 == 0)
			size = next() % SIZE;
	}
	put(size);
	static char *const no_words[] = { 0 };
	static char *const words[] = { "/tmp/program", "a word", "", 0 };
	int odd = next() % 16;
	/* The child's words are copied before the parent goes on. */
	pid_t child = vfork();
	if (child == 0) {
		dup2(null, 1);
		dup2(null, 2);
		no_more_rights();
		execve("/tmp/program", odd == 0 ? no_words : words, odd == 1 ? no_words : environ);
		_exit(126);
	}
	counts->cases++;
	if (child < 0)
		return;
	int status = reap(child, 10);
	if (status < 0 || WIFSIGNALED(status))
		counts->killed++;
	else if (WEXITSTATUS(status) == 126)
		counts->refused++;
	else
		counts->ended++;
}
