/* The handlers are those of one file where libtiff can do that, else those of the process. */
#include "data/codec/tiff_quiet.h"

static int close_nothing(thandle_t handle) {
    (void)handle;
    return 0;
}

static void unmap_nothing(thandle_t handle, void *base, toff_t size) {
    (void)handle, (void)base, (void)size;
}

#if TIFFLIB_VERSION >= 20221213 /* libtiff 4.5 */
static int swallow(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    (void)tiff, (void)user, (void)module, (void)format, (void)arguments;
    return 1; /* handled: nothing is printed */
}

TIFF *ead_tiff_open_quietly(void *handle, const char *mode, const EadTiffStream *stream, tmsize_t memory) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) return NULL;
    TIFFOpenOptionsSetErrorHandlerExtR(options, swallow, NULL);
    TIFFOpenOptionsSetWarningHandlerExtR(options, swallow, NULL);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, memory);
    TIFF *tiff = TIFFClientOpenExt("image", mode, handle, stream->read, stream->write, stream->seek,
                                   close_nothing, stream->size, stream->map, unmap_nothing, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}
#else
TIFF *ead_tiff_open_quietly(void *handle, const char *mode, const EadTiffStream *stream, tmsize_t memory) {
    (void)memory;
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
    return TIFFClientOpen("image", mode, handle, stream->read, stream->write, stream->seek, close_nothing,
                          stream->size, stream->map, unmap_nothing);
}
#endif
