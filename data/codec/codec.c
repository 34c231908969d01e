/* Files into memory, and the choice of a format by the first bytes: a table made of codec_formats.def. */
#include "data/codec/codec.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "data/codec/codec_formats.h"
#include "data/codec/orientation.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SIDE = 65535, MAX_FILE = 1 << 30 };

static const struct {
    EadDecode *decode;
    const char *first; /* alternatives of first_size bytes each */
    size_t first_size, alternatives;
    bool masks;
    const char *name;   /* for messages */
    const char *second; /* further bytes, at second_at */
    size_t second_size, second_at;
} formats[] = {
#define EAD_FORMAT(name, label, extensions, first, size, masks, second, at)                                  \
    {ead_##name##_decode, first, size, (sizeof first - 1) / (size), masks, label, second,                    \
     sizeof second - 1,   at},
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

bool ead_image_is_output(const char *path) {
    bool known = ead_image_has_known_extension(path);
    if ((!known || ead_path_has_extension(path, ".png")) && ead_png_is_by(path, EAD_PNG_OF_OURS)) return true;
    return (!known || ead_path_has_extension(path, ".tif, .tiff")) && ead_tiff_is_map(path);
}

static const char *format_names(void) {
    static const char list[] =
#define EAD_FORMAT(name, label, ...) ", " label
#include "data/codec/codec_formats.def"
#undef EAD_FORMAT
        ;
    return list + 2;
}

/* ---- what decoders ask for ---- */

EadStatus ead_codec_alloc(EadDecoding *decoding, uint64_t width, uint64_t height, uint64_t pixels_per_byte) {
    const char *label = decoding->label;
    unsigned long long w = width, h = height;
    uint64_t most =
        decoding->rules->max_pixels ? (uint64_t)decoding->rules->max_pixels : EAD_IMAGE_MAX_PIXELS;
    if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
        return ead_fail(EAD_BAD_FILE, "%s: %llu x %llu pixels; each side must be 1 to %d", label, w, h,
                        MAX_SIDE);
    decoding->large = width * height > most;
    if (decoding->large)
        return ead_fail(
            EAD_BAD_FILE,
            "%s: %llu x %llu pixels; at most %llu in all are read (dataset.max_pixels, --max-pixels)", label,
            w, h, (unsigned long long)most);
    if (width * height / pixels_per_byte > decoding->size)
        return ead_fail(EAD_BAD_FILE, "%s: truncated: %zu bytes cannot hold %llu x %llu pixels", label,
                        decoding->size, w, h);
    *decoding->out = (EadImage){.width = (int)width, .height = (int)height, .channels = 3};
    if (decoding->use == EAD_PIXELS_NONE) return EAD_OK;
    if (decoding->use == EAD_PIXELS_NUMBERS) {
        decoding->numbers = ead_new((int64_t)(width * height), sizeof *decoding->numbers, label);
        return decoding->numbers ? EAD_OK : EAD_NO_MEMORY;
    }
    EadStatus status = ead_image_alloc(decoding->out, (int)width, (int)height, 3);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "%s: ", label);
}

void ead_codec_expect_bits(EadDecoding *decoding, int stored, int declared) {
    const EadImageRules *rules = decoding->rules;
    bool white = stored > 8 && rules->white > 0, bits = stored == 16 && rules->bits > 0 && !white;
    decoding->bits = white ? stored : bits ? rules->bits : declared;
    decoding->white = white ? rules->white : 0;
    decoding->expected = stored == 16 && declared == 16 && !white && !bits ? 1 << 14 : 0;
}

void ead_codec_take_exif(EadDecoding *decoding, const uint8_t *bytes, size_t size) {
    int orientation = ead_exif_orientation(bytes, size);
    if (orientation) decoding->orientation = orientation;
}

void ead_codec_take_xmp(EadDecoding *decoding, const uint8_t *bytes, size_t size) {
    if (!decoding->orientation) decoding->orientation = ead_xmp_orientation(bytes, size);
}

/* ---- decoding ---- */

