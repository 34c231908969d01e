/* Protobuf's wire format, as far as ONNX needs it: fields of variable-length numbers (wire type 0), of four bytes (5) and
 * of bytes with a length (2). A message is put together in memory, an inner one before the one around it. */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- writing ---- */

/* A message in the making; an empty one is zeroed. Without memory it stays as it is and remembers that. */
typedef struct EadWire {
    uint8_t *bytes; /* [size], owned */
    size_t size, capacity;
    bool failed;
} EadWire;

/* Adds a field. The bytes are copied. */
void ead_wire_number(EadWire *wire, int field, uint64_t value);
void ead_wire_float(EadWire *wire, int field, float value);
void ead_wire_bytes(EadWire *wire, int field, const void *bytes, size_t size);
void ead_wire_text(EadWire *wire, int field, const char *text);

/* Adds a message as a field, frees it and leaves it empty. */
void ead_wire_message(EadWire *wire, int field, EadWire *inner);

/* Adds the beginning of a field of `size` bytes, which the caller writes behind it. */
void ead_wire_head(EadWire *wire, int field, size_t size);

/* EAD_OK, or EAD_NO_MEMORY where something could not be added. */
EadStatus ead_wire_status(const EadWire *wire);

void ead_wire_free(EadWire *wire);

/* ---- reading ---- */

typedef enum EadWireKind { EAD_WIRE_NUMBER = 0, EAD_WIRE_BYTES = 2, EAD_WIRE_FLOAT = 5 } EadWireKind;

/* One field; bytes are borrowed from what is read. */
typedef struct EadWireField {
    int number;
    EadWireKind kind;
    uint64_t value; /* NUMBER; FLOAT: its bits */
    const uint8_t *bytes;
    size_t size;
} EadWireField;

/* What is left of a message. */
typedef struct EadWireCursor {
    const uint8_t *at, *end;
} EadWireCursor;

/* The next field; *found is false at the end. Errors: EAD_BAD_FILE for bytes that are no field; where one of bytes is
 * longer than what is left, its value is how many it has, and they begin at the cursor. */
EadStatus ead_wire_next(EadWireCursor *cursor, EadWireField *field, bool *found);
