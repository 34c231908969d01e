/* Images that were judged, out of the way: TO/ok/..., TO/ng/..., TO/failed/..., below them as below the watched folder. */
#pragma once

#include "core/base/paths.h"
#include "train/metrics/threshold_rule.h"

/* Where an image `below` the watched folder goes: a place that is free, or holds the same bytes; "a~2.png" if another image has the
 * name. path: where it is now. Errors: EAD_BAD_ARGUMENT for a path that is too long. */
EadStatus ead_move_target(const char *to, EadVerdict verdict, const char *path, const char *below,
                          EadPath target);

/* Moves it there, on another disk by a copy that is synced first. Nothing is replaced; of what was copied there before the image here is
 * removed. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_move_image(const char *path, const char *target);
