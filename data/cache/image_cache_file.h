/* The image cache's file format; feature_cache.c uses its checksum, and distill_images.c its description of
 * sources.
 *
 *   header     "EADCACHE", version, mode, width, height, whether damaged images may be left out, count;
 *              for each source its name, place, and the size and time of last change of its file
 *   checksums  one a stored image (64 bits), EAD_CACHE_LEFT_OUT where there is none
 *   checksum   over all above
 *   images     from the next multiple of 4096 on, [count][height][width][3]
 *
 * Numbers as the machine has them: another byte order is another header, so the file is made anew. */
#ifndef EAD_DATA_IMAGE_CACHE_FILE_H
#define EAD_DATA_IMAGE_CACHE_FILE_H

#include "data/cache/image_cache.h"

#include <stdio.h>
#include <sys/types.h>

#define EAD_CACHE_LEFT_OUT UINT64_MAX

typedef struct EadCacheLayout {
    uint8_t *header; /* as it must be for the sources as they are now, owned */
    size_t header_size;
    size_t image_bytes;
    int count;
    off_t images; /* where the first begins */
} EadCacheLayout;

/* Looks at every source. Errors: EAD_IO naming the source that is missing; EAD_NO_MEMORY. */
EadStatus ead_cache_layout_make(EadCacheLayout *layout, const EadImageList *images, const EadCacheSpec *spec);
void ead_cache_layout_free(EadCacheLayout *layout);

/* Opens a file that matches the layout and is whole; fills checksums [count]. Returns the descriptor, or -1
 * if the file is not there, another's, of another version, cut or damaged. */
int ead_cache_file_open(const EadCacheLayout *layout, const char *path, uint64_t *checksums);

/* Writes what precedes the images, at the stream's beginning. Write errors are left to the stream's ferror().
 */
void ead_cache_file_write_header(const EadCacheLayout *layout, const uint64_t *checksums, FILE *stream);

/* Never EAD_CACHE_LEFT_OUT. */
uint64_t ead_cache_checksum(uint64_t start, const uint8_t *bytes, size_t size);

#endif
