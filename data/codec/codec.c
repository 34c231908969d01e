/* Files into memory, and the choice of a format by the first bytes: a table made of codec_formats.def. */
#include "data/codec/codec.h"

#include "core/base/file_bytes.h"
#include "core/base/paths.h"
#include "data/codec/codec_formats.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SIDE = 65535, MAX_FILE = 1 << 30 };
#define MAX_PIXELS (UINT64_C(1) << 28)

static const struct {
    EadDecode *decode;
    const char *first; /* alternatives of first_size bytes each */
    size_t first_size, alternatives;
    bool masks;
} formats[] = {
#define EAD_FORMAT(name, label, extensions, first, size, masks)                                              \
    {ead_##name##_decode, first, size, (sizeof first - 1) / (size), masks},
#include "data/codec/codec_formats.def"
#undef EAD_FORMAT
};

const char *ead_image_extensions(void) {
    static const char list[] =
#define EAD_FORMAT(name, label, extensions, ...) ", " extensions
#include "data/codec/codec_formats.def"
#undef EAD_FORMAT
        ;
    return list + 2;
}

bool ead_image_has_known_extension(const char *name) {
    return ead_path_has_extension(name, ead_image_extensions());
}

EadStatus ead_codec_alloc(EadImage *out, const char *label, uint64_t width, uint64_t height, EadPixelUse use,
                          size_t size, uint64_t pixels_per_byte) {
    unsigned long long w = width, h = height;
    if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
        return ead_fail(EAD_BAD_FILE, "%s: %llu x %llu pixels; each side must be 1 to %d", label, w, h,
                        MAX_SIDE);
    if (width * height > MAX_PIXELS)
        return ead_fail(EAD_BAD_FILE, "%s: %llu x %llu pixels; at most 2^28 in all can be read", label, w, h);
    if (width * height / pixels_per_byte > size)
        return ead_fail(EAD_BAD_FILE, "%s: truncated: %zu bytes cannot hold %llu x %llu pixels", label, size,
                        w, h);
    int channels = use == EAD_PIXELS_RGB ? 3 : 1;
    *out = (EadImage){.width = (int)width, .height = (int)height, .channels = channels};
    if (use == EAD_PIXELS_NONE) return EAD_OK;
    EadStatus status = ead_image_alloc(out, (int)width, (int)height, channels);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "%s: ", label);
}

static bool begins_like(const uint8_t *bytes, size_t size, size_t format) {
    size_t length = formats[format].first_size;
    for (size_t i = 0; i < formats[format].alternatives && size >= length; i++)
        if (memcmp(bytes, formats[format].first + i * length, length) == 0) return true;
    return false;
}

const char *ead_image_format(const uint8_t *bytes, size_t size) {
    static const char *const labels[] = {
#define EAD_FORMAT(name, label, ...) label,
#include "data/codec/codec_formats.def"
#undef EAD_FORMAT
    };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        /* Texts may begin with two letters, too; BMP has zeros behind the size of the file. */
        bool short_mark = formats[i].first_size == 2;
        if (begins_like(bytes, size, i) &&
            (!short_mark || (size >= 10 && memcmp(bytes + 6, "\0\0\0", 4) == 0)))
            return labels[i];
    }
    return NULL;
}

static EadStatus decode(const uint8_t *bytes, size_t size, const char *label, EadPixelUse use,
                        EadImage *out) {
    static const char names[] =
#define EAD_FORMAT(name, label, ...) ", " label
#include "data/codec/codec_formats.def"
#undef EAD_FORMAT
        ;
    size_t count = sizeof formats / sizeof *formats, i = 0;
    char text[16] = ""; /* the first bytes */
    *out = (EadImage){0};
    if (size == 0) return ead_fail(EAD_BAD_FILE, "%s: the file is empty (0 bytes)", label);
    while (i < count && !begins_like(bytes, size, i)) i++;
    for (size_t k = 0; k < 4 && k < size; k++) snprintf(text + 3 * k, 4, " %02X", bytes[k]);
    if (i == count)
        return ead_fail(
            EAD_BAD_FILE,
            "%s: not an image of a known format (%s): it starts with%s; convert it, e.g. with ImageMagick",
            label, names + 2, text);
    if (use == EAD_PIXELS_MASK && !formats[i].masks)
        return ead_fail(EAD_UNSUPPORTED,
                        "%s: is not a PNG; masks are read from PNG alone, because JPEG is lossy: "
                        "save masks as PNG",
                        label);
    return formats[i].decode(bytes, size, label, use, out);
}

EadStatus ead_image_decode(const uint8_t *bytes, size_t size, const char *label, EadImage *out) {
    return decode(bytes, size, label, EAD_PIXELS_RGB, out);
}

/* Decodes `size` bytes at an offset, or up to the end where size is -1. */
static EadStatus load_from(int descriptor, const char *label, int64_t offset, int64_t size, EadPixelUse use,
                           EadImage *out) {
    struct stat info;
    if (fstat(descriptor, &info) != 0) return ead_fail(EAD_IO, "%s: cannot read: %s", label, strerror(errno));
    if (S_ISDIR(info.st_mode)) return ead_fail(EAD_IO, "%s: is a folder, not an image file", label);
    if (!S_ISREG(info.st_mode)) return ead_fail(EAD_IO, "%s: is not a regular file", label);
    if (size < 0) size = info.st_size;
    if (size > MAX_FILE)
        return ead_fail(EAD_BAD_FILE, "%s: %lld bytes; images of more than 1 GiB cannot be read", label,
                        (long long)size);
    uint8_t *bytes = malloc((size_t)size + 1);
    if (!bytes)
        return ead_fail(EAD_NO_MEMORY, "%s: no memory for a file of %lld bytes", label, (long long)size);
    EadStatus status;
    if (ead_read_at(descriptor, bytes, (size_t)size, offset))
        status = decode(bytes, (size_t)size, label, use, out);
    else
        status = ead_fail(EAD_IO, "%s: %s%s", label, errno ? "cannot read: " : "",
                          errno ? strerror(errno) : "became shorter while it was read");
    free(bytes);
    return status;
}

static EadStatus load(const char *path, const char *label, int64_t offset, int64_t size, EadPixelUse use,
                      EadImage *out) {
    *out = (EadImage){0};
    /* O_NONBLOCK: opening a pipe by mistake must not hang; it changes nothing for regular files. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
    EadStatus status = load_from(descriptor, label, offset, size, use, out);
    close(descriptor);
    return status;
}

EadStatus ead_image_load(const char *path, EadImage *out) {
    return load(path, path, 0, -1, EAD_PIXELS_RGB, out);
}

EadStatus ead_image_load_part(const char *path, int64_t offset, int64_t size, const char *label,
                              EadImage *out) {
    assert(offset >= 0 && size >= 0);
    return load(path, label, offset, size, EAD_PIXELS_RGB, out);
}

EadStatus ead_mask_load(const char *path, EadImage *out) {
    return load(path, path, 0, -1, EAD_PIXELS_MASK, out);
}

EadStatus ead_image_size(const char *path, int *width, int *height) {
    EadImage image;
    EAD_TRY(load(path, path, 0, -1, EAD_PIXELS_NONE, &image));
    *width = image.width;
    *height = image.height;
    return EAD_OK;
}
