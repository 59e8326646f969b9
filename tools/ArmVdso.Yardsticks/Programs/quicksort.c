/* A quicksort of 2048 pseudo-random numbers, each round others: median of three, both sides from the ends, short stretches by
   insertion. Its comparisons are a coin's throw, which no predictor knows. Freestanding: run(rounds) returns a checksum. */

typedef unsigned int u32;
typedef unsigned long u64;

#define COUNT 2048
#define SHORT 12

static u32 numbers[COUNT];

static void insertion(u32 *low, u32 *high)
{
	for (u32 *p = low + 1; p <= high; p++) {
		u32 value = *p;
		u32 *q = p;

		for (; q > low && q[-1] > value; q--)
			*q = q[-1];
		*q = value;
	}
}

static u32 median(u32 a, u32 b, u32 c)
{
	if (a > b) {
		u32 t = a;

		a = b;
		b = t;
	}
	return c < a ? a : c > b ? b : c;
}

static __attribute__((noinline)) void sort(u32 *low, u32 *high)
{
	while (high - low >= SHORT) {
		u32 pivot = median(*low, low[(high - low) / 2], *high);
		u32 *i = low, *j = high;

		while (i <= j) {
			while (*i < pivot)
				i++;
			while (*j > pivot)
				j--;
			if (i <= j) {
				u32 t = *i;

				*i++ = *j;
				*j-- = t;
			}
		}
		if (j - low < high - i) {
			sort(low, j);
			low = i;
		} else {
			sort(i, high);
			high = j;
		}
	}
	insertion(low, high);
}

__attribute__((section(".text.first"))) u64 run(u64 rounds)
{
	u64 seed = 1, sum = 0;

	for (u64 r = 0; r < rounds; r++) {
		for (int i = 0; i < COUNT; i++) {
			seed = seed * 6364136223846793005ul + 1442695040888963407ul;
			numbers[i] = (u32)(seed >> 32);
		}
		sort(numbers, numbers + COUNT - 1);
		for (int i = 1; i < COUNT; i++)
			sum += (numbers[i - 1] <= numbers[i]) + (u64)numbers[i] * (u64)i;
	}
	return sum;
}
