/* What the host needs of a GPU: memory, copies, streams, events, captured graphs. A table, because the
 * planner knows backends only by what EadBackend points at: ead_device_cuda (device.cu) is the CUDA runtime,
 * tests put host memory in its place. Nothing outside core/cuda/device/ and device.cu calls the runtime
 * itself.
 *
 * A device is chosen for the calling thread by open or use; everything else acts on the thread's device.
 * Errors of asynchronous work surface in synchronize. Streams, events and graphs are the runtime's own
 * handles. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

#include "core/base/status.h"

#include <stddef.h>

typedef struct EadDeviceFacts {
    char name[256];
    int major, minor; /* compute capability */
    int multiprocessors;
    size_t memory; /* bytes in all */
} EadDeviceFacts;

typedef struct EadDevice {
    /* Makes device `index` the thread's, for the first time: checks driver and capability (8.0 or above).
     * Errors: EAD_UNSUPPORTED, saying what is missing and what to do. */
    EadStatus (*open)(int index);
    void (*use)(int index); /* again, in any thread; cheap */
    EadStatus (*facts)(int index, EadDeviceFacts *out);
    /* Loads what exact fp32 products need besides; NULL: nothing. Errors: EAD_UNSUPPORTED. */
    EadStatus (*open_fp32)(void);
    size_t (*free_memory)(void); /* bytes that allocate may hope for */

    void *(*allocate)(size_t bytes); /* zeroed, aligned to 256 bytes; NULL when there is none */
    void (*release)(void *memory);
    void *(*allocate_pinned)(size_t bytes); /* of the host, for copies that do not block; or NULL */
    void (*release_pinned)(void *memory);

    void *(*stream_new)(void); /* NULL on failure, as event_new and capture_end */
    void (*stream_free)(void *stream);
    /* In the order of the stream. The host's side must be pinned, or the call waits for the copy. */
    void (*copy_in)(void *device, const void *host, size_t bytes, void *stream);
    void (*copy_out)(void *host, const void *device, size_t bytes, void *stream);
    void (*copy_within)(void *to, const void *from, size_t bytes, void *stream);

    void *(*event_new)(void);
    void (*event_free)(void *event);
    void (*event_record)(void *event, void *stream);
    void (*event_wait)(void *event, void *stream); /* the stream waits for the event's last record */
    void (*event_synchronize)(void *event);        /* the host does */

    /* What is launched on the stream, and on streams that wait for its events, is not run but recorded.
     * capture_end gives it as a graph; NULL: the device cannot, and what was launched in between has run. */
    void (*capture_begin)(void *stream);
    void *(*capture_end)(void *stream);
    void (*graph_launch)(void *graph, void *stream);
    void (*graph_free)(void *graph);

    /* Waits for all the stream was given. Errors: EAD_UNSUPPORTED with the device's first error since. */
    EadStatus (*synchronize)(void *stream);
} EadDevice;

extern const EadDevice ead_device_cuda;

#ifdef __cplusplus
}
#endif
