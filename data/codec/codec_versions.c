/* The libraries that read images, as they run. */
#include "data/codec/codec.h"

#include <png.h>
#include <stdio.h>
#include <string.h>
#include <tiffio.h>
#include <webp/decode.h>
/* jpeglib.h needs stdio.h before it */
#include <jpeglib.h>

#define TEXT_OF(number) #number
#define TEXT(macro)     TEXT_OF(macro)

void ead_codec_versions(char *text, size_t size) {
    const char *tiff = strstr(TIFFGetVersion(), "Version "); /* "LIBTIFF, Version 4.5.0\nCopyright ..." */
    int webp = WebPGetDecoderVersion();
    tiff = tiff ? tiff + strlen("Version ") : "?";
#ifdef LIBJPEG_TURBO_VERSION
    const char *jpeg = "libjpeg-turbo " TEXT(LIBJPEG_TURBO_VERSION);
#else
    const char *jpeg = "libjpeg " TEXT(JPEG_LIB_VERSION);
#endif
    snprintf(text, size, "libpng %s, %s, libtiff %.*s, libwebp %d.%d.%d", png_get_libpng_ver(NULL), jpeg,
             (int)strcspn(tiff, "\n"), tiff, webp >> 16, webp >> 8 & 255, webp & 255);
}
