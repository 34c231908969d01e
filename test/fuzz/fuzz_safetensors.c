/* Fuzz target: any bytes as a .safetensors file. Whatever parses is read to its last byte; whatever does not
 * must have left a one-line message. */
#include "core/file/safetensors.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition) {
    if (!condition) abort();
}

static void check_message(void) {
    const char *message = ead_error_message();
    require(strncmp(message, "fuzz: ", 6) == 0 && !strchr(message, '\n'));
}

static void read_tensor(const EadSafetensors *file, const EadFileTensor *tensor) {
    require(ead_file_name_valid(tensor->name) && ead_safetensors_find(file, tensor->name) == tensor);
    unsigned sum = 0;
    for (size_t i = 0; i < tensor->bytes; i++) sum += ((const uint8_t *)tensor->data)[i];
    require(sum <= 255 * tensor->bytes);
    double *wide = malloc(((size_t)tensor->count + 1) * sizeof *wide);
    float *single = malloc(((size_t)tensor->count + 1) * sizeof *single);
    require(wide && single);
    if (ead_file_tensor_to_double(file, tensor, wide) != EAD_OK) check_message();
    if (ead_file_tensor_to_float(file, tensor, single) != EAD_OK) check_message();
    free(wide);
    free(single);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    EadSafetensors *file;
    if (ead_safetensors_parse(bytes, size, "fuzz", &file) != EAD_OK) {
        require(!file);
        check_message();
        return 0;
    }
    for (int i = 0; i < ead_safetensors_count(file); i++) read_tensor(file, ead_safetensors_at(file, i));
    const char *format = ead_safetensors_metadata(file, "format");
    require(!format || strlen(format) < size);
    ead_safetensors_close(file);
    return 0;
}
