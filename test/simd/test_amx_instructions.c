/* The AMX object as it is compiled, on CPUs that lack AMX: there each tile instruction raises SIGILL, and the
 * handler here reads its encoding from the processor manual's tables, does it in plain C and goes on behind
 * it. So registers, addresses, strides and the order of operands are tested as they are in the machine code;
 * on a CPU with AMX the same test holds the CPU itself against the emulation. */
#define _GNU_SOURCE /* REG_RIP and the like */

#include "core/simd/simd.h"
#include "test/support/amx_tiles_emulated.h"
#include "test/support/suite.h"
#include "test/support/amx_emulated.h"

#if defined(__x86_64__) && defined(__linux__)

#include "core/base/philox.h"

#include <signal.h>
#include <ucontext.h>

extern const EadAmx ead_amx_instructions;

static int64_t general_register(const ucontext_t *context, int number) {
    static const int by_number[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                      REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    return context->uc_mcontext.gregs[by_number[number]];
}

/* A VEX instruction of three prefix bytes: C4, inverted R X B and the map, W vvvv L pp, then opcode and
 * ModRM. */
typedef struct Instruction {
    int prefix, opcode, mode, reg, rm, vvvv;
    uint8_t *address; /* base + displacement of a memory operand */
    int64_t index;    /* of its SIB byte: the stride */
    int length;
} Instruction;

static void decode_memory(const ucontext_t *context, const uint8_t *at, bool x, bool b, Instruction *out) {
    int base = out->rm + 8 * b, used = 0;
    if (out->rm == 4) { /* SIB; index 4 without X means none */
        int index = (at[0] >> 3 & 7) + 8 * x;
        out->index = index == 4 ? 0 : general_register(context, index) * (1 << (at[0] >> 6));
        base = (at[0] & 7) + 8 * b;
        used = 1;
    }
    int32_t displacement = out->mode == 1 ? (int8_t)at[used] : 0;
    if (out->mode == 2) memcpy(&displacement, at + used, sizeof displacement);
    out->address = (uint8_t *)(uintptr_t)general_register(context, base) + displacement;
    out->length += used + (out->mode == 1 ? 1 : out->mode == 2 ? 4 : 0);
}

static Instruction decode(const ucontext_t *context) {
    const uint8_t *at = (const uint8_t *)(uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    Instruction i = {.prefix = at[2] & 3, .opcode = at[3], .length = 5};
    i.mode = at[4] >> 6;
    i.reg = at[4] >> 3 & 7;
    i.rm = at[4] & 7;
    i.vvvv = ~at[2] >> 3 & 15;
    if (at[0] != 0xC4 || (at[1] & 31) != 2) i.opcode = -1;
    if (i.mode != 3) decode_memory(context, at + 5, !(at[1] & 0x40), !(at[1] & 0x20), &i);
    return i;
}

static int trapped;
static uint8_t configuration[64]; /* the last one loaded */

static void emulate(int signal_number, siginfo_t *info, void *context) {
    (void)info;
    enum { NONE, OPERAND_66, F3, F2 };
    Instruction i = decode(context);
    if (i.opcode == 0x49 && i.prefix == NONE && i.mode == 3)
        tiles_release();
    else if (i.opcode == 0x49 && i.prefix == NONE)
        memcpy(configuration, i.address, sizeof configuration), tiles_configure();
    else if (i.opcode == 0x49 && i.prefix == F2)
        TILE_ZERO(i.reg);
    else if (i.opcode == 0x4B && i.prefix == F2)
        TILE_LOAD(i.reg, i.address, i.index);
    else if (i.opcode == 0x4B && i.prefix == F3)
        TILE_STORE(i.reg, i.address, i.index);
    else if (i.opcode == 0x5C && i.prefix == F3)
        TILE_MULTIPLY(i.reg, i.rm, i.vvvv);
    else
        signal(signal_number, SIG_DFL); /* not one of AMX's: let it end the program */
    if (i.opcode != -1) ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += i.length;
    trapped++;
}

enum { STEPS = 5 };

/* Random operands; what `amx` makes of them into sums. */
static void multiply(const EadAmx *amx, bool accumulate, float sums[EAD_AMX_SUMS]) {
    static uint16_t a[STEPS * EAD_AMX_STEP], b[STEPS * EAD_AMX_STEP];
    static real row[EAD_AMX_BLOCK];
    int64_t offsets[STEPS];
    for (int r = 0; r < STEPS * EAD_AMX_BLOCK; r++) {
        for (int c = 0; c < EAD_AMX_BLOCK; c++)
            row[c] = (real)((int)(ead_philox_word(7, 1, (uint64_t)(r * EAD_AMX_BLOCK + c)) >> 16) - 32768);
        ead_amx_emulated.narrow(row, 0, 1, EAD_AMX_BLOCK, a + r * EAD_AMX_BLOCK);
        ead_amx_emulated.narrow(row, 0, 1, EAD_AMX_BLOCK,
                                b + (STEPS * EAD_AMX_BLOCK - 1 - r) * EAD_AMX_BLOCK);
    }
    for (int s = 0; s < STEPS; s++) offsets[s] = (STEPS - 1 - s) * EAD_AMX_STEP;
    for (int n = 0; n < EAD_AMX_SUMS; n++) sums[n] = (float)n;
    EadAmxProduct product = {.steps = STEPS, .a = a, .a_offsets = offsets, .b = b};
    product.b_step = EAD_AMX_STEP;
    product.b_half = EAD_AMX_TILE;
    product.sums = sums;
    product.accumulate = accumulate;
    amx->begin();
    amx->product(&product);
    amx->end();
}

/* Palette 1; eight tiles of 16 rows of 64 bytes; all else zero. */
static void check_configuration(void) {
    uint8_t expected[64] = {1};
    for (int tile = 0; tile < 8; tile++) {
        expected[16 + 2 * tile] = 64;
        expected[48 + tile] = 16;
    }
    ck_assert_mem_eq(configuration, expected, sizeof expected);
}

START_TEST(machine_code_does_what_the_emulation_does) {
    SKIP_UNLESS(strcmp(ead_simd()->name, "v4") == 0,
                "the object is compiled for AVX-512, which this CPU lacks");
    bool has_amx = ead_amx() != NULL;
    struct sigaction action = {.sa_sigaction = emulate, .sa_flags = SA_SIGINFO}, before;
    float expected[EAD_AMX_SUMS], sums[EAD_AMX_SUMS];
    multiply(&ead_amx_emulated, _i, expected);
    trapped = 0;
    sigaction(SIGILL, &action, &before);
    multiply(&ead_amx_instructions, _i, sums);
    sigaction(SIGILL, &before, NULL);
    /* configure and release, 4 tiles of sums taken and stored, 8 instructions a step */
    ck_assert_int_eq(trapped, has_amx ? 0 : 2 + 4 + 4 + 8 * STEPS);
    if (!has_amx) check_configuration();
    ck_assert_mem_eq(sums, expected, sizeof sums);
    printf("%s: 32x32 sums over %d steps, bit for bit\n", has_amx ? "on AMX" : "trapped", STEPS);
}
END_TEST

#else

START_TEST(machine_code_does_what_the_emulation_does) {
    SKIP_UNLESS(false, "no x86-64");
}
END_TEST

#endif

int main(void) {
    Suite *suite = suite_create("AMX instructions");
    TCase *tests = tcase_create("machine code");
    tcase_add_loop_test(tests, machine_code_does_what_the_emulation_does, 0, 2);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
