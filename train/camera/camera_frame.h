/* A camera's image, and why one was not inspected. */
#pragma once

#include "core/image/image.h"

#include <stdint.h>

/* X(id, name, what it means): names stand in the journal and in the metrics. */
#define EAD_MISS_REASONS(X)                                                                                  \
    X(TIMEOUT, "timeout", "of which packets came too late")                                                  \
    X(PACKETS, "missing_packets", "of which packets are missing")                                            \
    X(PACKET_ID, "wrong_packet_id", "with a packet out of place")                                            \
    X(SIZE, "size_mismatch", "of another size than announced")                                               \
    X(ABORTED, "aborted", "cut off")                                                                         \
    X(LOST, "lost", "of which nothing came")                                                                 \
    X(QUEUE, "queue_full", "faster than they are scored")                                                    \
    X(AWAY, "camera_away", "asked for while the camera was away")                                            \
    X(ENDED, "ended", "that waited at the end")                                                              \
    X(OTHER, "other", "that cannot be read")

typedef enum EadMissReason {
#define X(id, name, meaning) EAD_MISS_##id,
    EAD_MISS_REASONS(X)
#undef X
        EAD_MISS_COUNT
} EadMissReason;

/* One image, or that some between two others were not inspected. */
typedef struct EadCameraFrame {
    void *pixels;      /* owned, what `rows` are of; NULL: `missed` says why there are none */
    EadPixelRows rows; /* white 65,535: 16 bits, of which the model may know better what is white */
    int64_t bytes;     /* of the pixels */
    uint64_t number;   /* the camera's */
    int64_t clock;     /* ns by the camera's clock */
    double seen;       /* when it had come, set by the feed; ead_clock_seconds() */
    int64_t missed[EAD_MISS_COUNT];
} EadCameraFrame;

/* The name of a reason. */
const char *ead_miss_name(EadMissReason reason);

/* All that were missed. */
int64_t ead_missed_total(const int64_t missed[EAD_MISS_COUNT]);

/* "3 images not inspected: 2 of which packets are missing, 1 faster than they are scored". */
enum { EAD_MISSED_TEXT = 1024 };
void ead_missed_describe(const int64_t missed[EAD_MISS_COUNT], char text[EAD_MISSED_TEXT]);
