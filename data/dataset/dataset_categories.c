/* The categories of the three collections of the paper's protocol, and the folder of one. Other folders of
 * the same layout are categories, too: the names serve messages and whoever wants them all. */
#include "data/dataset/dataset_types.h"

#include "core/base/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const mvtec_ad[] = {"bottle",     "cable",     "capsule", "carpet", "grid", "hazelnut",
                                       "leather",    "metal_nut", "pill",    "screw",  "tile", "toothbrush",
                                       "transistor", "wood",      "zipper",  NULL};
static const char *const mvtec_loco[] = {"breakfast_box", "juice_bottle",        "pushpins",
                                         "screw_bag",     "splicing_connectors", NULL};
static const char *const visa[] = {"candle",    "capsules",   "cashew", "chewinggum", "fryum",
                                   "macaroni1", "macaroni2",  "pcb1",   "pcb2",       "pcb3",
                                   "pcb4",      "pipe_fryum", NULL};
static const char *const none[] = {NULL};

const char *const *ead_dataset_categories(const char *type) {
    if (strcmp(type, "mvtec_ad") == 0) return mvtec_ad;
    if (strcmp(type, "mvtec_loco") == 0) return mvtec_loco;
    return strcmp(type, "visa") == 0 ? visa : none;
}

EadStatus ead_dataset_unknown_category(const EadDatasetSpec *spec, const char *where,
                                       const EadStringList *there) {
    char text[640] = "";
    int length = 0, room = (int)sizeof text;
    const char *category = spec->category ? spec->category : "";
    bool known = false;
    for (const char *const *name = ead_dataset_categories(spec->type); *name; name++)
        known = known || strcmp(*name, category) == 0;
    for (int i = 0; i < there->count && length < room; i++)
        length += snprintf(text + length, (size_t)(room - length), "%s%s", i ? ", " : "", there->items[i]);
    if (there->count == 0) return ead_fail(EAD_BAD_ARGUMENT, "%s: holds no category folders", where);
    return ead_fail(EAD_BAD_ARGUMENT, "%s: has no category \"%s\"%s; dataset.category can be %s", where,
                    category, known ? ", though the full data set has it" : "", text);
}

EadStatus ead_dataset_category_folder(const EadDatasetSpec *spec, char **root) {
    *root = NULL;
    if (spec->category && *spec->category) {
        *root = ead_path_join(spec->path, spec->category);
        if (!*root) return EAD_NO_MEMORY;
        if (ead_path_is_folder(*root)) return EAD_OK;
        free(*root);
        *root = NULL;
    }
    EadStringList names = {0};
    EadStatus status = ead_list_folders(&names, spec->path);
    if (status == EAD_OK) status = ead_dataset_unknown_category(spec, spec->path, &names);
    ead_strings_free(&names);
    return status;
}
