/* An interpreter of a small stack machine: one switch, so one indirect branch for all operations. What it interprets adds up the
   lengths of Collatz sequences, of other numbers each round. Freestanding: run(rounds) returns a checksum. */

typedef signed char s8;
typedef unsigned long u64;

enum operation { PUSH, LOAD, STORE, ADD, MULTIPLY, HALVE, ODD, EQUAL, JUMP, JUMP_IF_ZERO, END };

struct instruction { s8 operation, argument; };

/* Variables: the number now, none, all steps, numbers to go, the last number. */
static const struct instruction program[] = {
	/*  0 */ { LOAD, 3 }, { JUMP_IF_ZERO, 34 },
	/*  2 */ { LOAD, 3 }, { PUSH, -1 }, { ADD, 0 }, { STORE, 3 },
	/*  6 */ { LOAD, 4 }, { PUSH, 1 }, { ADD, 0 }, { STORE, 4 },
	/* 10 */ { LOAD, 4 }, { STORE, 0 },
	/* 12 */ { LOAD, 0 }, { PUSH, 1 }, { EQUAL, 0 }, { JUMP_IF_ZERO, 17 }, { JUMP, 0 },
	/* 17 */ { LOAD, 2 }, { PUSH, 1 }, { ADD, 0 }, { STORE, 2 },
	/* 21 */ { LOAD, 0 }, { ODD, 0 }, { JUMP_IF_ZERO, 30 },
	/* 24 */ { LOAD, 0 }, { PUSH, 3 }, { MULTIPLY, 0 }, { PUSH, 1 }, { ADD, 0 }, { JUMP, 32 },
	/* 30 */ { LOAD, 0 }, { HALVE, 0 },
	/* 32 */ { STORE, 0 }, { JUMP, 12 },
	/* 34 */ { END, 0 },
};

static __attribute__((noinline)) void interpret(const struct instruction *code, u64 *variables)
{
	u64 stack[8];
	u64 *top = stack;

	for (const struct instruction *i = code;;) {
		s8 argument = i->argument;

		switch ((enum operation)i++->operation) {
		case PUSH: *top++ = (u64)argument; break;
		case LOAD: *top++ = variables[argument]; break;
		case STORE: variables[argument] = *--top; break;
		case ADD: top--; top[-1] += *top; break;
		case MULTIPLY: top--; top[-1] *= *top; break;
		case HALVE: top[-1] /= 2; break;
		case ODD: top[-1] &= 1; break;
		case EQUAL: top--; top[-1] = top[-1] == *top; break;
		case JUMP: i = code + argument; break;
		case JUMP_IF_ZERO:
			if (*--top == 0)
				i = code + argument;
			break;
		case END: return;
		}
	}
}

__attribute__((section(".text.first"))) u64 run(u64 rounds)
{
	u64 variables[5] = { 0 };

	for (u64 r = 0; r < rounds; r++) {
		variables[3] = 4;
		interpret(program, variables);
	}
	return variables[2];
}
