/* What the decoders share with codec.c; not for use elsewhere. */
#pragma once

#include "core/base/half.h"
#include "data/codec/codec.h"

#include <stdint.h>
#include <string.h>

typedef enum EadPixelUse {
    EAD_PIXELS_RGB,     /* 3 channels, 8 bits */
    EAD_PIXELS_MASK,    /* the same, but what is not 0 stays so; codec.c makes it 1 channel */
    EAD_PIXELS_NONE,    /* only width and height are wanted: the image stays without pixels */
    EAD_PIXELS_NUMBERS, /* of an anomaly map, as they are stored; the image stays without pixels */
} EadPixelUse;

/* One image being decoded. */
typedef struct EadDecoding {
    const uint8_t *bytes;
    size_t size;
    const char *label; /* what errors call it */
    EadPixelUse use;
    const EadImageRules *rules;
    const char *said; /* by the format's library, of what is wrong; NULL or empty: nothing */
    EadImage *out;    /* for 3 channels as they are stored: codec.c turns them upright */
    double *numbers;  /* [height][width], with EAD_PIXELS_NUMBERS only */
    /* What the decoder finds out. */
    int orientation;   /* as EXIF counts, 1 to 8; 0: nothing says so */
    int pages;         /* or frames, of which the first was decoded; 0: one */
    bool large;        /* it has more pixels than may be read */
    bool converted;    /* to RGB by a formula that is not everybody's */
    int bits;          /* of a sample that is given to ead_codec_level(), 1..16 */
    int white;         /* such samples count as white from it on; 0: from 2^bits - 1 on */
    bool inverted;     /* such samples are 0 where it is white */
    uint32_t highest;  /* such sample */
    uint32_t expected; /* highest samples below this are suspicious; 0: none is */
} EadDecoding;

/* Sets the size of *out and, unless no pixels are wanted, allocates them (or the numbers), once width and height are known to
 * be within the limits and to fit a file of that size, of which each byte can describe at most
 * `pixels_per_byte` pixels. This stops decompression bombs and hopelessly truncated files before any memory
 * is touched. Errors: EAD_BAD_FILE, EAD_NO_MEMORY. */
EadStatus ead_codec_alloc(EadDecoding *decoding, uint64_t width, uint64_t height, uint64_t pixels_per_byte);

/* Says how samples of more than 8 bits are to be read. stored: bits of each in the file; declared: of these
 * the ones that count, by the file's own word, or `stored`. With 16 stored ones the user's counts more, and so does
 * the user's word of what is white. */
void ead_codec_expect_bits(EadDecoding *decoding, int stored, int declared);

/* Takes the orientation from a block of metadata; EXIF counts more than XMP. */
void ead_codec_take_exif(EadDecoding *decoding, const uint8_t *bytes, size_t size);
void ead_codec_take_xmp(EadDecoding *decoding, const uint8_t *bytes, size_t size);

/* A sample of decoding->bits as 0..255: by what is white, else of more than 8 bits the upper 8, fewer spread. A value beyond
 * its bits gives any level; codec.c refuses the image then. */
static inline uint8_t ead_codec_level(EadDecoding *decoding, uint32_t sample) {
    uint32_t white = (uint32_t)decoding->white, most = white ? white : (1u << decoding->bits) - 1;
    if (sample > decoding->highest) decoding->highest = sample;
    if (white && sample > white) sample = white;
    if (decoding->inverted) sample = most - sample;
    uint32_t level = white                 ? ead_level_of_white(sample, white)
                     : decoding->bits >= 8 ? sample >> (decoding->bits - 8)
                                           : sample * 255 / most;
    return (uint8_t)(level == 0 && sample > 0 && decoding->use == EAD_PIXELS_MASK ? 1 : level);
}

/* A number as this machine stores it: 'f' of 16, 32 or 64 bits (IEEE), 'i' signed or 'u' unsigned of 8, 16 or 32; as
 * a double each is itself. */
static inline double ead_codec_number(const uint8_t *bytes, char kind, int bits) {
    uint16_t half = 0;
    uint32_t word = 0;
    float single = 0;
    double wide = 0;
    if (bits == 16) memcpy(&half, bytes, sizeof half);
    if (bits == 32) memcpy(&word, bytes, sizeof word), memcpy(&single, bytes, sizeof single);
    if (bits == 64) memcpy(&wide, bytes, sizeof wide);
    if (kind == 'f') return bits == 16 ? (double)ead_half_to_float(half) : bits == 32 ? (double)single : wide;
    double level = bits == 8 ? *bytes : bits == 16 ? half : word, range = (double)(1ll << bits);
    return kind == 'i' && level >= range / 2 ? level - range : level;
}

/* After an error codec.c frees what *decoding->out holds. */
typedef EadStatus EadDecode(EadDecoding *decoding);

/* An anomaly map in numpy's format; there is no such image. */
EadDecode ead_npy_decode;

#define EAD_FORMAT(name, ...) EadDecode ead_##name##_decode;
#include "data/codec/codec_formats.def"
#undef EAD_FORMAT
