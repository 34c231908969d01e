/* defects_config.json of an MVTec LOCO category: the kinds of defects, by the pixel value that stands for
 * each in the ground truth, and how much of each must be found for the whole (saturation). */
#pragma once

#include "core/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct EadDefectType {
    char *name;       /* owned */
    int pixel_value;  /* 1..255, each once */
    double threshold; /* > 0: pixels, or with `relative` a share of the defect's area, at most 1 */
    bool relative;
} EadDefectType;

typedef struct EadDefectTypes {
    char *path; /* of the file, for messages; owned */
    EadDefectType *items;
    int count;
} EadDefectTypes;

/* Reads an array of {"defect_name", "pixel_value", "saturation_threshold", "relative_saturation"}. Errors:
 * EAD_IO, EAD_BAD_FILE naming file and entry, EAD_NO_MEMORY. *out is empty then, else to be freed. */
EadStatus ead_defect_types_read(const char *path, EadDefectTypes *out);
EadStatus ead_defect_types_parse(const char *bytes, size_t size, const char *label, EadDefectTypes *out);

/* Harmless on an empty (zeroed) one. */
void ead_defect_types_free(EadDefectTypes *types);

/* The type that a pixel value stands for, or NULL. */
const EadDefectType *ead_defect_types_find(const EadDefectTypes *types, int pixel_value);

/* Pixels of a defect of that area (>= 1) that count as all of it: int(threshold * area) if relative, else
 * min(threshold, area); at least 1. */
int64_t ead_defect_type_saturation(const EadDefectType *type, int64_t area);
