/* What the page and the metrics of watch say of the images. The page is told by a thread of its own, behind the work: no image waits until
 * somebody has been shown another one, and none is lost to it. */
#pragma once

#include "core/image/image.h"
#include "train/camera/camera_frame.h"
#include "train/serve/server.h"

/* An image of which the line is written. */
typedef struct EadShownImage {
    int64_t sequence;   /* of the line */
    const char *source; /* its name below the watched folder, borrowed */
    int64_t failed;     /* images that could not be scored: of the rest model, source and `missed` count */
    const int64_t
        *missed; /* [EAD_MISS_COUNT], borrowed: why a camera's were not inspected; NULL: they are files */
    float score;
    double seconds
        [EAD_STAGES]; /* that it waited, was decoded, was with the detector, and until its line was written */
    EadServedModel *model; /* lent by the server's models */
    EadImage image;
    float *map; /* as EadPoolImage has it */
} EadShownImage;

typedef struct EadShownImages EadShownImages;

/* server: one that was started, with or without a page; must outlive it. of_camera: metrics tell what is missed. Errors: EAD_NO_MEMORY. */
EadStatus ead_shown_images_new(EadServer *server, bool of_camera, EadShownImages **out);

/* Counts an image and hands it to the page; one caller at a time. Takes over model, image and map. Where more wait than the page has lines, it is not shown;
 * where several pictures wait, it is without its own. */
void ead_shown_images_add(EadShownImages *shown, const EadShownImage *image);

/* What waits is not shown any more; harmless on NULL. */
void ead_shown_images_free(EadShownImages *shown);
