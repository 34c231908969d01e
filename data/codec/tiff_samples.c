/* A page is read chunk by chunk, a strip or a tile at a time; with separate planes the same chunk of each
 * plane side by side. */
#include "data/codec/tiff_samples.h"

#include "data/codec/tiff_tag.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SAMPLES = 32, BLACK = 3 };

typedef struct Page {
    TIFF *tiff;
    EadDecoding *decoding;
    uint16_t photometric, bits, samples; /* a pixel */
    char kind;                           /* of numbers, as ead_codec_number() calls it */
    int colours;                         /* of the samples: 1 gray or palette, 3 RGB, 4 CMYK */
    int alpha;                           /* the sample by which colours are multiplied; 0: none */
    uint16_t *palette[3];
    int palette_shift; /* 8 for palettes of 16 bits, 0 for those that some programs write with 8 */
    bool tiled;
    uint32_t chunk_width, chunk_height;
    uint32_t planes; /* 1, or one for each sample */
    size_t row_bytes, chunk_bytes;
    uint8_t *chunks; /* [planes][chunk_bytes] */
    uint16_t *row;   /* [chunk_width][samples] */
} Page;

static uint16_t photometric_of(TIFF *tiff) {
    uint16_t photometric, samples = 1, compression = COMPRESSION_NONE;
    if (TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric)) return photometric;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    bool fax = compression == COMPRESSION_CCITTRLE || compression == COMPRESSION_CCITTRLEW ||
               compression == COMPRESSION_CCITTFAX3 || compression == COMPRESSION_CCITTFAX4;
    return samples >= 3 ? PHOTOMETRIC_RGB : fax ? PHOTOMETRIC_MINISWHITE : PHOTOMETRIC_MINISBLACK;
}

EadStatus ead_tiff_damaged(const EadDecoding *decoding) {
    const char *said = decoding->said ? decoding->said : "";
    return ead_fail(EAD_BAD_FILE, "%s: damaged or truncated TIFF%s%s", decoding->label, *said ? ": " : "",
                    said);
}

bool ead_tiff_has_samples(TIFF *tiff) {
    uint16_t photometric = photometric_of(tiff);
    return photometric <= PHOTOMETRIC_PALETTE || photometric == PHOTOMETRIC_SEPARATED;
}

/* ---- what the tags say ---- */

static EadStatus unsupported(const Page *page, const char *what) {
    return ead_fail(EAD_UNSUPPORTED, "%s: a TIFF %s is not supported; save it as 8- or 16-bit gray or RGB",
                    page->decoding->label, what);
}

