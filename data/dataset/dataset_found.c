/* Images of one's own in folders that the config does not name: they are found by their names, as people make
 * them:
 *   train[/ok], validation[/ok], test/ok, test/<defect>, masks
 *   ok, nok or any others beside it, masks: every fifth normal image is tested, the others are trained on
 *   anything else: all are good, but what may be defective is never trained on: folders beside each other, or beside
 *   images, whose names are no numbers and say nothing of good ones, are refused */
#include "core/base/printing.h"
#include "data/dataset/dataset_layout.h"
#include "data/dataset/folder_names.h"
#include "data/source/masks_beside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    TEST_IMAGE = 5, /* every such normal image is tested where nothing else divides them */
    MOST_NAMES = 4,
    MOST_LEVELS = 8
};

/* What the folder of a data set holds; "" for what it does not. */
typedef struct Found {
    EadPath train, validation, test, masks, good;
    EadPath only;      /* the one folder besides masks, if there is one alone */
    int others, kinds; /* folders besides those of good images and masks; with those of good images */
    int either;        /* of these: named as one of two kinds, but not which */
} Found;

static void take(EadPath to, const char *path) {
    if (!*to) memcpy(to, path, strlen(path) + 1);
}

/* NAME_mask beside NAME. */
static bool names_masks_of(const EadStringList *folders, const char *path) {
    const char *name = ead_path_base(path);
    size_t stem = ead_mask_stem(name, strlen(name));
    for (int i = 0; i < folders->count && stem > 0; i++) {
        const char *other = ead_path_base(folders->items[i]);
        if (strlen(other) == stem && strncasecmp(other, name, stem) == 0) return true;
    }
    return false;
}

static void find_one(Found *found, const char *path, EadFolderMeaning meaning) {
    switch (meaning) {
    case EAD_FOLDER_MASKS:
        take(found->masks, path);
        return;
    case EAD_FOLDER_TRAIN:
        take(found->train, path);
        break;
    case EAD_FOLDER_VALIDATION:
        take(found->validation, path);
        break;
    case EAD_FOLDER_TEST:
        take(found->test, path);
        break;
    case EAD_FOLDER_GOOD:
        take(found->good, path);
        break;
    default:
        take(found->only, path);
    }
    found->others += meaning != EAD_FOLDER_GOOD;
    found->either += meaning == EAD_FOLDER_EITHER;
    found->kinds++;
}

/* Whether all pictures below a folder are maps, overlays or masks that this program wrote about others. */
static EadStatus holds_only_ours(const char *folder, bool *ours) {
    EadStringList list = {0};
    EadLeftOut left = {0};
    EadStatus status = ead_list_images_and_masks(&list, folder, &left);
    *ours = status == EAD_OK && list.count > 0;
    for (int i = 0; i < list.count && *ours; i++) *ours = ead_image_is_output(list.items[i]);
    ead_strings_free(&list);
    ead_left_out_free(&left);
    return status;
}

static EadStatus find(const char *folder, Found *found) {
    static const unsigned never_ours =
        1u << EAD_FOLDER_GOOD | 1u << EAD_FOLDER_TRAIN | 1u << EAD_FOLDER_VALIDATION | 1u << EAD_FOLDER_TEST;
    EadStringList names = {0};
    *found = (Found){0};
    EAD_TRY(ead_list_folders(&names, folder));
    EadStatus status = EAD_OK;
    for (int i = 0; i < names.count && status == EAD_OK; i++) {
        const char *name = ead_path_base(names.items[i]);
        EadFolderMeaning meaning =
            names_masks_of(&names, names.items[i]) ? EAD_FOLDER_MASKS : ead_folder_meaning(name);
        bool ours = false;
        if (strcmp(name, "__MACOSX") == 0) continue; /* what its archives hold besides */
        if (!(never_ours >> meaning & 1)) status = holds_only_ours(names.items[i], &ours);
        if (!ours) find_one(found, names.items[i], meaning);
    }
    ead_strings_free(&names);
    return status;
}

