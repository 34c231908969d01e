/* Real-IAD (Wang et al., CVPR 2024): a JSON file for each category says what is trained on and tested.
 *   realiad_jsons/<category>.json, also found as realiad_jsons/realiad_jsons/<category>.json:
 *     {"meta": {"normal_class": "OK", "prefix": "<category>/"}, "train": [...], "test": [...]}, with entries
 *     {"anomaly_class": "OK" or a code, "image_path": "OK/S0001/...jpg", "mask_path": "NG/...png" or null}
 *   realiad_1024/<prefix><image_path>, or in realiad_512, realiad_256, realiad_raw: the first there is */
#include "core/file/json_text.h"
#include "data/dataset/dataset_layout.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct SplitFile {
    const EadDatasetSpec *spec;
    EadPath path;   /* of the JSON file */
    EadPath images; /* the folder that image_path and mask_path start from */
    const char *normal_class;
    int left_out;        /* anomalous images among those to train on */
    EadStringList wrong; /* what is wrong with entries */
} SplitFile;

/* The folder <path>/<one of the names>/<prefix>, the first that is there. */
static EadStatus find_images(SplitFile *split, const EadLayout *layout, const char *prefix) {
    EadPath parent;
    char name[64];
    if (strstr(prefix, ".."))
        return ead_fail(EAD_BAD_FILE, "%s: meta.prefix is \"%.80s\"; it must be a folder below the images'",
                        split->path, prefix);
    for (const char *from = layout->test; *from; from += strcspn(from, "|"), from += *from == '|') {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(from, "|"), from);
        EAD_TRY(ead_path_in(parent, split->spec->path, name));
        EAD_TRY(ead_path_in(split->images, parent, prefix + (*prefix == '/')));
        if (ead_path_is_folder(split->images)) return EAD_OK;
    }
    return ead_fail(EAD_IO, "%s: no images of category \"%s\" in any of the folders %s", split->spec->path,
                    split->spec->category, layout->test);
}

/* A member that names a path below the images. */
static EadStatus find_path(const SplitFile *split, const char *part, size_t index, const json_t *entry,
                           const char *member, EadPath path) {
    const char *name = json_string_value(json_object_get(entry, member));
    if (!name || !*name || *name == '/' || strstr(name, ".."))
        return ead_fail(EAD_BAD_FILE, "%s entry %zu: %s is no path below the images' folder", part, index + 1,
                        member);
    return ead_path_in(path, split->images, name);
}

/* The same for a file that must be there. */
static EadStatus find_file(const SplitFile *split, const char *part, size_t index, const json_t *entry,
                           const char *member, EadPath path) {
    EAD_TRY(find_path(split, part, index, entry, member, path));
    if (access(path, F_OK) == 0) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s entry %zu: no file %s", part, index + 1, path);
}

static EadStatus add_entry(SplitFile *split, const char *part, size_t index, const json_t *entry,
                           EadDataset *out) {
    EadPath image, mask;
    const char *class = json_string_value(json_object_get(entry, "anomaly_class"));
    if (!class || !*class)
        return ead_fail(EAD_BAD_FILE, "%s entry %zu: anomaly_class is no text", part, index + 1);
    bool good = strcmp(class, split->normal_class) == 0, train = strcmp(part, "train") == 0;
    bool masked = !good && json_is_string(json_object_get(entry, "mask_path"));
    split->left_out += train && !good;
    if (train && !good) return EAD_OK;
    EAD_TRY(find_file(split, part, index, entry, "image_path", image));
    if (masked) EAD_TRY(find_path(split, part, index, entry, "mask_path", mask)); /* read, or told, later */
    if (train) return ead_strings_add(&out->train, image);
    return ead_dataset_add_sample(out, image, good ? "good" : class, masked ? mask : NULL);
}

static EadStatus add_part(SplitFile *split, const json_t *root, const char *part, EadDataset *out) {
    const json_t *entries = json_object_get(root, part);
    if (!json_is_array(entries) || json_array_size(entries) == 0)
        return ead_fail(EAD_BAD_FILE, "%s: %s must be a list of images", split->path, part);
    for (size_t i = 0; i < json_array_size(entries); i++) {
        EadStatus status = add_entry(split, part, i, json_array_get(entries, i), out);
        if (status == EAD_BAD_FILE) status = ead_strings_add(&split->wrong, ead_error_message());
        EAD_TRY(status);
    }
    return EAD_OK;
}

