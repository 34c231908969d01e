/* libFuzzer target: any bytes as a PNG. The checksums of the chunks are
 * put right first; otherwise nearly every mutation would end at them. */
#include "test/fuzz/fuzz_image.h"
#include "test/support/png_checksum.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Chunks are length, type, data, checksum, one after the other from byte 8 on. */
static void correct_checksums(uint8_t *bytes, size_t size) {
    for (size_t at = 8; size >= 12 && at <= size - 12;) {
        size_t length = (size_t)bytes[at] << 24 | (size_t)bytes[at + 1] << 16 | (size_t)bytes[at + 2] << 8 |
                        (size_t)bytes[at + 3];
        if (length > size - 12 - at) return;
        put_big_endian(bytes + at + 8 + length, crc32_of(bytes + at + 4, length + 4));
        at += length + 12;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) return 0;
    memcpy(copy, bytes, size);
    correct_checksums(copy, size);
    fuzz_image(copy, size);
    free(copy);
    return 0;
}
