/* Images that cannot be decoded and are left out: large collections always hold some (ImageNet has 22 CMYK
 * JPEGs). Each is counted and named once; more than 1 % of the collection means that something else is wrong.
 */
#ifndef EAD_DATA_DAMAGED_IMAGES_H
#define EAD_DATA_DAMAGED_IMAGES_H

#include "core/base/status.h"

#include <stdbool.h>

/* Told once for each image that is left out, with the message that names it and says why; by whichever thread
 * met it, but never by two at once. */
typedef void EadDamageReport(void *context, const char *message);

typedef struct EadDamagedImages EadDamagedImages;

/* For a collection of `total` images (>= 1). report may be NULL. Errors: EAD_NO_MEMORY. */
EadStatus ead_damaged_images_new(int total, EadDamageReport *report, void *context, EadDamagedImages **out);

/* Says what follows from the failure `status` of loading image `index`, whose message is the thread's present
 * one: EAD_OK if it is to be left out; else the error to pass on, namely `status` itself unless it is
 * EAD_BAD_FILE or EAD_UNSUPPORTED, or EAD_BAD_FILE once more than 1 % are damaged. Any thread may call it,
 * and again for the same image. */
EadStatus ead_damaged_images_note(EadDamagedImages *damaged, int index, EadStatus status);

/* Whether image `index` was noted; and how many were. */
bool ead_damaged_images_has(EadDamagedImages *damaged, int index);
int ead_damaged_images_count(EadDamagedImages *damaged);

/* Harmless on NULL. */
void ead_damaged_images_free(EadDamagedImages *damaged);

#endif
