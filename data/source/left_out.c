/* Lists of paths by kind, the lines that tell them, and the first bytes of picture formats. */
#include "data/source/left_out.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/base/paths.h"
#include "data/codec/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMED = 3 };

static const struct {
    bool missed;
    const char *one, *several;
} kinds[] = {
#define X(kind, missed, one, several) {missed, one, several},
    EAD_LEFT_OUT_LIST(X)
#undef X
};

EadStatus ead_left_out_add(EadLeftOut *left, EadLeftOutKind kind, const char *path) {
    left->counts[kind]++;
    if (kind == EAD_LEFT_OUT_OTHER && left->counts[kind] > NAMED) return EAD_OK; /* may be millions */
    if (kind == EAD_LEFT_OUT_UNREADABLE) EAD_TRY(ead_strings_add(&left->messages, ead_error_message()));
    return ead_strings_add(&left->paths[kind], path);
}

int64_t ead_left_out_missed(const EadLeftOut *left) {
    int64_t missed = 0;
    for (int k = 0; k < EAD_LEFT_OUT_KINDS; k++) missed += kinds[k].missed ? left->counts[k] : 0;
    return missed;
}

void ead_left_out_free(EadLeftOut *left) {
    for (int k = 0; k < EAD_LEFT_OUT_KINDS; k++) ead_strings_free(&left->paths[k]);
    ead_strings_free(&left->messages);
    ead_strings_free(&left->folders);
    *left = (EadLeftOut){0};
}

/* ---- the lines ---- */

EadStatus ead_left_out_notes(const EadLeftOut *left, const char *where, EadStringList *notes) {
    EadStatus status = EAD_OK;
    for (int k = 0; k < EAD_LEFT_OUT_KINDS && status == EAD_OK; k++) {
        if (left->counts[k] == 0) continue;
        const EadStringList *named = k == EAD_LEFT_OUT_UNREADABLE ? &left->messages : &left->paths[k];
        char *names = ead_name_paths(named, left->counts[k], NAMED);
        if (!names) return EAD_NO_MEMORY;
        status = ead_strings_print(notes, "%.200s: %lld %s: %s", where, (long long)left->counts[k],
                                   left->counts[k] == 1 ? kinds[k].one : kinds[k].several, names);
        free(names);
    }
    return status;
}

EadStatus ead_left_out_print(const EadLeftOut *left, const char *where, FILE *stream) {
    EadStringList notes = {0};
    EadStatus status = ead_left_out_notes(left, where, &notes);
    for (int i = 0; i < notes.count; i++) ead_print(stream, "%s\n", notes.items[i]);
    ead_strings_free(&notes);
    return status;
}

/* ---- pictures by their first bytes ---- */

/* Formats that are not read. */
static const struct {
    size_t offset, size;
    const char *bytes;
} foreign[] = {
    {0, 4, "GIF8"},             /* GIF */
    {4, 8, "jP  \r\n\x87\n"},   /* JPEG 2000 */
    {0, 4, "\xFF\x4F\xFF\x51"}, /* its bare stream */
    {4, 8, "JXL \r\n\x87\n"},   /* JPEG XL */
    {0, 2, "\xFF\x0A"},         /* its bare stream */
    {4, 8, "ftypheic"},         /* HEIF and AVIF */
    {4, 8, "ftypheix"},
    {4, 8, "ftyphevc"},
    {4, 8, "ftypmif1"},
    {4, 8, "ftypmsf1"},
    {4, 8, "ftypavif"},
    {4, 8, "ftypavis"},
    {4, 8, "ftypcrx "}, /* raw files of cameras, those that are not like TIFF */
    {0, 8, "FUJIFILM"},
    {0, 4, "IIRO"},
    {0, 4, "IIRS"},
    {0, 4, "MMOR"},
    {0, 4, "IIU\0"},
    {0, 4, "8BPS"}, /* Photoshop */
    {0, 8, "gimp xcf"},
    {0, 4, "\x76\x2F\x31\x01"}, /* OpenEXR */
    {0, 10, "#?RADIANCE"},
    {0, 4, "qoif"},
    {0, 4, "DDS "},
    {0, 4, "\0\0\1\0"},         /* icon */
    {0, 3, "\x0A\5\1"},         /* PCX */
    {0, 9, "SIMPLE  ="},        /* FITS */
    {0, 3, "II\xBC"},           /* JPEG XR */
    {0, 4, "\x59\xA6\x6A\x95"}, /* Sun raster */
};

/* Formats whose first bytes say nothing. */
static const char foreign_endings[] = ".tga, .dcm, .dicom, .raw, .svg, .pict";

/* Netpbm: P1 to P7, PF or Pf, white space, and a number, comment or WIDTH. */
static bool is_netpbm(const uint8_t *bytes, size_t size) {
    return size >= 4 && bytes[0] == 'P' && memchr("1234567fF", bytes[1], 9) &&
           memchr(" \t\r\n", bytes[2], 4) && memchr("0123456789#W", bytes[3], 12);
}

EadLeftOutKind ead_picture_kind(const char *name, const uint8_t *bytes, size_t size) {
    const char *format = ead_image_format(bytes, size), *base = ead_path_base(name);
    bool like_tiff = format && strcmp(format, "TIFF") == 0;
    bool raw = like_tiff && strchr(base + (*base == '.'), '.') && !ead_image_has_known_extension(base);
    if (format && !raw) return EAD_LEFT_OUT_CONTENT;
    if (format || is_netpbm(bytes, size) || ead_path_has_extension(name, foreign_endings))
        return EAD_LEFT_OUT_FORMAT;
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (size >= foreign[i].offset + foreign[i].size &&
            memcmp(bytes + foreign[i].offset, foreign[i].bytes, foreign[i].size) == 0)
            return EAD_LEFT_OUT_FORMAT;
    return EAD_LEFT_OUT_OTHER;
}