static EadStatus check_told(const char *folder, const Found *found) {
    if (found->kinds != 2 || found->either != 2) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: its folders' names do not say which images are good; set dataset.train_good, "
                    "dataset.test_good and dataset.defects",
                    folder);
}

/* The folder of masks that lies in one of the kinds' folders, if only one does. */
static EadStatus find_masks_below(const char *folder, EadPath masks) {
    EadStringList names = {0};
    Found below;
    EadStatus status = ead_list_folders(&names, folder);
    for (int i = 0; i < names.count && status == EAD_OK; i++) {
        status = find(names.items[i], &below);
        if (status == EAD_OK && *masks && *below.masks)
            status =
                ead_fail(EAD_BAD_ARGUMENT,
                         "%s and %s: masks lie in folders of their own within those of the images; move them "
                         "to %s/masks, into subfolders named like those of the images",
                         masks, below.masks, folder);
        if (status == EAD_OK) take(masks, below.masks);
    }
    ead_strings_free(&names);
    return status;
}

/* ---- images to train on ---- */

/* The first folder of a path that means one of a set of bits 1 << EadFolderMeaning: where its name begins
 * and, in *end, ends; NULL: none does. */
static const char *find_meaning(const char *path, unsigned meanings, EadFolderMeaning *meaning,
                                const char **end) {
    const char *next;
    for (const char *at = path; at; at = next) {
        *meaning = ead_folder_next(at, &next);
        *end = next ? next - 1 : NULL;
        if (next && meanings >> *meaning & 1) return at;
    }
    return NULL;
}

static EadStatus check_harmless(const char *folder, const EadStringList *list, int first, const char *cure) {
    static const unsigned harmful = 1u << EAD_FOLDER_BAD | 1u << EAD_FOLDER_TEST | 1u << EAD_FOLDER_MASKS;
    size_t prefix = ead_path_prefix(folder);
    for (int i = first; i < list->count; i++) {
        EadFolderMeaning meaning;
        const char *path = list->items[i], *end;
        if (find_meaning(path + prefix, harmful, &meaning, &end))
            return ead_fail(EAD_BAD_ARGUMENT, "%.*s: must not be trained on%s; %s", (int)(end - path), path,
                            meaning == EAD_FOLDER_MASKS ? ", it holds masks" : "", cure);
    }
    return EAD_OK;
}

/* Names of files that say which are good and which are not: ok_1.png, nok_1.png. */
static EadStatus check_names(const EadStringList *list) {
    const char *good = NULL, *bad = NULL;
    for (int i = 0; i < list->count; i++) {
        EadPath stem;
        const char *base = ead_path_base(list->items[i]);
        snprintf(stem, sizeof stem, "%.*s", (int)ead_path_stem(base), base);
        EadFolderMeaning meaning = ead_folder_meaning(stem);
        if (meaning == EAD_FOLDER_GOOD) good = base;
        if (meaning == EAD_FOLDER_BAD) bad = list->items[i];
    }
    if (!good || !bad) return EAD_OK;
    return ead_fail(
        EAD_BAD_ARGUMENT,
        "%s: must not be trained on as %s is; move good and defective images into folders of their own", bad,
        good);
}

/* Training images lie in a folder of good ones, or are all there are. */
static EadStatus add_good(const char *folder, EadStringList *list, EadDataset *out) {
    Found found;
    int first = list->count;
    EAD_TRY(find(folder, &found));
    EAD_TRY(check_told(folder, &found));
    EAD_TRY(ead_list_images(list, *found.good ? found.good : folder, &out->left_out));
    return check_harmless(*found.good ? found.good : folder, list, first,
                          "set dataset.train_good to the folder of good images");
}

/* ---- the whole ---- */

