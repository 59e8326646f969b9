/* A synthetic integer program of the kind of Dhrystone: records and pointers, enumerations, short procedures, strings of 30 characters,
   two arrays. It is not Dhrystone and gives no Dhrystone figure; a round has about as much of each as a round of that program.
   Freestanding: run(rounds) returns a checksum. */

typedef unsigned long u64;
typedef enum { FIRST, SECOND, THIRD, FOURTH, FIFTH } kind_t;

struct item {
	struct item *next;
	kind_t tag;
	kind_t kind;
	int number;
	char name[31];
};

static struct item items[2];
static struct item *head, *spare;
static int counter, flag;
static char letter_a, letter_b;
static int row[50], table[50][50];

/* Word by word, as a C library does it. */
static __attribute__((noinline)) int compare(const char *a, const char *b)
{
	const u64 ones = 0x0101010101010101, highs = 0x8080808080808080;

	for (;;) {
		u64 x, y;

		__builtin_memcpy(&x, a, 8);
		__builtin_memcpy(&y, b, 8);
		if (x != y || ((x - ones) & ~x & highs))
			break;
		a += 8;
		b += 8;
	}
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

static __attribute__((noinline)) void add(int a, int b, int *sum)
{
	*sum = b + a + 2;
}

static __attribute__((noinline)) void step(int *value)
{
	int local = *value + 10;

	do {
		if (letter_a == 'A') {
			local--;
			*value = local - counter;
			break;
		}
	} while (1);
}

static __attribute__((noinline)) void follow(struct item **to)
{
	if (head)
		*to = head->next;
	add(10, counter, &head->number);
}

static __attribute__((noinline)) void letters(void)
{
	flag |= letter_a == 'A';
	letter_b = 'B';
}

static __attribute__((noinline)) void reset(void)
{
	letter_a = 'A';
	flag = 0;
}

static __attribute__((noinline)) int is_third(kind_t kind)
{
	return kind == THIRD;
}

static __attribute__((noinline)) void choose(kind_t in, kind_t *out)
{
	*out = is_third(in) ? in : FOURTH;
	switch (in) {
	case FIRST: *out = FIRST; break;
	case SECOND: *out = counter > 100 ? FIRST : FOURTH; break;
	case THIRD: *out = SECOND; break;
	case FOURTH: break;
	case FIFTH: *out = THIRD; break;
	}
}

static __attribute__((noinline)) void copy_item(struct item *from)
{
	struct item *to = from->next;

	*to = *head;
	from->number = 5;
	to->number = from->number;
	to->next = from->next;
	follow(&to->next);
	if (to->tag == FIRST) {
		to->number = 6;
		choose(from->kind, &to->kind);
		to->next = head->next;
		add(to->number, 10, &to->number);
	} else {
		*from = *from->next;
	}
}

static __attribute__((noinline)) void fill(int *line, int (*square)[50], int at, int value)
{
	int place = at + 5;

	line[place] = value;
	line[place + 1] = line[place];
	line[place + 30] = place;
	for (int i = place; i <= place + 1; i++)
		square[place][i] = place;
	square[place][place - 1]++;
	square[place + 20][place] = line[place];
	counter = 5;
}

static __attribute__((noinline)) kind_t letter_kind(char a, char b)
{
	char first = a;
	char second = first;

	if (second != b)
		return FIRST;
	letter_a = first;
	return SECOND;
}

static __attribute__((noinline)) int later(const char *a, const char *b)
{
	int at = 2;
	char letter = 0;

	while (at <= 2) {
		if (letter_kind(a[at], b[at + 1]) == FIRST) {
			letter = 'A';
			at++;
		}
	}
	if (letter >= 'W' && letter < 'Z')
		at = 7;
	if (letter == 'R')
		return 1;
	if (compare(a, b) > 0) {
		counter = at + 7;
		return 1;
	}
	return 0;
}

__attribute__((section(".text.first"))) u64 run(u64 rounds)
{
	char first[32] = "SYNTHETIC PROGRAM, 1'ST STRING", second[32];
	int a = 0, b = 0, c = 0;
	kind_t kind = FIRST;

	head = &items[0];
	spare = &items[1];
	head->next = spare;
	head->tag = FIRST;
	head->kind = THIRD;
	head->number = 40;
	__builtin_memcpy(head->name, "SYNTHETIC PROGRAM, SOME STRING", 31);
	for (u64 i = 1; i <= rounds; i++) {
		reset();
		letters();
		a = 2;
		b = 3;
		__builtin_memcpy(second, "SYNTHETIC PROGRAM, 2'ND STRING", 31);
		second[31] = 0;
		kind = SECOND;
		flag = !later(first, second);
		while (a < b) {
			c = 5 * a - b;
			add(a, b, &c);
			a++;
		}
		fill(row, table, a, c);
		copy_item(head);
		for (char letter = 'A'; letter <= letter_b; letter++) {
			if (kind == letter_kind(letter, 'C')) {
				choose(FIRST, &kind);
				__builtin_memcpy(second, "SYNTHETIC PROGRAM, 3'RD STRING", 31);
				b = (int)i;
				counter = (int)i;
			}
		}
		b = b * a;
		a = b / c;
		b = 7 * (b - c) - a;
		step(&a);
	}
	return (u64)(unsigned)(a + 31 * b + 1009 * c + kind + counter + head->number);
}
