/* FIPS 180-4. Its constants are the first 32 bits of the fractions of the primes' square roots (the state at first) and
 * cube roots (one a round). */
#include "core/file/sha256.h"

#include "core/base/file_bytes.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = 8, ROUNDS = 64, BLOCK = 64 };

static const uint32_t first_state[WORDS] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                            0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t rounds[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t x, int bits) {
    return x >> bits | x << (32 - bits);
}

static void add_block(uint32_t state[WORDS], const uint8_t *bytes) {
    uint32_t w[ROUNDS], s[WORDS];
    for (int i = 0; i < 16; i++, bytes += 4)
        w[i] = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    for (int i = 16; i < ROUNDS; i++)
        w[i] = w[i - 16] + (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] +
               (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
    memcpy(s, state, sizeof s);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]),
                 majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        uint32_t a = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25)) + choice + rounds[i] + w[i];
        uint32_t b = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22)) + majority;
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += a;
        s[0] = a + b;
    }
    for (int i = 0; i < WORDS; i++) state[i] += s[i];
}

/* What follows the last whole block: a bit, zeros, and the length in bits. */
static void finish(uint32_t state[WORDS], const uint8_t *rest, size_t left, uint64_t size) {
    uint8_t tail[2 * BLOCK] = {0};
    size_t end = left + 9 <= BLOCK ? BLOCK : 2 * BLOCK;
    memcpy(tail, rest, left);
    tail[left] = 0x80;
    for (size_t i = 0; i < 8; i++) tail[end - 1 - i] = (uint8_t)(8 * size >> 8 * i);
    for (size_t at = 0; at < end; at += BLOCK) add_block(state, tail + at);
}

void ead_sha256(const void *bytes, size_t size, uint8_t digest[EAD_SHA256_BYTES]) {
    uint32_t state[WORDS];
    size_t at = 0;
    memcpy(state, first_state, sizeof state);
    for (; at + BLOCK <= size; at += BLOCK) add_block(state, (const uint8_t *)bytes + at);
    finish(state, (const uint8_t *)bytes + at, size - at, size);
    for (int i = 0; i < EAD_SHA256_BYTES; i++) digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

EadStatus ead_file_sha256(const char *path, char text[EAD_SHA256_TEXT]) {
    uint32_t state[WORDS];
    uint8_t bytes[256 * BLOCK];
    uint64_t size = 0;
    size_t got, at = 0;
    int descriptor;
    EAD_TRY(ead_open_regular(path, &descriptor));
    FILE *file = fdopen(descriptor, "rb");
    if (!file) {
        close(descriptor);
        return ead_fail(EAD_NO_MEMORY, "%s: no memory to read it", path);
    }
    memcpy(state, first_state, sizeof state);
    while ((got = fread(bytes, 1, sizeof bytes, file)) == sizeof bytes) {
        for (at = 0; at < got; at += BLOCK) add_block(state, bytes + at);
        size += got;
    }
    for (at = 0; at + BLOCK <= got; at += BLOCK) add_block(state, bytes + at);
    finish(state, bytes + at, got - at, size + got);
    bool read = !ferror(file);
    fclose(file);
    if (!read) return ead_fail(EAD_IO, "%s: cannot be read", path);
    for (int i = 0; i < WORDS; i++) snprintf(text + 8 * i, 9, "%08x", (unsigned)state[i]);
    return EAD_OK;
}