static EadStatus open_divided(const EadDatasetSpec *spec, Found *found, EadDataset *out) {
    Found test;
    if (!spec->test_only) EAD_TRY(add_good(found->train, &out->train, out));
    if (!spec->test_only && *found->validation) EAD_TRY(add_good(found->validation, &out->validation, out));
    if (*found->test) {
        EAD_TRY(find(found->test, &test));
        EAD_TRY(check_told(found->test, &test));
        take(found->masks, test.masks);
        if (!*found->masks) EAD_TRY(find_masks_below(found->test, found->masks));
        EAD_TRY(ead_dataset_add_tests(out, found->test, EAD_LABEL_TOLD, found->masks));
    }
    return ead_strings_print(&out->notes, "%s: trained on %s, tested with %s", spec->path,
                             *found->train ? found->train : "nothing",
                             *found->test ? found->test : "nothing");
}

/* Adds a name to "a, b" that is not there yet, while there is room. Images of a kind stand side by side. */
static void add_kind(char *kinds, size_t size, const char *kind) {
    size_t used = strlen(kinds), length = strlen(kind);
    bool last = used >= length && strcmp(kinds + used - length, kind) == 0 &&
                (used == length || kinds[used - length - 1] == ' ');
    bool full = used >= 3 && strcmp(kinds + used - 3, "...") == 0;
    if (last || full) return;
    bool fits = used + length + 8 < size;
    snprintf(kinds + used, size - used, "%s%s", used ? ", " : "", fits ? kind : "...");
}

/* Takes the normal images out of the test images, but for every fifth. */
static EadStatus divide(EadDataset *out, const char *folder, bool test_only) {
    int kept = 0, normal = 0;
    char kinds[160] = "";
    EadStatus status = EAD_OK;
    for (int i = 0; i < out->test_count; i++) {
        EadTestSample *sample = &out->test[i];
        if (sample->anomalous) add_kind(kinds, sizeof kinds, sample->defect);
        if (sample->anomalous || ++normal % TEST_IMAGE == 0) {
            out->test[kept++] = *sample;
            continue;
        }
        if (status == EAD_OK && !test_only) status = ead_strings_add(&out->train, sample->path);
        ead_test_sample_free(sample);
    }
    int anomalous = out->test_count - normal, tested = normal / TEST_IMAGE;
    out->test_count = kept;
    if (status == EAD_OK && test_only) status = ead_dataset_note_for_training(out, folder, normal - tested);
    if (status != EAD_OK) return status;
    return ead_strings_print(&out->notes,
                             "%s: for tests: every fifth good image (%d of %d) and all others (%d, in %s); "
                             "dataset.train_good, test_good and defects change this",
                             folder, tested, normal, anomalous, kinds);
}

/* Folders train and test within those of good and of bad images are no such division as ours. */
static EadStatus check_undivided(const EadDataset *out, const char *folder) {
    static const unsigned parts = 1u << EAD_FOLDER_TRAIN | 1u << EAD_FOLDER_TEST;
    for (int i = 0; i < out->test_count; i++) {
        EadFolderMeaning meaning;
        const char *path = out->test[i].path, *end,
                   *name = find_meaning(path + ead_path_prefix(folder), parts, &meaning, &end);
        if (name)
            return ead_fail(EAD_BAD_ARGUMENT,
                            "%s: lies in a folder %.*s below or beside that of its kind; put train and test "
                            "above the kinds, or set dataset.train_good, dataset.test_good and "
                            "dataset.defects",
                            path, (int)(end - name), name);
    }
    return EAD_OK;
}

static EadStatus open_side_by_side(const EadDatasetSpec *spec, const char *folder, Found *found,
                                   EadDataset *out) {
    if (!*found->masks) EAD_TRY(find_masks_below(folder, found->masks));
    EAD_TRY(ead_dataset_add_tests(out, folder, EAD_LABEL_TOLD, found->masks));
    EAD_TRY(check_undivided(out, folder));
    return divide(out, folder, spec->test_only);
}

/* The images below a folder; what is left out of them is told when they are listed for good. */
static EadStatus look_at_images(EadStringList *list, const char *folder) {
    EadLeftOut left = {0};
    EadStatus status = ead_list_images(list, folder, &left);
    ead_left_out_free(&left);
    return status;
}

