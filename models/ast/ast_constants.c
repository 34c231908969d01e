/* The order of channels and the code of positions, which training does not change. */
#include "models/ast/ast.h"

#include <math.h>

/* ---- numpy's order ---- */

/* The Mersenne Twister of 19,937 bits (Matsumoto and Nishimura 1998), which numpy's RandomState draws from. */
enum { WORDS = 624, AHEAD = 397 };

typedef struct Twister {
    uint32_t words[WORDS];
    int next; /* of them */
} Twister;

static void seed_twister(Twister *t, uint32_t seed) {
    for (int i = 0; i < WORDS; i++) {
        t->words[i] = seed;
        seed = 1812433253u * (seed ^ seed >> 30) + (uint32_t)i + 1;
    }
    t->next = WORDS;
}

static void refill(Twister *t) {
    for (int i = 0; i < WORDS; i++) {
        uint32_t joined = (t->words[i] & 0x80000000u) | (t->words[(i + 1) % WORDS] & 0x7fffffffu);
        t->words[i] = t->words[(i + AHEAD) % WORDS] ^ joined >> 1 ^ (joined & 1 ? 0x9908b0dfu : 0);
    }
    t->next = 0;
}

static uint32_t draw_word(Twister *t) {
    if (t->next == WORDS) refill(t);
    uint32_t y = t->words[t->next++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

/* 0 .. most, each as likely: words are cut to the bits that `most` has, and drawn again where they are above it. */
static uint32_t draw_up_to(Twister *t, uint32_t most) {
    uint32_t mask = most, drawn;
    for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
    do drawn = draw_word(t) & mask;
    while (drawn > most);
    return drawn;
}

void ead_ast_permutation(uint32_t seed, int count, int64_t *order) {
    Twister twister;
    seed_twister(&twister, seed);
    for (int i = 0; i < count; i++) order[i] = i;
    for (int i = count - 1; i > 0; i--) {
        uint32_t other = draw_up_to(&twister, (uint32_t)i);
        int64_t kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
}

/* ---- the position ---- */

void ead_ast_position(int height, int width, real *code) {
    enum { HALF = EAD_AST_POSITION / 2 }; /* channels of a direction */
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++, code += EAD_AST_POSITION)
            for (int i = 0; i < HALF; i += 2) {
                double frequency = exp(-i * log(1e4) / HALF);
                code[i] = (real)sin(x * frequency);
                code[i + 1] = (real)cos(x * frequency);
                code[HALF + i] = (real)sin(y * frequency);
                code[HALF + i + 1] = (real)cos(y * frequency);
            }
}
