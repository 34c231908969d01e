/* The images that were scored last, in memory: a fixed number of lines, and pictures of the newest of them in so many bytes.
 * Any thread may call. */
#pragma once

#include "train/page/decisions.h"
#include "train/page/live_picture.h"
#include "train/support/json_writer.h"

enum {
    EAD_RECENT_IMAGES = 1000,
    EAD_RECENT_NAME = 256, /* bytes of a source; of longer ones the end is kept */
    /* Pictures a second of images below the threshold, and as many of others: nobody sees more, and they take time. Fewer of
     * those below it where nobody has asked for the news for so many seconds; a page that is seen asks every second. */
    EAD_RECENT_PICTURES = 10,
    EAD_RECENT_UNSEEN = 1,
    EAD_RECENT_LOOK = 5
};

typedef struct EadRecentImages EadRecentImages;

/* memory: bytes of pictures, at least those of the newest. Errors: EAD_NO_MEMORY. */
EadStatus ead_recent_images_new(int64_t memory, EadRecentImages **out);
void ead_recent_images_free(EadRecentImages *recent); /* harmless on NULL */

/* Adds one; what has no room any more goes. Without memory for a picture there is none. */
void ead_recent_images_add(EadRecentImages *recent, const EadLiveImage *image);

/* Counts images of a model (its name lasts as long as this) that could not be scored. */
void ead_recent_images_fail(EadRecentImages *recent, const char *model, int64_t count);

/* Writes into an open object what has changed since a stamp (0: since ever):
 *   stamp      for the next time
 *   pictures   images with a smaller number have no picture any more
 *   counts     [{model, images, anomalous, failed}] since the start
 *   images     the oldest first: [{stamp, sequence, time (milliseconds since 1970), model, sha256 (its first 12 digits), source,
 *              score, threshold, ms, network_ms, width, height, picture, decision}] */
void ead_recent_images_write(EadRecentImages *recent, EadJson *json, int64_t after);

/* A copy of an image's picture; its jpeg is NULL where it is gone, or there was none. Errors: EAD_NO_MEMORY. */
EadStatus ead_recent_images_picture(EadRecentImages *recent, int64_t sequence, EadLivePicture *out);

/* Fills what is decided about; false: that image is not kept any more. Texts of the record last as long as the models' names, but
 * source and sha256, which have their place in it. */
bool ead_recent_images_find(EadRecentImages *recent, int64_t sequence, EadDecisionRecord *out);

/* Notes what people decided about an image, if it is still there. */
void ead_recent_images_decide(EadRecentImages *recent, int64_t sequence, EadDecision decision);
