// A byte code interpreter with one switch: indirect branches that a predictor finds hard, small loads.
#include "bench.h"

enum { Push, Add, Subtract, Multiply, And, Duplicate, Swap, Load, Store, Jump, JumpIfNot, Less, Halt };

// s = 0; i = 0; while (i < limit) { s = s * 3 + i & 0xffffff; i = i + 1; }
static const int32_t program[] = {
    Push, 0, Store, 0, Push, 0, Store, 1,
    Load, 1, Load, 2, Less, JumpIfNot, 38,                         // 8
    Load, 0, Push, 3, Multiply, Load, 1, Add, Push, 0xffffff, And, // 15
    Store, 0,                                                      // 27
    Load, 1, Push, 1, Add, Store, 1, Jump, 8,                      // 29
    Halt,                                                          // 38
};

int main(int argc, char **argv) {
    uint64_t stack[16], variables[4] = { 0, 0, rounds(argc, argv, 100000), 0 };
    int top = 0;
    for (const int32_t *pc = program;;) {
        switch (*pc++) {
        case Push: stack[top++] = (uint64_t)*pc++; break;
        case Add: top--; stack[top - 1] += stack[top]; break;
        case Subtract: top--; stack[top - 1] -= stack[top]; break;
        case Multiply: top--; stack[top - 1] *= stack[top]; break;
        case And: top--; stack[top - 1] &= stack[top]; break;
        case Duplicate: stack[top] = stack[top - 1]; top++; break;
        case Swap: { uint64_t t = stack[top - 1]; stack[top - 1] = stack[top - 2]; stack[top - 2] = t; break; }
        case Load: stack[top++] = variables[*pc++]; break;
        case Store: variables[*pc++] = stack[--top]; break;
        case Jump: pc = program + *pc; break;
        case JumpIfNot: pc = stack[--top] ? pc + 1 : program + *pc; break;
        case Less: top--; stack[top - 1] = stack[top - 1] < stack[top]; break;
        default: return result("interpreter", variables[0]);
        }
    }
}
