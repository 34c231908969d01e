/* libFuzzer target: any bytes as an ONNX file of this program; what is read can be looked at. */
#include "core/file/onnx_origin.h"
#include "train/export/onnx_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(int condition) {
    if (!condition) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    EadOnnxReading *reading;
    EadOnnxOrigin origin = ead_onnx_origin_in(bytes, size);
    require(strlen(origin.source) < sizeof origin.source);
    if (ead_onnx_read(bytes, size, "fuzz", &reading) != EAD_OK) {
        require(!reading && strncmp(ead_error_message(), "fuzz: ", 6) == 0);
        return 0;
    }
    const EadOnnxTensors *constants = ead_onnx_constants(reading);
    for (int i = 0; i < constants->count; i++) {
        const uint8_t *data = constants->items[i].data;
        require(data >= bytes && data + constants->items[i].bytes <= bytes + size);
        require(ead_onnx_constant(reading, constants->items[i].name) == &constants->items[i]);
    }
    for (int i = 0; i < ead_onnx_node_count(reading); i++)
        require(*ead_onnx_node_at(reading, i)->outputs[0] != '\0');
    ead_onnx_reading_free(reading);
    return 0;
}
