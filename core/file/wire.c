/* Fields written and read. Each begins with its number and kind in one variable-length number: seven bits a byte, the
 * lowest first, the eighth says that more follow. */
#include "core/file/wire.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 10, MAX_FIELD = (1 << 29) - 1 };

static void append(EadWire *wire, const void *bytes, size_t size) {
    if (wire->failed || size == 0) return;
    if (size > wire->capacity - wire->size) {
        size_t capacity = 2 * wire->capacity > wire->size + size ? 2 * wire->capacity : wire->size + size;
        uint8_t *larger = realloc(wire->bytes, capacity);
        wire->failed = !larger;
        if (!larger) return;
        wire->bytes = larger;
        wire->capacity = capacity;
    }
    memcpy(wire->bytes + wire->size, bytes, size);
    wire->size += size;
}

static void append_number(EadWire *wire, uint64_t value) {
    uint8_t bytes[NUMBER_BYTES];
    size_t size = 0;
    for (; value > 0x7F; value >>= 7) bytes[size++] = (uint8_t)(value | 0x80);
    bytes[size++] = (uint8_t)value;
    append(wire, bytes, size);
}

static void append_key(EadWire *wire, int field, EadWireKind kind) {
    append_number(wire, (uint64_t)field << 3 | (uint64_t)kind);
}

void ead_wire_number(EadWire *wire, int field, uint64_t value) {
    append_key(wire, field, EAD_WIRE_NUMBER);
    append_number(wire, value);
}

void ead_wire_float(EadWire *wire, int field, float value) {
    append_key(wire, field, EAD_WIRE_FLOAT);
    append(wire, &value, sizeof value);
}

void ead_wire_head(EadWire *wire, int field, size_t size) {
    append_key(wire, field, EAD_WIRE_BYTES);
    append_number(wire, size);
}

void ead_wire_bytes(EadWire *wire, int field, const void *bytes, size_t size) {
    ead_wire_head(wire, field, size);
    append(wire, bytes, size);
}

void ead_wire_text(EadWire *wire, int field, const char *text) {
    ead_wire_bytes(wire, field, text, strlen(text));
}

void ead_wire_message(EadWire *wire, int field, EadWire *inner) {
    ead_wire_bytes(wire, field, inner->bytes, inner->size);
    wire->failed = wire->failed || inner->failed;
    ead_wire_free(inner);
}

EadStatus ead_wire_status(const EadWire *wire) {
    return wire->failed ? ead_fail(EAD_NO_MEMORY, "no memory for an ONNX file") : EAD_OK;
}

void ead_wire_free(EadWire *wire) {
    free(wire->bytes);
    *wire = (EadWire){0};
}

/* ---- reading ---- */

static bool read_number(EadWireCursor *cursor, uint64_t *value) {
    *value = 0;
    for (int i = 0; i < NUMBER_BYTES && cursor->at < cursor->end; i++) {
        uint8_t byte = *cursor->at++;
        if (i == NUMBER_BYTES - 1 && byte > 1) return false;
        *value |= (uint64_t)(byte & 0x7F) << 7 * i;
        if (byte < 0x80) return true;
    }
    return false;
}

static bool read_value(EadWireCursor *cursor, EadWireField *field) {
    size_t left;
    uint32_t bits;
    switch (field->kind) {
    case EAD_WIRE_NUMBER:
        return read_number(cursor, &field->value);
    case EAD_WIRE_BYTES:
        if (!read_number(cursor, &field->value)) return false;
        left = (size_t)(cursor->end - cursor->at);
        if (field->value > left) return false;
        field->bytes = cursor->at;
        field->size = (size_t)field->value;
        cursor->at += field->size;
        return true;
    case EAD_WIRE_FLOAT:
        if ((size_t)(cursor->end - cursor->at) < sizeof bits) return false;
        memcpy(&bits, cursor->at, sizeof bits);
        field->value = bits;
        cursor->at += sizeof bits;
        return true;
    }
    return false;
}

EadStatus ead_wire_next(EadWireCursor *cursor, EadWireField *field, bool *found) {
    uint64_t key;
    *found = cursor->at < cursor->end;
    *field = (EadWireField){0};
    if (!*found) return EAD_OK;
    bool valid = read_number(cursor, &key) && key >> 3 >= 1 && key >> 3 <= MAX_FIELD;
    if (valid) {
        field->number = (int)(key >> 3);
        field->kind = (EadWireKind)(key & 7);
        valid = read_value(cursor, field);
    }
    return valid ? EAD_OK : ead_fail(EAD_BAD_FILE, "it is cut off, or no file of protobuf's fields");
}
