/* Cameras by Aravis. */
#include "train/camera/camera_device.h"

#include "core/base/memory.h"
#include "core/base/string_list.h"
#include "train/camera/camera_pixels.h"

#include <arv.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFERS = 8, MOST_TEXT = 512 };

struct EadCameraDevice {
    ArvCamera *camera;
    ArvStream *stream;
    char *name;
    atomic_bool lost;
};

const char *ead_camera_library(void) {
    static char text[64];
    snprintf(text, sizeof text, "Aravis %u.%u.%u", arv_get_major_version(), arv_get_minor_version(),
             arv_get_micro_version());
    return text;
}

/* Fails with what Aravis says, which is freed. */
static EadStatus fail(EadStatus status, const char *what, GError *error) {
    status = ead_fail(status, "%s: %s", what, error ? error->message : "no reason is given");
    g_clear_error(&error);
    return status;
}

/* ---- finding ---- */

/* The cameras that are found now, for people. */
static void list_cameras(char text[MOST_TEXT]) {
    size_t used = 0;
    arv_update_device_list();
    snprintf(text, MOST_TEXT, "none");
    for (unsigned int i = 0; i < arv_get_n_devices() && used < MOST_TEXT; i++)
        used +=
            (size_t)snprintf(text + used, MOST_TEXT - used, "%s%s", i > 0 ? ", " : "", arv_get_device_id(i));
}

static EadStatus find_camera(EadCameraDevice *device, const char *name) {
    GError *error = NULL;
    char there[MOST_TEXT];
    bool any = strcmp(name, "any") == 0;
    if (strncmp(name, "Fake", 4) == 0) arv_enable_interface("Fake");
    if (any) arv_update_device_list();
    if (any && arv_get_n_devices() == 0)
        return ead_fail(EAD_IO,
                        "--camera: none is found; GigE cameras answer in the network of this machine, those "
                        "at USB to users who may open the device");
    device->name = ead_strdup(any ? arv_get_device_id(0) : name);
    if (!device->name) return EAD_NO_MEMORY;
    device->camera = arv_camera_new(device->name, &error);
    if (device->camera) return EAD_OK;
    list_cameras(there);
    EadStatus status = fail(EAD_IO, device->name, error);
    return ead_fail_prefix(status, "--camera: found: %s; ", there);
}

/* ---- setting up ---- */

static bool is_number(const char *text) {
    char *end;
    (void)strtod(text, &end);
    return end != text && *end == '\0';
}

/* One "Feature=Value". */
static EadStatus set_feature(ArvDevice *device, char *text) {
    GError *error = NULL;
    char *value = strchr(text, '=');
    if (!value || value == text)
        return ead_fail(EAD_BAD_ARGUMENT, "--camera-set: '%s' is not FEATURE=VALUE", text);
    *value++ = '\0';
    ArvGcNode *node = arv_device_get_feature(device, text);
    if (!ARV_IS_GC_FEATURE_NODE(node))
        return ead_fail(EAD_BAD_ARGUMENT, "--camera-set: the camera has no feature %s", text);
    bool words = ARV_IS_GC_ENUMERATION(node) || ARV_IS_GC_BOOLEAN(node) || ARV_IS_GC_STRING(node);
    if (!words && !is_number(value))
        return ead_fail(EAD_BAD_ARGUMENT, "--camera-set: %s: '%s' is no number", text, value);
    arv_gc_feature_node_set_value_from_string(ARV_GC_FEATURE_NODE(node), value, &error);
    if (!error) return EAD_OK;
    EadStatus status = fail(EAD_BAD_ARGUMENT, value, error);
    return ead_fail_prefix(status, "--camera-set: %s: ", text);
}

static EadStatus set_features(ArvDevice *device, const char *settings) {
    char *all = ead_strdup(settings), *rest = NULL;
    if (!all) return EAD_NO_MEMORY;
    EadStatus status = EAD_OK;
    for (char *one = strtok_r(all, "\n", &rest); one && status == EAD_OK; one = strtok_r(NULL, "\n", &rest))
        status = set_feature(device, one);
    free(all);
    return status;
}

