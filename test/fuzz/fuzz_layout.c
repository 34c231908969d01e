/* libFuzzer target: any bytes as the two small files that describe a data set, VisA's CSV and MVTec LOCO's
 * defects_config.json. */
#include "data/dataset/csv_reader.h"
#include "data/dataset/defect_types.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_csv(const char *bytes, size_t size) {
    EadCsvReader reader;
    bool found = true;
    size_t fields = 0;
    EadStatus status = ead_csv_open_text(bytes, size, "fuzz", &reader);
    while (status == EAD_OK && found) {
        status = ead_csv_next(&reader, &found);
        for (int i = 0; i < reader.count && status == EAD_OK; i++) fields += strlen(reader.fields[i]);
    }
    if (fields > size) __builtin_trap();
    ead_csv_close(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    EadDefectTypes types;
    read_csv((const char *)bytes, size);
    if (ead_defect_types_parse((const char *)bytes, size, "fuzz", &types) != EAD_OK) return 0;
    for (int area = 1; area < 100000; area *= 10) {
        int64_t saturation = ead_defect_type_saturation(&types.items[0], area);
        if (saturation < 1 || saturation > area) __builtin_trap();
    }
    ead_defect_types_free(&types);
    return 0;
}