static EadStatus check_numbers(const Page *page) {
    uint16_t format = SAMPLEFORMAT_UINT, ink = INKSET_CMYK;
    char text[80];
    TIFFGetFieldDefaulted(page->tiff, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetFieldDefaulted(page->tiff, TIFFTAG_INKSET, &ink);
    if (format == SAMPLEFORMAT_IEEEFP || format == SAMPLEFORMAT_COMPLEXIEEEFP)
        return ead_fail(EAD_UNSUPPORTED, "%s: a floating-point TIFF, such as an anomaly map, is not an image",
                        page->decoding->label);
    if (format == SAMPLEFORMAT_INT || format == SAMPLEFORMAT_COMPLEXINT)
        return ead_fail(EAD_UNSUPPORTED,
                        "%s: a TIFF of signed numbers does not say which are black and white; save it with "
                        "unsigned ones",
                        page->decoding->label);
    snprintf(text, sizeof text, "of %u channels with %u bits", (unsigned)page->samples, (unsigned)page->bits);
    bool palette = page->photometric == PHOTOMETRIC_PALETTE;
    int most = page->colours == 1 ? 2 : MAX_SAMPLES; /* gray and alpha; RGB and whatever else */
    if (page->bits < 1 || page->bits > 16 || (palette && page->bits > 8) || page->samples < page->colours ||
        page->samples > most)
        return unsupported(page, text);
    if (page->colours == 4 && ink != INKSET_CMYK) return unsupported(page, "of inks other than CMYK");
    return EAD_OK;
}

/* MaxSampleValue is meant as a statistic, but cameras put there what their bits can hold; a statistic that
 * comes out as 2^n - 1 means as many bits. */
static void expect_bits(const Page *page) {
    uint16_t largest = 0;
    int declared = page->bits;
    if (page->bits == 16 && TIFFGetField(page->tiff, TIFFTAG_MAXSAMPLEVALUE, &largest) && largest >= 255 &&
        (largest & (largest + 1)) == 0)
        for (declared = 8; (1u << declared) <= largest; declared++) {
        }
    ead_codec_expect_bits(page->decoding, page->bits, declared);
    page->decoding->inverted = page->photometric == PHOTOMETRIC_MINISWHITE;
}

/* libtiff takes indices for levels where there is no palette. */
static EadStatus find_palette(Page *page) {
    const EadDecoding *decoding = page->decoding;
    uint32_t photometric;
    ead_tiff_find_tag(decoding->bytes, decoding->size, (size_t)TIFFCurrentDirOffset(page->tiff),
                      TIFFTAG_PHOTOMETRIC, &photometric);
    if (photometric != PHOTOMETRIC_PALETTE) return EAD_OK;
    if (page->photometric != PHOTOMETRIC_PALETTE ||
        !TIFFGetField(page->tiff, TIFFTAG_COLORMAP, &page->palette[0], &page->palette[1], &page->palette[2]))
        return ead_fail(EAD_BAD_FILE, "%s: damaged TIFF: a palette of 2^%u colours is missing",
                        decoding->label, (unsigned)page->bits);
    for (size_t i = 0; i < (size_t)1 << page->bits; i++)
        for (int c = 0; c < 3; c++)
            if (page->palette[c][i] > 255) page->palette_shift = 8;
    return EAD_OK;
}

static EadStatus read_colours(Page *page) {
    uint16_t extra = 0, *extras = NULL;
    TIFFGetFieldDefaulted(page->tiff, TIFFTAG_EXTRASAMPLES, &extra, &extras);
    page->photometric = photometric_of(page->tiff);
    page->colours = page->photometric == PHOTOMETRIC_RGB         ? 3
                    : page->photometric == PHOTOMETRIC_SEPARATED ? 4
                                                                 : 1;
    EAD_TRY(check_numbers(page));
    EAD_TRY(find_palette(page));
    expect_bits(page);
    for (int i = extra - 1; i >= 0 && page->colours <= 3 && !page->palette[0]; i--)
        if (extras[i] == EXTRASAMPLE_ASSOCALPHA && page->colours + i < page->samples)
            page->alpha = page->colours + i;
    return EAD_OK;
}

/* How numbers lie in the file. */
static void read_layout(Page *page) {
    uint16_t config = PLANARCONFIG_CONTIG;
    TIFFGetFieldDefaulted(page->tiff, TIFFTAG_BITSPERSAMPLE, &page->bits);
    TIFFGetFieldDefaulted(page->tiff, TIFFTAG_SAMPLESPERPIXEL, &page->samples);
    TIFFGetFieldDefaulted(page->tiff, TIFFTAG_PLANARCONFIG, &config);
    page->planes = config == PLANARCONFIG_SEPARATE ? page->samples : 1;
    page->tiled = TIFFIsTiled(page->tiff);
    page->chunk_width = (uint32_t)page->decoding->out->width;
    page->chunk_height = (uint32_t)page->decoding->out->height;
    if (page->tiled) {
        TIFFGetField(page->tiff, TIFFTAG_TILEWIDTH, &page->chunk_width);
        TIFFGetField(page->tiff, TIFFTAG_TILELENGTH, &page->chunk_height);
    } else {
        uint32_t rows = page->chunk_height;
        TIFFGetFieldDefaulted(page->tiff, TIFFTAG_ROWSPERSTRIP, &rows);
        if (rows < page->chunk_height) page->chunk_height = rows;
    }
}

static EadStatus get_memory(Page *page, size_t most) {
    size_t in_plane = page->planes == 1 ? page->samples : 1;
    uint64_t row_bytes = ((uint64_t)page->chunk_width * in_plane * page->bits + 7) / 8;
    if (page->chunk_width == 0 || page->chunk_height == 0 || page->chunk_width > most ||
        row_bytes > most / page->chunk_height / page->planes)
        return ead_tiff_damaged(page->decoding);
    page->row_bytes = (size_t)row_bytes;
    page->chunk_bytes = page->row_bytes * page->chunk_height;
    page->chunks = malloc(page->chunk_bytes * page->planes);
    page->row = malloc((size_t)page->chunk_width * page->samples * sizeof *page->row);
    if (page->chunks && page->row) return EAD_OK;
    return ead_fail(EAD_NO_MEMORY, "%s: no memory for its pixels", page->decoding->label);
}

/* ---- pixels ---- */

/* Reads the planes of the chunk at column x, row y; `rows` of its rows lie within the picture. */
static bool read_chunk(const Page *page, uint32_t x, uint32_t y, uint32_t rows) {
    for (uint32_t plane = 0; plane < page->planes; plane++) {
        uint8_t *to = page->chunks + plane * page->chunk_bytes;
        size_t size = page->tiled ? page->chunk_bytes : page->row_bytes * rows;
        tmsize_t got =
            page->tiled
                ? TIFFReadEncodedTile(page->tiff, TIFFComputeTile(page->tiff, x, y, 0, (uint16_t)plane), to,
                                      (tmsize_t)size)
                : TIFFReadEncodedStrip(page->tiff, TIFFComputeStrip(page->tiff, y, (uint16_t)plane), to,
                                       (tmsize_t)size);
        if (got != (tmsize_t)size) return false;
    }
    return true;
}

/* Takes `count` samples apart, `step` places from one to the next in the row. 8 and 16 bits are as the
 * machine has them, others are a stream of bits, the highest first. */
static void unpack(const uint8_t *bytes, int bits, uint32_t count, uint16_t *to, uint32_t step) {
    uint32_t held = 0;
    int have = 0;
    for (uint32_t i = 0; i < count; i++, to += step) {
        if (bits == 8) {
            *to = bytes[i];
        } else if (bits == 16) {
            memcpy(to, bytes + 2 * (size_t)i, sizeof *to);
        } else {
            for (; have < bits; have += 8) held = held << 8 | *bytes++;
            have -= bits;
            *to = (uint16_t)(held >> have & ((1u << bits) - 1));
        }
    }
}

/* a b / 255, rounded, as Pillow has it. */
static int product(int a, int b) {
    int twice = a * b + 128;
    return ((twice >> 8) + twice) >> 8;
}

/* Colours that are multiplied by alpha, and inverted only then. */
static void put_divided(const Page *page, const uint16_t *samples, uint8_t *rgb) {
    EadDecoding *decoding = page->decoding;
    bool inverted = decoding->inverted;
    decoding->inverted = false;
    int alpha = ead_codec_level(decoding, samples[page->alpha]);
    for (int c = 0; c < 3; c++) {
        int level = ead_codec_level(decoding, samples[page->colours == 3 ? c : 0]);
        level = alpha ? level * 255 / alpha : 0;
        level = level > 255 ? 255 : level;
        rgb[c] = (uint8_t)(inverted ? 255 - level : level);
    }
    decoding->inverted = inverted;
}

static void put_cmyk(EadDecoding *decoding, const uint16_t *samples, uint8_t *rgb) {
    int black = 255 - ead_codec_level(decoding, samples[BLACK]);
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)(black - product(ead_codec_level(decoding, samples[c]), black));
}

