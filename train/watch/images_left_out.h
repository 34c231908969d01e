/* What --existing skip leaves out: skipped.jsonl in the journal's folder, with path, size and time of each image that was there at the very
 * first start. So no change of owner, rights or links makes one of them new, as its writing anew does. */
#pragma once

#include "train/watch/arrivals.h"

/* Before the first ead_arrivals_next(): what the file in that folder names needs no work; where there is no file and `begins` is true, all
 * that is there is left out, and the file is made. Errors: EAD_BAD_FILE where it is damaged, with the cure: nothing that it may have named is
 * scored in silence; EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_images_left_out(const char *folder, bool begins, EadArrivals *arrivals);
