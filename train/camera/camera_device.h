/* A camera, as Aravis reaches it: GenICam over GigE Vision and USB3 Vision. One object file knows Aravis (camera.mk); a build without
 * it has camera_without.c in its place. */
#pragma once

#include "core/base/status.h"
#include "train/camera/camera_frame.h"

#include <stdbool.h>

typedef struct EadCameraOptions {
    const char *
        name; /* as Aravis lists it, its serial number or address; "any": the first that is found; Fake_1: a drawn one */
    const char
        *settings; /* "Feature=Value" of GenICam, set in this order, a line feed between two; NULL: none */
    const char *trigger; /* GenICam's TriggerSource; NULL: as the camera is set */
} EadCameraOptions;

typedef struct EadCameraDevice EadCameraDevice;

/* What reaches cameras, "Aravis 0.8.26"; NULL: nothing does in this build. */
const char *ead_camera_library(void);

/* Finds a camera, sets it up, and begins to take images. Errors: EAD_UNSUPPORTED in a build without Aravis, and for pixels that are
 * not read, with the cure; EAD_BAD_ARGUMENT for a feature; EAD_IO where it is not there, or another program has it; EAD_NO_MEMORY. */
EadStatus ead_camera_device_open(const EadCameraOptions *options, EadCameraDevice **out);

/* What Aravis calls it; as long as it is open. */
const char *ead_camera_device_name(const EadCameraDevice *device);

/* Waits up to `seconds` for an image, whole or not; *found false: there is none. Its pixels are the caller's. Errors: EAD_IO when the
 * camera is lost: it must be closed then. */
EadStatus ead_camera_device_next(EadCameraDevice *device, double seconds, EadCameraFrame *frame, bool *found);

/* From any thread, while it is open: takes an image, where the trigger is Software. Errors: EAD_IO. */
EadStatus ead_camera_device_trigger(EadCameraDevice *device);

/* Harmless on NULL. */
void ead_camera_device_close(EadCameraDevice *device);