static void put_pixel(const Page *page, const uint16_t *samples, uint8_t *rgb) {
    if (page->palette[0])
        for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(page->palette[c][samples[0]] >> page->palette_shift);
    else if (page->alpha)
        put_divided(page, samples, rgb);
    else if (page->colours == 4)
        put_cmyk(page->decoding, samples, rgb);
    else
        for (int c = 0; c < 3; c++)
            rgb[c] = c < page->colours ? ead_codec_level(page->decoding, samples[c]) : rgb[0];
}

/* Whether levels follow from one sample each, which stand as the machine has them: the usual case, which is
 * to be fast. */
static bool is_plain(const Page *page) {
    return (page->bits == 8 || page->bits == 16) && page->planes == 1 && page->colours <= 3 &&
           !page->palette[0] && !page->alpha;
}

static void put_plain_row(const Page *page, const uint8_t *bytes, uint32_t columns, uint8_t *rgb) {
    EadDecoding decoding = *page->decoding; /* a copy stays in registers */
    const uint16_t *deep = (const uint16_t *)(const void *)bytes;
    size_t step = page->samples, colours = (size_t)page->colours;
    bool narrow = page->bits == 8, copied = narrow && !decoding.inverted;
    for (size_t k = 0; k < columns * step && copied; k += step, rgb += 3)
        for (size_t c = 0; c < 3; c++) rgb[c] = bytes[k + (colours == 3 ? c : 0)];
    for (size_t k = 0; k < columns * step && !copied; k += step, rgb += 3)
        for (size_t c = 0; c < 3; c++)
            rgb[c] = c < colours ? ead_codec_level(&decoding, narrow ? bytes[k + c] : deep[k + c]) : rgb[0];
    page->decoding->highest = decoding.highest;
}

