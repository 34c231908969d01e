/* Images of a collection that cannot be used and are skipped: large collections always hold some (ImageNet
 * has 22 CMYK JPEGs), and some that belong to somebody else. Each is counted and named once; more than 1 % of those asked for, and more than
 * one, means that something else is wrong. What stands in for a skipped image is the next one (data/loader). */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct EadSkippedImages EadSkippedImages;

/* For a collection of `images`, of which `total` (1 .. images) are asked for at the most. Errors:
 * EAD_NO_MEMORY. */
EadStatus ead_skipped_images_new(int images, int total, EadSkippedImages **out);

/* Decides about image `index`, in the file `path`, whose loading failed with `status` and the thread's present message:
 * EAD_OK if it is to be skipped; else the error to pass on, namely `status` itself unless it is EAD_BAD_FILE or
 * EAD_UNSUPPORTED, or EAD_IO of a file that this user may not read; or EAD_BAD_FILE once more than 1 % (and more than
 * one), or all, are skipped. Any thread may call it, and again for the same image. */
EadStatus ead_skipped_images_add(EadSkippedImages *skipped, const char *path, int index, EadStatus status);

/* How many are skipped. */
int ead_skipped_images_count(EadSkippedImages *skipped);

/* Writes why each one is skipped, a line an image, and how many are. key: the config key that the collection
 * comes from. Writes nothing where none is, or skipped is NULL. */
void ead_skipped_images_print(const EadSkippedImages *skipped, const char *key, FILE *stream);

/* Harmless on NULL. */
void ead_skipped_images_free(EadSkippedImages *skipped);