static bool begins_like(const uint8_t *bytes, size_t size, size_t format) {
    size_t length = formats[format].first_size;
    for (size_t i = 0; i < formats[format].alternatives && size >= length; i++)
        if (memcmp(bytes, formats[format].first + i * length, length) == 0) return true;
    return false;
}

const char *ead_image_format(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        size_t at = formats[i].second_at, length = formats[i].second_size;
        if (begins_like(bytes, size, i) &&
            (length == 0 || (size >= at + length && memcmp(bytes + at, formats[i].second, length) == 0)))
            return formats[i].name;
    }
    return NULL;
}

/* The largest channel of each pixel. */
static void reduce_to_mask(EadImage *image) {
    size_t pixels = (size_t)image->width * (size_t)image->height;
    const uint8_t *rgb = image->pixels;
    for (size_t i = 0; i < pixels; i++, rgb += 3) {
        uint8_t largest = rgb[0] > rgb[1] ? rgb[0] : rgb[1];
        image->pixels[i] = largest > rgb[2] ? largest : rgb[2];
    }
    uint8_t *smaller = realloc(image->pixels, pixels);
    if (smaller) image->pixels = smaller;
}

static bool is_flat(const EadImage *image) {
    size_t bytes = 3 * (size_t)image->width * (size_t)image->height;
    return bytes > 3 && memcmp(image->pixels, image->pixels + 3, bytes - 3) == 0;
}

/* What a decoder has found out is checked, told and applied. */
static EadStatus finish(EadDecoding *decoding) {
    EadImageNotes *notes = decoding->rules->notes;
    if (decoding->bits && decoding->highest >= 1u << decoding->bits)
        return ead_fail(EAD_BAD_FILE,
                        "%s: has the value %u, which %d bits cannot hold; is the number of bits wrong "
                        "(dataset.bits, --bits)?",
                        decoding->label, (unsigned)decoding->highest, decoding->bits);
    bool mask = decoding->use == EAD_PIXELS_MASK; /* its values only have to be 0 or not */
    if (decoding->highest > 0 && decoding->highest < decoding->expected && !mask)
        ead_image_notes_add(notes, EAD_NOTE_DARK, decoding->label, decoding->highest);
    else if (decoding->use == EAD_PIXELS_RGB && is_flat(decoding->out))
        ead_image_notes_add(notes, EAD_NOTE_FLAT, decoding->label, 1);
    if (decoding->pages > 1)
        ead_image_notes_add(notes, mask ? EAD_NOTE_MASK_PAGES : EAD_NOTE_PAGES, decoding->label,
                            (uint32_t)decoding->pages);
    if (decoding->converted && !mask) ead_image_notes_add(notes, EAD_NOTE_COLOURS, decoding->label, 1);
    EadStatus status = ead_image_set_upright(decoding->out, decoding->orientation);
    if (status != EAD_OK) return ead_fail_prefix(status, "%s: ", decoding->label);
    if (mask) reduce_to_mask(decoding->out);
    if (decoding->use != EAD_PIXELS_RGB) decoding->out->channels = 1;
    return EAD_OK;
}

static EadStatus decode(EadDecoding *decoding) {
    const uint8_t *bytes = decoding->bytes;
    const char *label = decoding->label;
    size_t size = decoding->size, count = sizeof formats / sizeof *formats, i = 0;
    char text[16] = ""; /* the first bytes */
    *decoding->out = (EadImage){0};
    if (size == 0) return ead_fail(EAD_BAD_FILE, "%s: the file is empty (0 bytes)", label);
    while (i < count && !begins_like(bytes, size, i)) i++;
    for (size_t k = 0; k < 4 && k < size; k++) snprintf(text + 3 * k, 4, " %02X", bytes[k]);
    if (i == count)
        return ead_fail(
            EAD_BAD_FILE,
            "%s: not an image of a known format (%s): it starts with%s; convert it, e.g. with ImageMagick",
            label, format_names(), text);
    if (decoding->use == EAD_PIXELS_MASK && !formats[i].masks)
        return ead_fail(
            EAD_UNSUPPORTED,
            "%s: a mask as %s, whose losses would be taken for defects; save masks as PNG, BMP or "
            "TIFF",
            label, formats[i].name);
    errno = 0;
    EadStatus status = formats[i].decode(decoding);
    /* The format's library calls the file damaged, but malloc() had nothing for it. */
    if (status == EAD_BAD_FILE && errno == ENOMEM)
        status = ead_fail(EAD_NO_MEMORY, "%s: no memory to decode it", label);
    if (status == EAD_OK) status = finish(decoding);
    if (status != EAD_OK) ead_image_free(decoding->out);
    if (status != EAD_NO_MEMORY) return status;
    return ead_fail(
        status, "%s; save it smaller, or lower dataset.max_pixels (--max-pixels), which refuses it at once",
        ead_error_message());
}

