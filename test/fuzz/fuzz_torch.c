/* libFuzzer target: any bytes as a file by torch.save (the archive's checksums are wrong then, so numbers are
 * seldom read) and as the pickle in such a file, built around the bytes, with one record of 64 bytes. */
#include "data/torch/torch_file.h"

#include <stdlib.h>
#include <string.h>
#include <zip.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition) {
    if (!condition) abort();
}

static void check_message(void) {
    require(strncmp(ead_error_message(), "fuzz: ", 6) == 0 && !strchr(ead_error_message(), '\n'));
}

static void read_all(const void *bytes, size_t size) {
    EadTorchFile *file;
    if (ead_torch_file_parse(bytes, size, "fuzz", &file) != EAD_OK) {
        require(!file);
        check_message();
        return;
    }
    for (int i = 0; i < ead_torch_file_count(file); i++) {
        const EadFileTensor *tensor = ead_torch_file_at(file, i);
        require(ead_file_name_valid(tensor->name) && tensor->bytes <= size &&
                ead_torch_file_padding(file, i) >= -1);
        if (ead_torch_file_load(file, i) != EAD_OK) {
            check_message();
            continue;
        }
        unsigned sum = 0;
        for (size_t k = 0; k < tensor->bytes; k++) sum += ((const uint8_t *)tensor->data)[k];
        require(sum <= 255 * tensor->bytes);
    }
    ead_torch_file_close(file);
}

static void put(zip_t *zip, const char *name, const void *bytes, size_t size) {
    zip_source_t *source = zip_source_buffer(zip, bytes, size, 0);
    zip_int64_t index = zip_file_add(zip, name, source, ZIP_FL_ENC_UTF_8);
    require(index >= 0 && zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0);
}

/* An archive in memory with this pickle. */
static void read_as_pickle(const uint8_t *bytes, size_t size) {
    static const char record[64];
    zip_stat_t info;
    zip_source_t *target = zip_source_buffer_create(NULL, 0, 0, NULL);
    zip_t *zip = zip_open_from_source(target, ZIP_TRUNCATE, NULL);
    require(zip != NULL);
    zip_source_keep(target);
    put(zip, "a/data.pkl", bytes, size);
    put(zip, "a/data/0", record, sizeof record);
    require(zip_close(zip) == 0 && zip_source_open(target) == 0 && zip_source_stat(target, &info) == 0);
    void *whole = malloc(info.size);
    require(whole && zip_source_read(target, whole, info.size) == (zip_int64_t)info.size);
    zip_source_free(target);
    read_all(whole, info.size);
    free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    read_all(bytes, size);
    if (size > 1 && bytes[0] == 0x80) read_as_pickle(bytes, size);
    return 0;
}