/* The formats that are read and that the camera has, for people. */
static void list_formats(ArvCamera *camera, char text[MOST_TEXT]) {
    guint count = 0;
    const char **there = arv_camera_dup_available_pixel_formats_as_strings(camera, &count, NULL);
    const char *name;
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; (name = ead_camera_pixel_name(i)) != NULL; i++)
        for (guint j = 0; j < count && used < MOST_TEXT; j++)
            if (strcmp(there[j], name) == 0)
                used += (size_t)snprintf(text + used, MOST_TEXT - used, "%s%s", used > 0 ? ", " : "", name);
    g_free(there);
}

static EadStatus check_format(EadCameraDevice *device) {
    EadPixelRows rows;
    char usable[MOST_TEXT];
    GError *error = NULL;
    ArvPixelFormat format = arv_camera_get_pixel_format(device->camera, &error);
    if (error) return fail(EAD_IO, device->name, error);
    if (ead_camera_pixels(format, &rows)) return EAD_OK;
    const char *name = arv_camera_get_pixel_format_as_string(device->camera, NULL);
    list_formats(device->camera, usable);
    if (!*usable)
        return ead_fail(EAD_UNSUPPORTED,
                        "--camera: %s: has pixels of %s, which are not read, and no others that are",
                        device->name, name ? name : "an unknown kind");
    return ead_fail(
        EAD_UNSUPPORTED,
        "--camera: %s: pixels of %s are not read; --camera-set PixelFormat=FORMAT chooses others: %s",
        device->name, name ? name : "an unknown kind", usable);
}

/* The trigger first: settings may say more of it. */
static EadStatus set_up(EadCameraDevice *d, const EadCameraOptions *options) {
    GError *error = NULL;
    ArvDevice *device = arv_camera_get_device(d->camera);
    arv_device_set_range_check_policy(device, ARV_RANGE_CHECK_POLICY_ENABLE);
    arv_device_set_access_check_policy(device, ARV_ACCESS_CHECK_POLICY_ENABLE);
    if (options->trigger) arv_camera_set_trigger(d->camera, options->trigger, &error);
    if (error) return fail(EAD_BAD_ARGUMENT, "--trigger", error);
    if (options->settings) EAD_TRY(set_features(device, options->settings));
    return check_format(d);
}

/* ---- taking ---- */

static void note_loss(ArvDevice *device, void *context) {
    EadCameraDevice *d = context;
    (void)device;
    atomic_store(&d->lost, true);
}

static EadStatus begin(EadCameraDevice *d) {
    GError *error = NULL;
    guint bytes = arv_camera_get_payload(d->camera, &error);
    if (!error) d->stream = arv_camera_create_stream(d->camera, NULL, NULL, &error);
    if (!d->stream) return fail(EAD_IO, d->name, error);
    for (int i = 0; i < BUFFERS; i++) arv_stream_push_buffer(d->stream, arv_buffer_new_allocate(bytes));
    g_signal_connect(arv_camera_get_device(d->camera), "control-lost", G_CALLBACK(note_loss), d);
    arv_camera_set_acquisition_mode(d->camera, ARV_ACQUISITION_MODE_CONTINUOUS, &error);
    g_clear_error(&error); /* some have no other */
    arv_camera_start_acquisition(d->camera, &error);
    return error ? fail(EAD_IO, d->name, error) : EAD_OK;
}

EadStatus ead_camera_device_open(const EadCameraOptions *options, EadCameraDevice **out) {
    EadCameraDevice *device = *out = ead_new(1, sizeof *device, "a camera");
    if (!device) return EAD_NO_MEMORY;
    EadStatus status = find_camera(device, options->name);
    if (status == EAD_OK) status = set_up(device, options);
    if (status == EAD_OK) status = begin(device);
    if (status == EAD_OK) return EAD_OK;
    ead_camera_device_close(device);
    *out = NULL;
    return status;
}

const char *ead_camera_device_name(const EadCameraDevice *device) {
    return device->name;
}

