/* What all sources share. */
#include "train/watch/image_source.h"

#include <stdlib.h>

void ead_source_image_free(EadSourceImage *image) {
    free(image->arrival.path);
    free(image->frame.pixels);
    free(image->file);
    *image = (EadSourceImage){0};
}