/* Pictures that no entry names, in parts that are not read either. */
static EadStatus tell_unused(const SplitFile *split, const json_t *root, EadDataset *out) {
    static const char *const parts[] = {"train", "test"}, *const members[] = {"image_path", "mask_path"};
    EadStringList named = {0};
    EadStatus status = EAD_OK;
    for (int p = 0; p < 2; p++) {
        const json_t *entries = json_object_get(root, parts[p]);
        for (size_t i = 0; i < 2 * json_array_size(entries) && status == EAD_OK; i++) {
            const json_t *entry = json_array_get(entries, i / 2);
            status = ead_dataset_add_named(&named, split->images,
                                           json_string_value(json_object_get(entry, members[i % 2])));
        }
    }
    if (status == EAD_OK) status = ead_dataset_doubt_unused(out, split->images, &named);
    ead_strings_free(&named);
    return status;
}

static EadStatus read_split(SplitFile *split, const EadLayout *layout, const json_t *root, EadDataset *out) {
    const json_t *meta = json_object_get(root, "meta");
    const char *prefix = json_string_value(json_object_get(meta, "prefix"));
    split->normal_class = json_string_value(json_object_get(meta, "normal_class"));
    if (!split->normal_class)
        return ead_fail(EAD_BAD_FILE, "%s: meta.normal_class must be a text, such as OK", split->path);
    EAD_TRY(find_images(split, layout, prefix ? prefix : split->spec->category));
    if (!split->spec->test_only) EAD_TRY(add_part(split, root, "train", out));
    EAD_TRY(add_part(split, root, "test", out));
    EAD_TRY(ead_dataset_refuse_rows(split->path, &split->wrong));
    ead_dataset_sort_test(out, 0);
    EAD_TRY(tell_unused(split, root, out));
    EAD_TRY(ead_strings_print(&out->notes, "%s: images of %s", split->path, split->images));
    if (split->left_out == 0) return EAD_OK;
    return ead_strings_print(&out->notes, "%s: %d images with a defect are not trained on", split->path,
                             split->left_out);
}

static bool is_json(const char *name) {
    return ead_path_has_extension(name, ".json");
}

/* The category's JSON file; which categories there are, if it is missing. */
static EadStatus find_json(SplitFile *split, const EadLayout *layout) {
    EadPath folder, inner;
    char name[256];
    const char *category = split->spec->category ? split->spec->category : "";
    EAD_TRY(ead_path_in(folder, split->spec->path, layout->train));
    EAD_TRY(ead_path_in(inner, folder, layout->train));
    if (ead_path_is_folder(inner)) memcpy(folder, inner, sizeof folder);
    if (!ead_path_is_folder(folder))
        return ead_dataset_no_folder(split->spec, layout, split->spec->path, layout->train);
    snprintf(name, sizeof name, "%.200s.json", category);
    EAD_TRY(ead_path_in(split->path, folder, name));
    if (*category && !strchr(category, '/') && access(split->path, F_OK) == 0) return EAD_OK;
    EadStringList files = {0};
    EadStatus status = ead_list_files(&files, folder, is_json, NULL);
    for (int i = 0; i < files.count; i++) *strrchr(files.items[i], '.') = '\0';
    if (status == EAD_OK) status = ead_dataset_unknown_category(split->spec, folder, &files);
    ead_strings_free(&files);
    return status;
}

EadStatus ead_dataset_open_real_iad(const EadDatasetSpec *spec, const EadLayout *layout, EadDataset *out) {
    SplitFile split = {.spec = spec};
    json_t *root;
    EAD_TRY(find_json(&split, layout));
    EAD_TRY(ead_json_load(split.path, &root));
    EadStatus status = read_split(&split, layout, root, out);
    json_decref(root);
    ead_strings_free(&split.wrong);
    return status;
}
