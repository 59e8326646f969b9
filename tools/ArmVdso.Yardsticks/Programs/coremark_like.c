/* A synthetic integer program of the kind of CoreMark: a linked list that is searched, reversed and merge-sorted, products of small
   matrices, a state machine over numbers in text, and a CRC over the results. It is not CoreMark and gives no CoreMark figure; its
   2000 bytes are divided as that program's. Freestanding: run(rounds) returns a checksum. */

typedef unsigned char u8;
typedef short s16;
typedef unsigned short u16;
typedef int s32;
typedef unsigned int u32;
typedef unsigned long u64;

#define NODES 20
#define N 9
#define TEXT 666

struct node { struct node *next; s16 *value; };

static struct node nodes[NODES + 1];
static s16 values[NODES + 1][2];
static s16 left[N * N], right[N * N];
static s32 product[N * N];
static u8 text[TEXT + 1];

static __attribute__((noinline)) u16 crc_byte(u8 data, u16 crc)
{
	for (int i = 0; i < 8; i++) {
		u8 carry = (u8)((data & 1) ^ (crc & 1));

		data >>= 1;
		crc = (u16)(carry ? ((crc ^ 0x4002) >> 1) | 0x8000 : crc >> 1);
	}
	return crc;
}

static u16 crc16(u16 data, u16 crc)
{
	return crc_byte((u8)(data >> 8), crc_byte((u8)data, crc));
}

enum state { START, INVALID, SIGN, INTEGER, FRACTION, EXPONENT, SCIENTIFIC, STATES };

static __attribute__((noinline)) enum state scan(u8 **at, u32 *seen)
{
	u8 *p = *at;
	enum state s = START;

	for (; *p && s != INVALID; p++) {
		u8 c = *p;
		int digit = c >= '0' && c <= '9';

		if (c == ',') {
			p++;
			break;
		}
		switch (s) {
		case START:
			s = digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? FRACTION : INVALID;
			seen[START]++;
			break;
		case SIGN:
			s = digit ? INTEGER : c == '.' ? FRACTION : INVALID;
			seen[SIGN]++;
			break;
		case INTEGER:
			if (c == '.') {
				s = FRACTION;
				seen[INTEGER]++;
			} else if (!digit) {
				s = INVALID;
				seen[INTEGER]++;
			}
			break;
		case FRACTION:
			if (c == 'e' || c == 'E') {
				s = EXPONENT;
				seen[FRACTION]++;
			} else if (!digit) {
				s = INVALID;
				seen[FRACTION]++;
			}
			break;
		case EXPONENT:
			s = c == '+' || c == '-' ? SCIENTIFIC : INVALID;
			seen[EXPONENT]++;
			break;
		case SCIENTIFIC:
			if (!digit) {
				s = INVALID;
				seen[SCIENTIFIC]++;
			}
			break;
		default:
			break;
		}
	}
	if (s == INVALID)
		while (*p && *p++ != ',')
			;
	*at = p;
	return s;
}

static __attribute__((noinline)) u16 states(u16 crc, u8 change, int stride)
{
	u32 ends[STATES], seen[STATES];

	for (int i = 0; i < STATES; i++)
		ends[i] = seen[i] = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (u8 *p = text; *p;)
			ends[scan(&p, seen)]++;
		for (int i = 0; i < TEXT; i += stride)
			if (text[i] != ',')
				text[i] ^= change;
	}
	for (int i = 0; i < STATES; i++)
		crc = crc16((u16)seen[i], crc16((u16)ends[i], crc));
	return crc;
}

static __attribute__((noinline)) s16 total(s32 clip)
{
	s32 sum = 0, last = 0;
	s16 result = 0;

	for (int i = 0; i < N * N; i++) {
		s32 now = product[i];

		sum += now;
		if (sum > clip) {
			result += 10;
			sum = 0;
		} else {
			result += now > last;
		}
		last = now;
	}
	return result;
}

static __attribute__((noinline)) void multiply(void)
{
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			s32 sum = 0;

			for (int k = 0; k < N; k++)
				sum += (s32)left[i * N + k] * right[k * N + j];
			product[i * N + j] = sum;
		}
}

static __attribute__((noinline)) void multiply_bits(void)
{
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			s32 sum = 0;

			for (int k = 0; k < N; k++) {
				s32 x = (s32)left[i * N + k] * right[k * N + j];

				sum += ((x >> 2) & 15) * ((x >> 5) & 127);
			}
			product[i * N + j] = sum;
		}
}

static __attribute__((noinline)) u16 matrices(s16 value, u16 crc)
{
	s32 clip = (s16)(0xF000 | value);

	for (int i = 0; i < N * N; i++)
		left[i] = (s16)(left[i] + value);
	for (int i = 0; i < N * N; i++)
		product[i] = left[i] * value;
	crc = crc16((u16)total(clip), crc);
	for (int i = 0; i < N; i++) {
		product[i] = 0;
		for (int j = 0; j < N; j++)
			product[i] += left[i * N + j] * right[j];
	}
	crc = crc16((u16)total(clip), crc);
	multiply();
	crc = crc16((u16)total(clip), crc);
	multiply_bits();
	crc = crc16((u16)total(clip), crc);
	for (int i = 0; i < N * N; i++)
		left[i] = (s16)(left[i] - value);
	return crc;
}