static EadMissReason reason_of(ArvBufferStatus status) {
    switch (status) {
    case ARV_BUFFER_STATUS_TIMEOUT:
        return EAD_MISS_TIMEOUT;
    case ARV_BUFFER_STATUS_MISSING_PACKETS:
        return EAD_MISS_PACKETS;
    case ARV_BUFFER_STATUS_WRONG_PACKET_ID:
        return EAD_MISS_PACKET_ID;
    case ARV_BUFFER_STATUS_SIZE_MISMATCH:
        return EAD_MISS_SIZE;
    case ARV_BUFFER_STATUS_ABORTED:
        return EAD_MISS_ABORTED;
    default:
        return EAD_MISS_OTHER;
    }
}

/* What a whole buffer shows; false: no image that is read. */
static bool find_rows(ArvBuffer *buffer, EadPixelRows *rows, const void **data, size_t *size) {
    gint padding = 0;
    ArvBufferPayloadType type = arv_buffer_get_payload_type(buffer);
    if (type != ARV_BUFFER_PAYLOAD_TYPE_IMAGE && type != ARV_BUFFER_PAYLOAD_TYPE_EXTENDED_CHUNK_DATA)
        return false;
    if (!ead_camera_pixels(arv_buffer_get_image_pixel_format(buffer), rows)) return false;
    *data = arv_buffer_get_image_data(buffer, size);
    rows->width = arv_buffer_get_image_width(buffer);
    rows->height = arv_buffer_get_image_height(buffer);
    arv_buffer_get_image_padding(buffer, &padding, NULL);
    rows->stride = (ptrdiff_t)rows->width * rows->step + padding;
    return rows->width > 0 && rows->height > 0;
}

static EadStatus read_buffer(ArvBuffer *buffer, EadCameraFrame *frame) {
    ArvBufferStatus status = arv_buffer_get_status(buffer);
    const void *data;
    size_t size, needed;
    frame->number = arv_buffer_get_frame_id(buffer);
    frame->clock = (int64_t)arv_buffer_get_timestamp(buffer);
    if (status != ARV_BUFFER_STATUS_SUCCESS || !find_rows(buffer, &frame->rows, &data, &size)) {
        frame->missed[reason_of(status)] = 1;
        return EAD_OK;
    }
    needed = (size_t)frame->rows.stride * (size_t)(frame->rows.height - 1) +
             (size_t)frame->rows.step * (size_t)frame->rows.width;
    if (!data || size < needed) {
        frame->missed[EAD_MISS_SIZE] = 1;
        return EAD_OK;
    }
    frame->pixels = malloc(needed);
    if (!frame->pixels) return ead_fail(EAD_NO_MEMORY, "no memory for an image of %zu bytes", needed);
    memcpy(frame->pixels, data, needed);
    frame->rows.pixels = frame->pixels;
    frame->bytes = (int64_t)needed;
    return EAD_OK;
}

EadStatus ead_camera_device_next(EadCameraDevice *device, double seconds, EadCameraFrame *frame,
                                 bool *found) {
    ArvBuffer *buffer = arv_stream_timeout_pop_buffer(device->stream, (guint64)(1e6 * seconds));
    *found = false;
    *frame = (EadCameraFrame){0};
    if (!buffer) return atomic_load(&device->lost) ? ead_fail(EAD_IO, "does not answer any more") : EAD_OK;
    EadStatus status = read_buffer(buffer, frame);
    arv_stream_push_buffer(device->stream, buffer);
    *found = status == EAD_OK;
    return status;
}

EadStatus ead_camera_device_trigger(EadCameraDevice *device) {
    GError *error = NULL;
    arv_camera_software_trigger(device->camera, &error);
    return error ? fail(EAD_IO, device->name, error) : EAD_OK;
}

void ead_camera_device_close(EadCameraDevice *device) {
    if (!device) return;
    if (device->stream && !atomic_load(&device->lost)) arv_camera_stop_acquisition(device->camera, NULL);
    if (device->camera) g_signal_handlers_disconnect_by_data(arv_camera_get_device(device->camera), device);
    g_clear_object(&device->stream);
    g_clear_object(&device->camera);
    free(device->name);
    free(device);
}
