/*
 * The vDSO's functions: names[] to pointers[], which the includer has, with S_COUNT and, unless they are OWN, FUNCTION_NAMES.
 */
#ifndef ARMVDSO_GUEST_VDSO_H
#define ARMVDSO_GUEST_VDSO_H

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* Finds the vDSO's functions through PT_DYNAMIC, as a C library does. */
static void find_vdso(u64 base)
{
#ifdef OWN
	const char *names[S_COUNT];

	for (int i = 0; i < S_COUNT; i++)
		names[i] = own[i].name ? own[i].name : "";
#else
	static const char *const names[S_COUNT] = {
		FUNCTION_NAMES
	};
#endif
	u64 phdr = base + *(u64 *)(base + 32);
	int count = *(u16 *)(base + 56);
	u64 symbols = 0, strings = 0, hash = 0;

	for (int i = 0; i < count; i++, phdr += 56) {
		if (*(u32 *)phdr != 2)
			continue;
		for (u64 *d = (u64 *)(base + *(u64 *)(phdr + 16)); d[0]; d += 2) {
			if (d[0] == 4)
				hash = base + d[1];
			else if (d[0] == 5)
				strings = base + d[1];
			else if (d[0] == 6)
				symbols = base + d[1];
		}
	}
	if (!symbols || !strings || !hash)
		return;
	for (u32 i = 0; i < ((u32 *)hash)[1]; i++) {
		u64 symbol = symbols + 24UL * i;
		const char *name = (const char *)(strings + *(u32 *)symbol);

		for (int k = 0; k < S_COUNT; k++)
			if (*(u16 *)(symbol + 6) && same(name, names[k]))
				pointers[k] = base + *(u64 *)(symbol + 8);
	}
}

#endif
