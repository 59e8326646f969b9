// Floating point: n bodies with square roots and divisions, and a vectorised triad.
#include "bench.h"
#include <math.h>

enum { Bodies = 5, Length = 1024 };

static double position[Bodies][3], speed[Bodies][3];
static float a[Length], b[Length], c[Length];

int main(int argc, char **argv) {
    uint64_t n = rounds(argc, argv, 4000);
    for (int i = 0; i < Bodies; i++)
        for (int k = 0; k < 3; k++) {
            position[i][k] = i * 1.5 + k * 0.25 - 2;
            speed[i][k] = (i - 2) * 0.01 * (k + 1);
        }
    for (uint64_t step = 0; step < n; step++) {
        for (int i = 0; i < Bodies; i++)
            for (int j = i + 1; j < Bodies; j++) {
                double d[3], square = 0.01;
                for (int k = 0; k < 3; k++) {
                    d[k] = position[i][k] - position[j][k];
                    square += d[k] * d[k];
                }
                double pull = 0.001 / (square * sqrt(square));
                for (int k = 0; k < 3; k++) {
                    speed[i][k] -= d[k] * pull;
                    speed[j][k] += d[k] * pull;
                }
            }
        for (int i = 0; i < Bodies; i++)
            for (int k = 0; k < 3; k++)
                position[i][k] += speed[i][k] * 0.01;
        for (int i = 0; i < Length && step % 8 == 0; i++) {
            b[i] = a[i] * 0.5f + 1;
            c[i] = b[i] - a[i];
        }
        if (step % 8 == 0)
            for (int i = 0; i < Length; i++)
                a[i] = b[i] * 0.5f + c[i] * 0.25f + (float)i;
    }
    double total = 0;
    for (int i = 0; i < Bodies; i++)
        total += position[i][0] * speed[i][1] + position[i][2];
    uint64_t bits;
    memcpy(&bits, &total, 8);
    uint32_t one;
    memcpy(&one, &a[100], 4);
    return result("floating", bits + one);
}