static u16 run_crc;

/* The value of a node: made of a part of the work, and remembered. */
static s16 value_of(s16 *data)
{
	s16 v = *data;

	if (v & 0x80)
		return (s16)(v & 0x7F);
	u16 seed = (u16)(v & 0xF) | (u16)((v >> 3) & 0xF) << 4;
	u16 result = (v & 7) == 0 ? states(run_crc, (u8)(seed | 1), 7) : (v & 7) == 1 ? matrices((s16)seed, run_crc) : (u16)v;

	run_crc = crc16(result, run_crc);
	*data = (s16)((v & 0xFF00) | 0x80 | (result & 0x7F));
	return (s16)(result & 0x7F);
}

static int by_value(struct node *a, struct node *b)
{
	return value_of(a->value) - value_of(b->value);
}

static int by_index(struct node *a, struct node *b)
{
	a->value[0] = (s16)((a->value[0] & 0xFF00) | (0xFF & (a->value[0] >> 8)));
	b->value[0] = (s16)((b->value[0] & 0xFF00) | (0xFF & (b->value[0] >> 8)));
	return a->value[1] - b->value[1];
}

static __attribute__((noinline)) struct node *sort(struct node *list, int (*order)(struct node *, struct node *))
{
	for (int size = 1;; size *= 2) {
		struct node *p = list, *tail = 0;
		int merges = 0;

		list = 0;
		while (p) {
			struct node *q = p;
			int here = 0, there = size;

			merges++;
			while (here < size && q) {
				here++;
				q = q->next;
			}
			while (here > 0 || (there > 0 && q)) {
				struct node *e;

				if (here == 0 || (there > 0 && q && order(p, q) > 0)) {
					e = q;
					q = q->next;
					there--;
				} else {
					e = p;
					p = p->next;
					here--;
				}
				if (tail)
					tail->next = e;
				else
					list = e;
				tail = e;
			}
			p = q;
		}
		tail->next = 0;
		if (merges <= 1)
			return list;
	}
}

static __attribute__((noinline)) struct node *find(struct node *list, s16 wanted)
{
	while (list && (list->value[0] & 0xFF) != wanted)
		list = list->next;
	return list;
}

static __attribute__((noinline)) struct node *reverse(struct node *list)
{
	struct node *done = 0;

	while (list) {
		struct node *next = list->next;

		list->next = done;
		done = list;
		list = next;
	}
	return done;
}

static __attribute__((noinline)) u16 lists(struct node **list, s16 seed)
{
	u16 found = 0, missed = 0, sum = 0;

	for (int i = 0; i < 4 * NODES; i++) {
		struct node *e = find(*list, (s16)(i & 0xFF));

		*list = reverse(*list);
		if (e) {
			found++;
			if (e->value[0] & 1)
				sum += (u16)((e->value[0] >> 9) & 1);
		} else {
			missed++;
			sum += (u16)(((*list)->next->value[0] >> 8) & 1);
		}
	}
	sum += (u16)(found * 4 - missed);
	*list = sort(*list, by_value);
	u16 crc = crc16(sum, (u16)seed);
	for (struct node *e = *list; e; e = e->next)
		crc = crc16((u16)e->value[0], crc);
	*list = sort(*list, by_index);
	for (struct node *e = *list; e; e = e->next)
		crc = crc16((u16)e->value[0], crc);
	return crc;
}

static void prepare(void)
{
	static const char pattern[] = "5012,1234,-874,+122,35.54400,.1234500,-110.700,+0.64400,5.500e+3,-.123e-2,-87e+832,+0.6e-12,"
		"T0.3e-1F,-T.T++Tq,1T3.4e4z,34.0e-T^,";
	u32 random = 1;

	for (int i = 0; i < TEXT; i++)
		text[i] = (u8)pattern[i % (int)(sizeof(pattern) - 1)];
	for (int i = 0; i < N * N; i++) {
		random = random * 1103515245 + 12345;
		left[i] = (s16)(random >> 24);
		right[i] = (s16)(random >> 20 & 0xFF);
	}
	for (int i = 0; i < NODES; i++) {
		u16 low = (u16)((i * 7 + 3) & 0x7F);

		values[i][0] = (s16)(low << 8 | low);
		values[i][1] = (s16)i;
		nodes[i].value = values[i];
		nodes[i].next = i + 1 < NODES ? &nodes[i + 1] : 0;
	}
}

__attribute__((section(".text.first"))) u64 run(u64 rounds)
{
	u16 crc = 0;
	struct node *list = nodes;

	prepare();
	for (u64 i = 0; i < rounds; i++) {
		crc = crc16(lists(&list, 1), crc);
		crc = crc16(lists(&list, -1), crc);
	}
	return crc | (u64)run_crc << 16;
}
