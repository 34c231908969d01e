/* A build without Aravis (camera.mk). */
#include "train/camera/camera_device.h"

const char *ead_camera_library(void) {
    return NULL;
}

EadStatus ead_camera_device_open(const EadCameraOptions *options, EadCameraDevice **out) {
    (void)options;
    *out = NULL;
    return ead_fail(
        EAD_UNSUPPORTED,
        "--camera: this program was built without Aravis; make deps all ARAVIS=1 builds it with cameras "
        "(libaravis-dev)");
}

const char *ead_camera_device_name(const EadCameraDevice *device) {
    (void)device;
    return "";
}

EadStatus ead_camera_device_next(EadCameraDevice *device, double seconds, EadCameraFrame *frame,
                                 bool *found) {
    (void)frame, (void)seconds;
    *found = false;
    return ead_camera_device_open(NULL, &device);
}

EadStatus ead_camera_device_trigger(EadCameraDevice *device) {
    return ead_camera_device_open(NULL, &device);
}

void ead_camera_device_close(EadCameraDevice *device) {
    (void)device;
}