/* Whether every image lies in a folder of good or of bad ones, however deep, and both are there. */
static EadStatus divides_below(const char *folder, bool *divides) {
    static const unsigned kinds = 1u << EAD_FOLDER_GOOD | 1u << EAD_FOLDER_BAD;
    EadStringList list = {0};
    int good = 0, bad = 0;
    EadStatus status = look_at_images(&list, folder);
    for (int i = 0; i < list.count; i++) {
        const char *end;
        EadFolderMeaning meaning, last = EAD_FOLDER_OTHER; /* of several the last counts */
        for (const char *at = list.items[i] + ead_path_prefix(folder);
             find_meaning(at, kinds, &meaning, &end); at = end + 1)
            last = meaning;
        good += last == EAD_FOLDER_GOOD;
        bad += last == EAD_FOLDER_BAD;
    }
    *divides = good > 0 && bad > 0 && good + bad == list.count;
    ead_strings_free(&list);
    return status;
}

static bool holds_images_itself(const EadStringList *list, const char *folder) {
    for (int i = 0; i < list->count; i++)
        if (!strchr(list->items[i] + ead_path_prefix(folder), '/')) return true;
    return false;
}

/* The folders within `folder` that hold the images of a list, sorted; *doubtful: one of several places, as the images of
 * the folder itself are, has a name that may be that of a defect or class. The name of the folder may say what all are. */
static EadStatus find_places(const char *folder, const EadStringList *list, EadStringList *places,
                             bool *doubtful) {
    EadPath real; /* "photos/good/" and "." have their names, too */
    EadFolderMeaning whole = ead_folder_meaning(ead_path_base(ead_path_real(real, folder) ? real : folder));
    size_t prefix = ead_path_prefix(folder);
    bool itself = false, unclear = false;
    for (int i = 0; i < list->count; i++) {
        const char *path = list->items[i], *next, *last;
        EadFolderMeaning meaning = ead_folder_next(path + prefix, &next);
        int length = next ? (int)(next - path) - 1 : 0;
        itself = itself || !next;
        last = places->count > 0 ? places->items[places->count - 1] : "";
        if (!next || (strncmp(last, path, (size_t)length) == 0 && !last[length])) continue;
        unclear = unclear || meaning == EAD_FOLDER_OTHER || meaning == EAD_FOLDER_EITHER;
        EAD_TRY(ead_strings_print(places, "%.*s", length, path));
    }
    *doubtful =
        unclear && places->count + itself > 1 && whole != EAD_FOLDER_GOOD && whole != EAD_FOLDER_TRAIN;
    return EAD_OK;
}

/* Images in several places are taken for good ones where names say nothing else, which is told; not where they may say
 * something. */
static EadStatus judge_places(const char *folder, const EadStringList *images, const char *cure,
                              EadDataset *out) {
    EadStringList places = {0};
    bool doubtful = false, itself = holds_images_itself(images, folder);
    EadStatus status = find_places(folder, images, &places, &doubtful);
    char *text = status == EAD_OK ? ead_name_paths(&places, places.count, MOST_NAMES) : NULL;
    if (status == EAD_OK && !text) status = EAD_NO_MEMORY;
    if (status == EAD_OK && doubtful)
        status =
            ead_fail(EAD_BAD_ARGUMENT, "%s: no name says which of its images are good, those in %s%s; %s",
                     folder, text, itself ? " or those beside" : "", cure);
    else if (status == EAD_OK && places.count + itself > 1)
        status = ead_strings_print(&out->notes, "%s: all images below it are taken for good ones: %s", folder,
                                   text);
    free(text);
    ead_strings_free(&places);
    return status;
}

EadStatus ead_dataset_check_good(const char *folder, const EadStringList *images, const char *cure,
                                 EadDataset *out) {
    EAD_TRY(check_harmless(folder, images, 0, cure));
    EAD_TRY(check_names(images));
    return judge_places(folder, images, cure, out);
}

