/* JSON by jansson, every member checked. */
#include "data/dataset/defect_types.h"

#include "core/base/memory.h"
#include "core/base/text.h"
#include "core/file/json_text.h"
#include "data/dataset/dataset_layout.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 1 << 20 };

void ead_defect_types_free(EadDefectTypes *types) {
    for (int i = 0; i < types->count; i++) free(types->items[i].name);
    free(types->items);
    free(types->path);
    *types = (EadDefectTypes){0};
}

const EadDefectType *ead_defect_types_find(const EadDefectTypes *types, int pixel_value) {
    for (int i = 0; i < types->count; i++)
        if (types->items[i].pixel_value == pixel_value) return &types->items[i];
    return NULL;
}

int64_t ead_defect_type_saturation(const EadDefectType *type, int64_t area) {
    double saturation = type->relative ? type->threshold * (double)area : fmin(type->threshold, (double)area);
    return saturation >= 1 ? (int64_t)saturation : 1;
}

static EadStatus bad_entry(size_t index, const char *what) {
    return ead_fail(EAD_BAD_FILE, "entry %zu: %s", index + 1, what);
}

static EadStatus read_entry(const json_t *entry, size_t i, EadDefectTypes *types) {
    const json_t *name = json_object_get(entry, "defect_name"),
                 *value = json_object_get(entry, "pixel_value"),
                 *relative = json_object_get(entry, "relative_saturation");
    double limit = json_number_value(json_object_get(entry, "saturation_threshold"));
    json_int_t pixel = json_is_integer(value) ? json_integer_value(value) : 0;
    if (!json_is_string(name)) return bad_entry(i, "defect_name must be a text");
    if (pixel < 1 || pixel > 255) return bad_entry(i, "pixel_value must be a whole number from 1 to 255");
    if (ead_defect_types_find(types, (int)pixel))
        return bad_entry(i, "its pixel_value belongs to an earlier entry already");
    if (!json_is_boolean(relative)) return bad_entry(i, "relative_saturation must be true or false");
    if (!(limit > 0) || !isfinite(limit) || (json_is_true(relative) && limit > 1))
        return bad_entry(i, "saturation_threshold must be a positive number, at most 1 where it is relative");
    char *copy = ead_strdup(json_string_value(name));
    if (!copy) return EAD_NO_MEMORY;
    types->items[types->count++] = (EadDefectType){copy, (int)pixel, limit, json_is_true(relative)};
    return EAD_OK;
}

static EadStatus read_entries(const json_t *root, EadDefectTypes *types) {
    EadStringList wrong = {0};
    size_t count = json_array_size(root);
    if (count < 1 || count > 255)
        return ead_fail(EAD_BAD_FILE, "%s: must be an array of 1 to 255 kinds of defects", types->path);
    types->items = ead_new((int64_t)count, sizeof *types->items, "kinds of defects");
    EadStatus status = types->items ? EAD_OK : EAD_NO_MEMORY;
    for (size_t i = 0; i < count && status == EAD_OK; i++) {
        status = read_entry(json_array_get(root, i), i, types);
        if (status == EAD_BAD_FILE) status = ead_strings_add(&wrong, ead_error_message());
    }
    if (status == EAD_OK) status = ead_dataset_refuse_rows(types->path, &wrong);
    ead_strings_free(&wrong);
    return status;
}

EadStatus ead_defect_types_parse(const char *bytes, size_t size, const char *label, EadDefectTypes *out) {
    *out = (EadDefectTypes){.path = ead_strdup(label)};
    if (!out->path) return EAD_NO_MEMORY;
    json_t *root;
    EadStatus status = ead_json_parse(label, bytes, size, 0, &root, NULL);
    if (status == EAD_OK) status = read_entries(root, out);
    json_decref(root);
    if (status != EAD_OK) ead_defect_types_free(out);
    return status;
}

EadStatus ead_defect_types_read(const char *path, EadDefectTypes *out) {
    char *bytes;
    size_t size;
    *out = (EadDefectTypes){0};
    EAD_TRY(ead_read_text(path, MAX_FILE, &bytes, &size));
    EadStatus status = ead_defect_types_parse(bytes, size, path, out);
    free(bytes);
    return status;
}
