/* BMP: a header, masks or a palette, rows of pixels. Our own reader: libgd and SDL read BMP too, but either
 * is a far larger dependency than these lines. Cameras and inspection machines write the plain kinds, so
 * run-length coding is refused. */
#include "data/codec/codec_formats.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_HEADER = 14, CORE_HEADER = 12, INFO_HEADER = 40, MAX_HEADER = 1024 };
enum { BMP_RGB = 0, BMP_BITFIELDS = 3 };

typedef struct Bmp {
    const uint8_t *bytes;
    size_t size;
    const char *label;
    uint32_t header_size, pixels; /* offset of the rows */
    int bits;
    bool top_down;
    uint32_t masks[3]; /* of red, green and blue in pixels of 16 or 32 bits */
    const uint8_t *palette;
    uint32_t palette_count, palette_step; /* 4 bytes a colour, 3 with the oldest header */
} Bmp;

static uint32_t number(const uint8_t *bytes, int count) {
    uint32_t value = 0;
    while (count-- > 0) value = value << 8 | bytes[count];
    return value;
}

static EadStatus truncated(const Bmp *bmp) {
    return ead_fail(EAD_BAD_FILE, "%s: truncated BMP: it ends after %zu bytes", bmp->label, bmp->size);
}

static EadStatus read_header(Bmp *bmp, EadDecoding *decoding) {
    if (bmp->size < FILE_HEADER + CORE_HEADER) return truncated(bmp);
    const uint8_t *header = bmp->bytes + FILE_HEADER;
    bmp->pixels = number(bmp->bytes + 10, 4);
    bmp->header_size = number(header, 4);
    bool core = bmp->header_size == CORE_HEADER;
    if (!core && (bmp->header_size < INFO_HEADER || bmp->header_size > MAX_HEADER))
        return ead_fail(EAD_BAD_FILE, "%s: damaged BMP: a header of %u bytes", bmp->label,
                        (unsigned)bmp->header_size);
    if (bmp->size < FILE_HEADER + (size_t)bmp->header_size) return truncated(bmp);
    /* The height is negative for rows from the top. */
    int64_t width = core ? (int64_t)number(header + 4, 2) : (int64_t)(int32_t)number(header + 4, 4);
    int64_t height = core ? (int64_t)number(header + 6, 2) : (int64_t)(int32_t)number(header + 8, 4);
    bmp->bits = (int)number(header + (core ? 10 : 14), 2);
    uint32_t compression = core ? BMP_RGB : number(header + 16, 4);
    bool palette = bmp->bits == 1 || bmp->bits == 4 || bmp->bits == 8;
    bool fields = bmp->bits == 16 || bmp->bits == 32;
    if (!(palette || fields || bmp->bits == 24) ||
        !(compression == BMP_RGB || (compression == BMP_BITFIELDS && fields)))
        return ead_fail(EAD_UNSUPPORTED,
                        "%s: a BMP of %d bits with compression %u is not supported; save it uncompressed or "
                        "as PNG",
                        bmp->label, bmp->bits, (unsigned)compression);
    bmp->top_down = height < 0;
    uint64_t rows = (uint64_t)(height < 0 ? -height : height), columns = width < 0 ? 0 : (uint64_t)width;
    EAD_TRY(ead_codec_alloc(decoding, columns, rows, 8));
    if (palette) {
        uint32_t named = core ? 0 : number(header + 32, 4), most = 1u << bmp->bits;
        bmp->palette_count = named == 0 || named > most ? most : named;
        bmp->palette_step = core ? 3 : 4;
        bmp->palette = header + bmp->header_size;
        size_t left = bmp->size - FILE_HEADER - bmp->header_size;
        return left < (size_t)bmp->palette_count * bmp->palette_step ? truncated(bmp) : EAD_OK;
    }
    static const uint32_t usual[2][3] = {{0x7C00, 0x03E0, 0x001F}, {0xFF0000, 0x00FF00, 0x0000FF}};
    memcpy(bmp->masks, usual[bmp->bits == 32], sizeof bmp->masks);
    if (compression != BMP_BITFIELDS) return EAD_OK;
    /* The masks are part of the header, or behind it. */
    if (bmp->size < FILE_HEADER + INFO_HEADER + 12) return truncated(bmp);
    for (int c = 0; c < 3; c++) bmp->masks[c] = number(header + INFO_HEADER + 4 * c, 4);
    return EAD_OK;
}

/* The bits of a pixel under a mask: the upper 8, or fewer spread to 0..255 and cut off as Pillow does it. */
static uint8_t field(uint32_t pixel, uint32_t mask) {
    if (mask == 0) return 0;
    uint64_t lowest = mask & (~mask + 1), most = mask / lowest, value = (pixel & mask) / lowest;
    for (; most > 255; most >>= 1) value >>= 1;
    return (uint8_t)(value * 255 / most);
}

static void read_indexed(const Bmp *bmp, const uint8_t *row, int width, uint8_t *out) {
    int in_byte = 8 / bmp->bits, most = (1 << bmp->bits) - 1;
    for (int x = 0; x < width; x++, out += 3) {
        uint32_t index = (uint32_t)(row[x / in_byte] >> (8 - bmp->bits - x % in_byte * bmp->bits) & most);
        if (index >= bmp->palette_count) index = 0;
        const uint8_t *bgr = bmp->palette + (size_t)index * bmp->palette_step;
        for (int c = 0; c < 3; c++) out[c] = bgr[2 - c];
    }
}

static EadStatus read_rows(const Bmp *bmp, EadImage *out) {
    int step = bmp->bits / 8;
    size_t stride = ((size_t)out->width * (size_t)bmp->bits + 31) / 32 * 4; /* rows fill 4 bytes */
    if (bmp->pixels > bmp->size || (bmp->size - bmp->pixels) / stride < (size_t)out->height)
        return truncated(bmp);
    for (int y = 0; y < out->height; y++) {
        size_t from = (size_t)(bmp->top_down ? y : out->height - 1 - y);
        const uint8_t *row = bmp->bytes + bmp->pixels + from * stride;
        uint8_t *rgb = out->pixels + (size_t)y * (size_t)out->width * 3;
        if (bmp->palette) read_indexed(bmp, row, out->width, rgb);
        for (int x = 0; x < out->width && !bmp->palette; x++, row += step, rgb += 3)
            for (int c = 0; c < 3; c++)
                rgb[c] = bmp->bits == 24 ? row[2 - c] : field(number(row, step), bmp->masks[c]);
    }
    return EAD_OK;
}

EadStatus ead_bmp_decode(EadDecoding *decoding) {
    Bmp bmp = {.bytes = decoding->bytes, .size = decoding->size, .label = decoding->label};
    EadStatus status = read_header(&bmp, decoding);
    if (status == EAD_OK && decoding->use != EAD_PIXELS_NONE) status = read_rows(&bmp, decoding->out);
    return status;
}
