/* libFuzzer target: any bytes as an anomaly map; the seeds are NPY. */
#include "data/codec/map_file.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(int condition) {
    if (!condition) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    EadMapFile map;
    if (ead_map_file_decode(bytes, size, "fuzz", &map) != EAD_OK) {
        require(!map.values && strncmp(ead_error_message(), "fuzz: ", 6) == 0 &&
                !strchr(ead_error_message(), '\n'));
        return 0;
    }
    require(map.width >= 1 && map.height >= 1);
    for (int64_t i = 0; i < (int64_t)map.width * map.height; i++) require(isfinite(map.values[i]));
    ead_map_file_free(&map);
    return 0;
}