/* All images are good ones, as far as names tell. */
static EadStatus open_all_good(const char *folder, const Found *found, EadDataset *out) {
    EadStringList masks = {0};
    EadStatus status = add_good(folder, &out->train, out);
    if (status == EAD_OK) status = check_names(&out->train);
    if (status == EAD_OK && *found->masks) status = look_at_images(&masks, found->masks);
    if (status == EAD_OK && masks.count > 0)
        status = ead_fail(EAD_BAD_ARGUMENT,
                          "%s: holds masks, but no folder's name says which images are good; set "
                          "dataset.train_good, dataset.test_good and dataset.defects",
                          found->masks);
    if (status == EAD_OK)
        status =
            judge_places(*found->good ? found->good : folder, &out->train,
                         "train on a folder of good images alone, or set dataset.train_good to one (to . "
                         "where all are good) and, for tests, dataset.defects",
                         out);
    ead_strings_free(&masks);
    return status;
}

/* Archives are often unpacked into a folder that holds another one alone. masks: those beside it. */
static EadStatus enter(EadPath folder, Found *found) {
    EadPath masks = "";
    EAD_TRY(find(folder, found));
    for (int level = 0; level < MOST_LEVELS && found->kinds == 1 && *found->only; level++) {
        EadStringList list = {0};
        EadFolderMeaning meaning = ead_folder_meaning(ead_path_base(found->only));
        EadStatus status = look_at_images(&list, folder);
        bool stay = holds_images_itself(&list, folder) || meaning == EAD_FOLDER_BAD;
        ead_strings_free(&list);
        EAD_TRY(status);
        if (stay) break;
        take(masks, found->masks);
        memcpy(folder, found->only, sizeof(EadPath));
        EAD_TRY(find(folder, found));
    }
    take(found->masks, masks);
    return EAD_OK;
}

/* Of a data set that is told by a sign of its own, folders' names do not say what is good. */
static EadStatus refuse_published(const EadDatasetSpec *spec) {
    const EadLayout *known = ead_dataset_recognise(spec->path);
    if (!known || known->sign[0] != '/') return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: its folders' names do not say which images are good; set dataset.type, or "
                    "dataset.train_good, dataset.test_good and dataset.defects",
                    spec->path);
}

/* Tells what lies beside the folders that are used, where any is; a test leaves whole parts out. */
static EadStatus tell_unused(const EadDatasetSpec *spec, const Found *found, EadDataset *out) {
    const char *const parts[] = {found->masks, found->train, found->validation};
    EadStringList places = {0};
    EadStatus status = EAD_OK;
    if (out->left_out.folders.count == 0) return EAD_OK;
    for (int i = 0; i < (spec->test_only ? 3 : 1) && status == EAD_OK; i++)
        if (*parts[i]) status = ead_strings_add(&places, parts[i]);
    if (status == EAD_OK) status = ead_dataset_doubt_unused(out, spec->path, &places);
    ead_strings_free(&places);
    return status;
}

static EadStatus open_parts(const EadDatasetSpec *spec, Found *found, EadDataset *out) {
    EadPath folder;
    bool divides;
    EAD_TRY(ead_path_in(folder, "", spec->path));
    EAD_TRY(enter(folder, found));
    EAD_TRY(ead_dataset_refuse_foreign(folder, false));
    if (*found->test)
        take(found->train, found->good); /* good ones beside a folder of tests are to be trained on */
    if (*found->train || (*found->test && spec->test_only)) return open_divided(spec, found, out);
    if (*found->good && found->others) return open_side_by_side(spec, folder, found, out);
    EAD_TRY(divides_below(folder, &divides));
    if (divides && !*found->test) return open_side_by_side(spec, folder, found, out);
    if (*found->test && !spec->test_only)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "%s: no folder of images to train on beside %s; set dataset.train_good to one",
                        folder, ead_path_base(found->test));
    return spec->test_only ? EAD_OK : open_all_good(folder, found, out);
}

EadStatus ead_dataset_open_found(const EadDatasetSpec *spec, EadDataset *out) {
    Found found;
    EAD_TRY(ead_dataset_refuse_foreign(spec->path, false));
    EAD_TRY(refuse_published(spec));
    EAD_TRY(open_parts(spec, &found, out));
    return tell_unused(spec, &found, out);
}
