/* Images of a camera as they come, in order, in a queue with a bound. A thread takes them from the camera, so that none is lost to a
 * busy program; what comes while the queue is full, incomplete images and numbers that are missing are counted, and told between the
 * images where they were missed. A camera that is lost is said once, and opened again when it is there. */
#pragma once

#include "train/camera/camera_device.h"

typedef struct EadCameraFeed EadCameraFeed;

/* Opens the camera and begins. most: images that may wait, 1..1000; triggers: where the trigger is Software, a descriptor on which each
 * line takes an image; else -1. Errors: those of ead_camera_device_open(). Texts of the options are borrowed. */
EadStatus ead_camera_feed_open(const EadCameraOptions *options, int most, int triggers, EadCameraFeed **out);

/* What Aravis calls the camera. */
const char *ead_camera_feed_name(const EadCameraFeed *feed);

/* Waits for the next image, or for what was missed before it; *found false: it was stopped, and nothing is left. One thread at a time. */
void ead_camera_feed_next(EadCameraFeed *feed, EadCameraFrame *frame, bool *found);

/* From any thread: no more images are taken. Those that wait are still given until then (ead_clock_seconds()), and counted afterwards. */
void ead_camera_feed_stop(EadCameraFeed *feed, double deadline);

/* Stops and frees it; harmless on NULL. */
void ead_camera_feed_close(EadCameraFeed *feed);