static void put_rows(const Page *page, uint32_t x, uint32_t y, uint32_t columns, uint32_t rows) {
    const EadImage *out = page->decoding->out;
    uint32_t in_plane = page->planes == 1 ? page->samples : 1;
    for (uint32_t i = 0; i < rows; i++) {
        uint8_t *rgb = out->pixels + ((size_t)(y + i) * (size_t)out->width + x) * 3;
        if (is_plain(page)) {
            put_plain_row(page, page->chunks + i * page->row_bytes, columns, rgb);
            continue;
        }
        for (uint32_t plane = 0; plane < page->planes; plane++)
            unpack(page->chunks + plane * page->chunk_bytes + i * page->row_bytes, page->bits,
                   columns * in_plane, page->row + plane, page->planes);
        for (uint32_t k = 0; k < columns; k++) put_pixel(page, page->row + k * page->samples, rgb + k * 3);
    }
}

static void put_numbers(const Page *page, uint32_t x, uint32_t y, uint32_t columns, uint32_t rows) {
    size_t width = (size_t)page->decoding->out->width, bytes = page->bits / 8;
    for (uint32_t i = 0; i < rows; i++) {
        double *to = page->decoding->numbers + (size_t)(y + i) * width + x;
        const uint8_t *from = page->chunks + i * page->row_bytes;
        for (uint32_t k = 0; k < columns; k++)
            to[k] = ead_codec_number(from + k * bytes, page->kind, page->bits);
    }
}

typedef void PutRows(const Page *page, uint32_t x, uint32_t y, uint32_t columns, uint32_t rows);

static EadStatus read_pixels(const Page *page, PutRows *put) {
    uint32_t width = (uint32_t)page->decoding->out->width, height = (uint32_t)page->decoding->out->height;
    for (uint32_t y = 0; y < height; y += page->chunk_height) {
        uint32_t rows = height - y < page->chunk_height ? height - y : page->chunk_height;
        for (uint32_t x = 0; x < width; x += page->chunk_width) {
            uint32_t columns = width - x < page->chunk_width ? width - x : page->chunk_width;
            if (!read_chunk(page, x, y, rows)) return ead_tiff_damaged(page->decoding);
            put(page, x, y, columns, rows);
        }
    }
    return EAD_OK;
}

EadStatus ead_tiff_read_samples(TIFF *tiff, EadDecoding *decoding, size_t most) {
    Page page = {.tiff = tiff, .decoding = decoding, .bits = 1, .samples = 1};
    read_layout(&page);
    EadStatus status = read_colours(&page);
    if (status == EAD_OK && decoding->use != EAD_PIXELS_NONE) {
        status = get_memory(&page, most);
        if (status == EAD_OK) status = read_pixels(&page, put_rows);
    }
    free(page.chunks);
    free(page.row);
    return status;
}

/* Floating point, or levels of 16 bits of which 0 is black: higher ones are seen as brighter, and are meant as more
 * anomalous. */
static bool has_numbers(const Page *page, uint16_t format) {
    if (page->samples != 1 || page->decoding->pages > 1) return false;
    if (format == SAMPLEFORMAT_IEEEFP) return page->bits == 16 || page->bits == 32 || page->bits == 64;
    return format == SAMPLEFORMAT_UINT && page->bits == 16 && page->photometric == PHOTOMETRIC_MINISBLACK;
}

EadStatus ead_tiff_read_numbers(TIFF *tiff, EadDecoding *decoding, size_t most) {
    Page page = {.tiff = tiff, .decoding = decoding, .bits = 1, .samples = 1};
    uint16_t format = SAMPLEFORMAT_UINT;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
    page.photometric = photometric_of(tiff);
    page.kind = format == SAMPLEFORMAT_IEEEFP ? 'f' : 'u';
    read_layout(&page);
    if (!has_numbers(&page, format))
        return ead_fail(
            EAD_UNSUPPORTED,
            "%s: a TIFF of %u channels with %u bits%s on %d pages is no anomaly map; save it as one "
            "channel of 32-bit floating point, or of unsigned 16 bits with 0 as black",
            decoding->label, (unsigned)page.samples, (unsigned)page.bits,
            format == SAMPLEFORMAT_IEEEFP ? " (floating point)" : "", decoding->pages);
    EadStatus status = get_memory(&page, most);
    if (status == EAD_OK) status = read_pixels(&page, put_numbers);
    free(page.chunks);
    free(page.row);
    return status;
}
