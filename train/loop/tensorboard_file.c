/* Protobuf by hand: a field is a key (number * 8 + wire type) and its value; a message inside a message is a
 * field of bytes. Wire types: 0 a number of 7 bits a byte, 1 eight bytes, 2 bytes with their length, 5 four
 * bytes. */
#include "train/loop/tensorboard_file.h"

#include "core/base/memory.h"
#include "core/base/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WIRE_NUMBER = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* Field numbers of the messages, as TensorFlow's event.proto and summary.proto define them. */
enum { EVENT_WALL_TIME = 1, EVENT_STEP = 2, EVENT_FILE_VERSION = 3 };
enum { EVENT_SUMMARY = 5, EVENT_SESSION_LOG = 7 };
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SCALAR = 2, VALUE_IMAGE = 4 };
enum { IMAGE_HEIGHT = 1, IMAGE_WIDTH = 2, IMAGE_COLORSPACE = 3, IMAGE_ENCODED = 4 };
enum { SESSION_STATUS = 1, STATUS_START = 1, COLORSPACE_RGB = 3 };

uint32_t ead_crc32c(const uint8_t *bytes, size_t size) {
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0x82F63B78u & (0u - (crc & 1u)));
    }
    return ~crc;
}

uint32_t ead_masked_crc32c(const uint8_t *bytes, size_t size) {
    uint32_t crc = ead_crc32c(bytes, size);
    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

/* ---- messages ---- */

static const char log_name[] = "the TensorBoard log";

/* Messages are small and built from the inside out, in memory; failures show in ferror() and at the end. */
typedef struct Message {
    FILE *stream;
    char *bytes;
    size_t size;
} Message;

static EadStatus begin(Message *message) {
    *message = (Message){0};
    message->stream = open_memstream(&message->bytes, &message->size);
    return message->stream ? EAD_OK : ead_fail(EAD_NO_MEMORY, "no memory for %s", log_name);
}

static EadStatus finish(Message *message) {
    FILE *stream = message->stream;
    message->stream = NULL;
    return ead_memory_stream_close(stream, &message->bytes, log_name);
}

static void discard(Message *message) {
    if (message->stream) fclose(message->stream);
    free(message->bytes);
    *message = (Message){0};
}

static void put_number(FILE *stream, uint64_t value) {
    for (; value >= 0x80; value >>= 7) putc((int)(value & 0x7F) | 0x80, stream);
    putc((int)value, stream);
}

static void put_key(FILE *stream, int field, int wire) {
    put_number(stream, (uint64_t)field << 3 | (uint64_t)wire);
}

static void put_little_endian(FILE *stream, uint64_t bits, int bytes) {
    for (int i = 0; i < bytes; i++) putc((int)(bits >> (8 * i) & 0xFF), stream);
}

static void put_integer(FILE *stream, int field, int64_t value) {
    put_key(stream, field, WIRE_NUMBER);
    put_number(stream, (uint64_t)value);
}

static void put_bytes(FILE *stream, int field, const void *bytes, size_t size) {
    put_key(stream, field, WIRE_BYTES);
    put_number(stream, size);
    fwrite(bytes, 1, size, stream);
}

/* ---- records ---- */

static EadStatus write_failed(const EadTensorboardFile *file) {
    return ead_fail(EAD_IO, "%s: cannot write: %s", file->path, strerror(errno));
}

static EadStatus write_record(EadTensorboardFile *file, const Message *event) {
    uint8_t length[8];
    const uint8_t *bytes = (const uint8_t *)event->bytes;
    for (int i = 0; i < 8; i++) length[i] = (uint8_t)((uint64_t)event->size >> (8 * i));
    fwrite(length, 1, sizeof length, file->stream);
    put_little_endian(file->stream, ead_masked_crc32c(length, sizeof length), 4);
    fwrite(bytes, 1, event->size, file->stream);
    put_little_endian(file->stream, ead_masked_crc32c(bytes, event->size), 4);
    return fflush(file->stream) == 0 && !ferror(file->stream) ? EAD_OK : write_failed(file);
}

/* An event of one field besides time and step. */
static EadStatus write_event(EadTensorboardFile *file, int64_t step, int field, const void *bytes,
                             size_t size) {
    Message event;
    struct timespec now;
    uint64_t bits;
    clock_gettime(CLOCK_REALTIME, &now);
    double seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    memcpy(&bits, &seconds, sizeof bits);
    EAD_TRY(begin(&event));
    put_key(event.stream, EVENT_WALL_TIME, WIRE_64);
    put_little_endian(event.stream, bits, 8);
    put_integer(event.stream, EVENT_STEP, step);
    put_bytes(event.stream, field, bytes, size);
    EadStatus status = finish(&event);
    if (status == EAD_OK) status = write_record(file, &event);
    discard(&event);
    return status;
}

/* Viewers read the files of a folder in the order of their names. */
EadStatus ead_tensorboard_open(EadTensorboardFile *file, const char *folder, int64_t done) {
    static const char version[] = "brain.Event:2";
    static const uint8_t start[] = {SESSION_STATUS << 3 | WIRE_NUMBER, STATUS_START};
    char name[80];
    struct timespec now;
    *file = (EadTensorboardFile){0};
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(name, sizeof name, "events.out.tfevents.%010lld.%09ld", (long long)now.tv_sec, now.tv_nsec);
    file->path = ead_path_join(folder, name);
    if (!file->path) return EAD_NO_MEMORY;
    file->stream = fopen(file->path, "wbx");
    EadStatus status = file->stream ? write_event(file, 0, EVENT_FILE_VERSION, version, sizeof version - 1)
                                    : write_failed(file);
    if (status == EAD_OK) status = write_event(file, done + 1, EVENT_SESSION_LOG, start, sizeof start);
    if (status != EAD_OK) ead_tensorboard_close(file);
    return status;
}

void ead_tensorboard_close(EadTensorboardFile *file) {
    if (file->stream) fclose(file->stream);
    free(file->path);
    *file = (EadTensorboardFile){0};
}

/* ---- summaries ---- */

/* A value of a summary: the picture, or the number where that is NULL. */
static EadStatus put_value(FILE *summary, const char *tag, float number, const Message *picture) {
    Message value;
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    EAD_TRY(begin(&value));
    put_bytes(value.stream, VALUE_TAG, tag, strlen(tag));
    if (picture) {
        put_bytes(value.stream, VALUE_IMAGE, picture->bytes, picture->size);
    } else {
        put_key(value.stream, VALUE_SCALAR, WIRE_32);
        put_little_endian(value.stream, bits, 4);
    }
    EadStatus status = finish(&value);
    if (status == EAD_OK) put_bytes(summary, SUMMARY_VALUE, value.bytes, value.size);
    discard(&value);
    return status;
}

/* Ends a summary and writes it as an event. */
static EadStatus write_summary(EadTensorboardFile *file, int64_t step, Message *summary, EadStatus status) {
    if (status == EAD_OK) status = finish(summary);
    if (status == EAD_OK) status = write_event(file, step, EVENT_SUMMARY, summary->bytes, summary->size);
    discard(summary);
    return status;
}

EadStatus ead_tensorboard_scalars(EadTensorboardFile *file, int64_t step, const EadTensorboardScalar *scalars,
                                  int count) {
    Message summary;
    EadStatus status = EAD_OK;
    EAD_TRY(begin(&summary));
    for (int i = 0; i < count && status == EAD_OK; i++)
        status = put_value(summary.stream, scalars[i].tag, scalars[i].value, NULL);
    return write_summary(file, step, &summary, status);
}

EadStatus ead_tensorboard_picture(EadTensorboardFile *file, int64_t step, const char *tag, int width,
                                  int height, const uint8_t *bytes, size_t size) {
    Message image, summary;
    EAD_TRY(begin(&image));
    put_integer(image.stream, IMAGE_HEIGHT, height);
    put_integer(image.stream, IMAGE_WIDTH, width);
    put_integer(image.stream, IMAGE_COLORSPACE, COLORSPACE_RGB);
    put_bytes(image.stream, IMAGE_ENCODED, bytes, size);
    EadStatus status = finish(&image);
    if (status == EAD_OK) status = begin(&summary);
    if (status == EAD_OK)
        status = write_summary(file, step, &summary, put_value(summary.stream, tag, 0, &image));
    discard(&image);
    return status;
}
