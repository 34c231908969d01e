/* WebP by libwebp, from memory: lossy and lossless pictures, and the first frame of animations. */
#include "data/codec/codec_formats.h"

#include <stdbool.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

/* A lossless picture of one colour takes a few bytes, whatever its size: there is no ratio to hold it to. */
enum { PIXELS_PER_BYTE = 1 << 28 };

static EadStatus damaged(const EadDecoding *decoding) {
    return ead_fail(EAD_BAD_FILE, "%s: damaged or truncated WebP", decoding->label);
}

static EadStatus no_memory(const EadDecoding *decoding) {
    return ead_fail(EAD_NO_MEMORY, "%s: no memory to read a WebP", decoding->label);
}

static void read_metadata(WebPDemuxer *demuxer, EadDecoding *decoding) {
    WebPChunkIterator chunk;
    if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk)) {
        ead_codec_take_exif(decoding, chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
    if (WebPDemuxGetChunk(demuxer, "XMP ", 1, &chunk)) {
        ead_codec_take_xmp(decoding, chunk.chunk.bytes, chunk.chunk.size);
        WebPDemuxReleaseChunkIterator(&chunk);
    }
}

static EadStatus read_picture(EadDecoding *decoding) {
    WebPDecoderConfig config;
    EadImage *out = decoding->out;
    if (!WebPInitDecoderConfig(&config)) return no_memory(decoding);
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = out->pixels;
    config.output.u.RGBA.stride = out->width * 3;
    config.output.u.RGBA.size = (size_t)out->width * (size_t)out->height * 3;
    VP8StatusCode code = WebPDecode(decoding->bytes, decoding->size, &config);
    WebPFreeDecBuffer(&config.output);
    return code == VP8_STATUS_OK              ? EAD_OK
           : code == VP8_STATUS_OUT_OF_MEMORY ? no_memory(decoding)
                                              : damaged(decoding);
}

/* A frame may cover a part of the picture only; the rest is black. */
static EadStatus read_first_frame(EadDecoding *decoding) {
    WebPData data = {decoding->bytes, decoding->size};
    WebPAnimDecoderOptions options;
    uint8_t *rgba, *rgb = decoding->out->pixels;
    int milliseconds;
    size_t pixels = (size_t)decoding->out->width * (size_t)decoding->out->height;
    if (!WebPAnimDecoderOptionsInit(&options)) return no_memory(decoding);
    options.color_mode = MODE_RGBA;
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(&data, &options);
    bool whole = decoder && WebPAnimDecoderGetNext(decoder, &rgba, &milliseconds);
    for (size_t i = 0; i < pixels && whole; i++, rgb += 3, rgba += 4) memcpy(rgb, rgba, 3);
    WebPAnimDecoderDelete(decoder);
    return whole ? EAD_OK : damaged(decoding);
}

static EadStatus read_webp(WebPDemuxer *demuxer, EadDecoding *decoding) {
    EAD_TRY(ead_codec_alloc(decoding, WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH),
                            WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT), PIXELS_PER_BYTE));
    bool animated = WebPDemuxGetI(demuxer, WEBP_FF_FORMAT_FLAGS) & ANIMATION_FLAG;
    decoding->pages = (int)WebPDemuxGetI(demuxer, WEBP_FF_FRAME_COUNT);
    read_metadata(demuxer, decoding);
    if (decoding->use == EAD_PIXELS_NONE) return EAD_OK;
    return animated ? read_first_frame(decoding) : read_picture(decoding);
}

EadStatus ead_webp_decode(EadDecoding *decoding) {
    WebPData data = {decoding->bytes, decoding->size};
    if (decoding->size >= 12 && memcmp(decoding->bytes + 8, "WEBP", 4) != 0)
        return ead_fail(EAD_BAD_FILE, "%s: a RIFF file of %.4s, not a WebP", decoding->label,
                        (const char *)decoding->bytes + 8);
    WebPDemuxer *demuxer = WebPDemux(&data); /* NULL unless the file is whole */
    if (!demuxer) return damaged(decoding);
    EadStatus status = read_webp(demuxer, decoding);
    WebPDemuxDelete(demuxer);
    return status;
}
