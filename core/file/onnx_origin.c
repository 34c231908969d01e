/* A walk over the fields of a model that passes by its graph. */
#include "core/file/onnx_origin.h"

#include "core/base/file_bytes.h"
#include "core/base/minmax.h"
#include "core/file/onnx_fields.h"
#include "core/file/wire.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART = 4096, MOST = 4096 }; /* bytes that are read at once; fields */

static bool begins(const EadWireField *field, const char *text) {
    return field->kind == EAD_WIRE_BYTES && field->size >= strlen(text) &&
           memcmp(field->bytes, text, strlen(text)) == 0;
}

static bool is(const EadWireField *field, const char *text) {
    return begins(field, text) && field->size == strlen(text);
}

static void take_entry(const EadWireField *entry, EadOnnxOrigin *origin) {
    EadWireCursor cursor = {entry->bytes, entry->bytes + entry->size};
    EadWireField key, value;
    bool found;
    if (ead_wire_next(&cursor, &key, &found) != EAD_OK || !found || key.number != EAD_ENTRY_KEY) return;
    if (ead_wire_next(&cursor, &value, &found) != EAD_OK || !found || value.number != EAD_ENTRY_VALUE) return;
    if (is(&key, "exported_by") && begins(&value, "efficientad ")) origin->ours = true;
    if (is(&key, "source_file") && value.kind == EAD_WIRE_BYTES)
        snprintf(origin->source, sizeof origin->source, "%.*s",
                 (int)ead_min((int64_t)value.size, sizeof origin->source), (const char *)value.bytes);
}

static void take_field(const EadWireField *field, EadOnnxOrigin *origin) {
    if (field->number == EAD_MODEL_PRODUCER && is(field, "efficientad")) origin->ours = true;
    if (field->number == EAD_MODEL_METADATA && field->kind == EAD_WIRE_BYTES) take_entry(field, origin);
}

EadOnnxOrigin ead_onnx_origin_in(const void *bytes, size_t size) {
    EadOnnxOrigin origin = {.ours = false};
    EadWireCursor cursor = {bytes, (const uint8_t *)bytes + size};
    EadWireField field;
    bool found = true;
    while (ead_wire_next(&cursor, &field, &found) == EAD_OK && found) take_field(&field, &origin);
    return origin;
}

/* Takes the field at *at, or passes over one that is longer than a part. False at the end. */
static bool walk(int descriptor, int64_t size, int64_t *at, EadOnnxOrigin *origin) {
    uint8_t part[PART];
    EadWireField field;
    bool found;
    size_t count = (size_t)ead_min(PART, size - *at);
    if (count == 0 || !ead_read_at(descriptor, part, count, *at)) return false;
    EadWireCursor cursor = {part, part + count};
    EadStatus status = ead_wire_next(&cursor, &field, &found);
    *at += cursor.at - part;
    if (status == EAD_OK) {
        take_field(&field, origin);
        return true;
    }
    bool longer = field.kind == EAD_WIRE_BYTES && field.value > 0 && field.value <= (uint64_t)(size - *at);
    if (longer) *at += (int64_t)field.value;
    return longer;
}

EadOnnxOrigin ead_onnx_origin(const char *path) {
    EadOnnxOrigin origin = {.ours = false};
    struct stat info;
    int64_t at = 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return origin;
    bool more = fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
    for (int i = 0; more && i < MOST; i++) more = walk(descriptor, info.st_size, &at, &origin);
    close(descriptor);
    return origin;
}