static const EadImageRules usual = {0};

EadStatus ead_image_decode_with(const uint8_t *bytes, size_t size, const char *label,
                                const EadImageRules *rules, EadImage *out) {
    EadDecoding decoding = {.bytes = bytes,
                            .size = size,
                            .label = label,
                            .use = EAD_PIXELS_RGB,
                            .rules = rules ? rules : &usual,
                            .out = out};
    EadStatus status = decode(&decoding);
    return decoding.large ? EAD_BAD_SHAPE : status;
}

EadStatus ead_image_decode(const uint8_t *bytes, size_t size, const char *label, EadImage *out) {
    return ead_image_decode_with(bytes, size, label, NULL, out);
}

/* ---- files ---- */

/* Decodes `size` bytes at an offset, or up to the end where size is -1. decoding lacks the bytes only. */
static EadStatus load_from(int descriptor, int64_t offset, int64_t size, EadDecoding *decoding) {
    const char *label = decoding->label;
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
        return ead_fail(EAD_NO_MEMORY, "%s: no memory for a file of %lld bytes; save it smaller", label,
                        (long long)size);
    EadStatus status;
    decoding->bytes = bytes, decoding->size = (size_t)size;
    if (ead_read_at(descriptor, bytes, (size_t)size, offset))
        status = decode(decoding);
    else
        status = ead_fail(EAD_IO, "%s: %s%s", label, errno ? "cannot read: " : "",
                          errno ? strerror(errno) : "became shorter while it was read");
    free(bytes);
    return status;
}

static EadStatus load(const char *path, int64_t offset, int64_t size, const char *label, EadPixelUse use,
                      const EadImageRules *rules, EadImage *out) {
    EadDecoding decoding = {.label = label, .use = use, .rules = rules ? rules : &usual, .out = out};
    *out = (EadImage){0};
    /* O_NONBLOCK: opening a pipe by mistake must not hang; it changes nothing for regular files. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return ead_fail(EAD_IO, "%s: cannot read: %s", path, strerror(errno));
    EadStatus status = load_from(descriptor, offset, size, &decoding);
    close(descriptor);
    return status;
}

EadStatus ead_image_load_with(const char *path, const EadImageRules *rules, EadImage *out) {
    return load(path, 0, -1, path, EAD_PIXELS_RGB, rules, out);
}

EadStatus ead_image_load(const char *path, EadImage *out) {
    return ead_image_load_with(path, NULL, out);
}

EadStatus ead_image_load_part(const char *path, int64_t offset, int64_t size, const char *label,
                              const EadImageRules *rules, EadImage *out) {
    assert(offset >= 0 && size >= 0);
    return load(path, offset, size, label, EAD_PIXELS_RGB, rules, out);
}

EadStatus ead_mask_load_with(const char *path, const EadImageRules *rules, EadImage *out) {
    return load(path, 0, -1, path, EAD_PIXELS_MASK, rules, out);
}

EadStatus ead_mask_load(const char *path, EadImage *out) {
    return ead_mask_load_with(path, NULL, out);
}

EadStatus ead_image_size(const char *path, const EadImageRules *rules, int *width, int *height) {
    EadImage image;
    EadImageRules silent = rules ? *rules : usual;
    silent.notes = NULL; /* told when pixels are read */
    EAD_TRY(load(path, 0, -1, path, EAD_PIXELS_NONE, &silent, &image));
    *width = image.width;
    *height = image.height;
    return EAD_OK;
}
