/* libFuzzer target: any bytes through the door for images; the seeds are BMP. */
#include "test/fuzz/fuzz_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    fuzz_image(bytes, size);
    return 0;
}
