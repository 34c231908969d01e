/* libtiff without its messages on stderr: a broken file or a full disk is one error of ours. */
#ifndef EAD_DATA_TIFF_QUIET_H
#define EAD_DATA_TIFF_QUIET_H

#include <tiffio.h>

/* The callbacks that libtiff reads and writes through; see TIFFClientOpen(). */
typedef struct EadTiffStream {
    TIFFReadWriteProc read, write;
    TIFFSeekProc seek;
    TIFFSizeProc size;
    TIFFMapFileProc map; /* or NULL */
} EadTiffStream;

/* Opens `handle` in `mode` ("r" or "w"). memory: most bytes that libtiff may ask for at once, so that a
 * hostile file cannot claim more; 0 for no bound, and none either with libtiff before 4.5. NULL if it is no
 * TIFF or there is no memory. Closing it leaves the handle open. */
TIFF *ead_tiff_open_quietly(void *handle, const char *mode, const EadTiffStream *stream, tmsize_t memory);

#endif
