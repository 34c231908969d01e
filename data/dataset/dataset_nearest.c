/* What a folder looks like that has not the layout that the config names. */
#include "data/dataset/dataset_layout.h"
#include "data/dataset/folder_names.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether anything matches a pattern below a folder, whose own name is no pattern. any_case: cases of the pattern's
 * letters need not agree. */
static bool matches(const char *folder, const char *pattern, bool any_case) {
    enum { PATTERN = 64, CLASS = 4 }; /* "[aA]" */
    char text[2 * EAD_PATH_SIZE + PATTERN * CLASS], *to = text;
    glob_t found;
    if (strlen(folder) >= EAD_PATH_SIZE || strlen(pattern) >= PATTERN - 1) return false;
    for (const char *from = folder; *from; *to++ = *from++)
        if (strchr("*?[]\\", *from)) *to++ = '\\';
    *to++ = '/';
    for (const char *from = pattern; *from; from++) {
        bool fold = any_case && isalpha((unsigned char)*from);
        to += fold ? sprintf(to, "[%c%c]", tolower((unsigned char)*from), toupper((unsigned char)*from))
                   : sprintf(to, "%c", *from);
    }
    *to = '\0';
    bool any = glob(text, GLOB_NOSORT, NULL, &found) == 0;
    globfree(&found);
    return any;
}

/* What is not read, by patterns of paths; several data sets of one kind lie in folders beside each other. */
static const struct {
    const char *name, *sign;
    bool tree; /* looks like MVTec AD's */
    const char *cure;
} foreign[] = {
    {"MVTec 3D-AD's layout", "train/good/xyz", true, NULL},
    {"MVTec 3D-AD's layout", "*/train/good/xyz", false, NULL},
    {"VisA's layout as it is downloaded", "*/Data/Images/Normal", false,
     "set dataset.type=visa and put its split_csv/1cls.csv there"},
    {"DAGM's layout", "Train/Label/Labels.txt", false, NULL},
    {"DAGM's layout", "*/Train/Label/Labels.txt", false, NULL},
    {"a Kaggle competition's layout", "sample_submission.csv", false, NULL},
    {"the magnetic tiles' layout", "MT_*/Imgs", false, NULL},
    {"GC10-DET's layout", "lable/*.xml", false, NULL},
    {"COCO's layout", "annotations/*.json", false, NULL},
    {"CVAT's layout", "annotations.xml", false, NULL},
    {"YOLO's layout", "data.yaml", false, NULL},
    {"YOLO's layout", "labels/*/*.txt", false, NULL},
    {"YOLO's layout", "*/labels/*.txt", false, NULL},
    {"Pascal VOC's layout", "JPEGImages", false, NULL},
    {"Pascal VOC's layout", "annotations/*.xml", false, NULL},
    {"Pascal VOC's layout", "*/annotations/*.xml", false, NULL},
};

EadStatus ead_dataset_refuse_foreign(const char *root, bool tree) {
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if ((!tree || foreign[i].tree) && matches(root, foreign[i].sign, false) &&
            !(foreign[i].cure && matches(root, "split_csv/1cls.csv", false)))
            return ead_fail(EAD_BAD_ARGUMENT, "%s: this is %s (%s), which is not read; %s", root,
                            foreign[i].name, foreign[i].sign,
                            foreign[i].cure
                                ? foreign[i].cure
                                : "set dataset.type=folder, dataset.train_good, dataset.test_good "
                                  "and dataset.defects to folders of its images");
    return EAD_OK;
}

/* How many of a layout's parts are there, of how many; lacking: names those that are not. */
static int parts_there(const EadLayout *layout, const char *root, int *parts, char *lacking, size_t size) {
    const char *const folders[] = {layout->train, layout->validation, layout->test, layout->masks};
    const char *sign = layout->sign;
    int there = 0, length = 0;
    *parts = 0;
    lacking[0] = '\0';
    bool of_set = *sign == '/'; /* such layouts are told by their sign alone */
    for (int i = of_set ? 4 : 0; i < 5; i++) {
        const char *part = i < 4 ? folders[i] : sign + of_set;
        bool needed = i != 3; /* masks tell a layout, but need not be there */
        if (!*part) continue;
        bool found = matches(root, part, true);
        *parts += needed;
        there += needed && found;
        if (needed && !found && length < (int)size)
            length += snprintf(lacking + length, size - (size_t)length, "%s%s", length ? ", " : "", part);
    }
    return there;
}

const EadLayout *ead_dataset_recognise(const char *root) {
    char lacking[256];
    int parts, most = 0;
    const EadLayout *known = NULL; /* the one of most parts: MVTec AD 2 has what others have, and more */
    for (int i = 0; ead_dataset_layout(i); i++) {
        const EadLayout *layout = ead_dataset_layout(i);
        if (parts_there(layout, root, &parts, lacking, sizeof lacking) < parts || parts <= most) continue;
        most = parts;
        known = layout;
    }
    return known;
}

/* Where the layout of a data set may show: in the folder itself, in that of the category (these are `named`), and in
 * all below it. */
static EadStatus list_roots(const EadDatasetSpec *spec, EadStringList *roots, int *named) {
    EadPath category;
    EAD_TRY(ead_strings_add(roots, spec->path));
    if (spec->category && *spec->category) {
        EAD_TRY(ead_path_in(category, spec->path, spec->category));
        if (ead_path_is_folder(category)) EAD_TRY(ead_strings_add(roots, category));
    }
    *named = roots->count;
    return ead_list_folders(roots, spec->path);
}

/* Whether what is there may be the layout that was asked for: itself, or one that has the same folders. */
static bool may_be(const EadLayout *known, const EadLayout *asked) {
    bool same = strcmp(known->train, asked->train) == 0 &&
                strcmp(known->validation, asked->validation) == 0 && strcmp(known->test, asked->test) == 0 &&
                strcmp(known->masks, asked->masks) == 0;
    return known == asked || (same && known->sign[0] != '/');
}

/* The known layout that root has, unless it has more parts of the one that was asked for. */
static const EadLayout *find_other(const EadLayout *asked, const char *root) {
    char lacking[256];
    int parts;
    const EadLayout *known = ead_dataset_recognise(root);
    if (!known || may_be(known, asked)) return NULL;
    int there = parts_there(asked, root, &parts, lacking, sizeof lacking);
    return there > parts_there(known, root, &parts, lacking, sizeof lacking) ? NULL : known;
}

EadStatus ead_dataset_find_other(const EadDatasetSpec *spec, const EadLayout *asked, const EadLayout **other,
                                 EadPath where) {
    enum { LOOK = 32 };
    EadStringList roots = {0};
    int named = 0;
    *other = NULL;
    EadStatus status = list_roots(spec, &roots, &named);
    for (int i = 0; i < roots.count && i < LOOK && !*other && status == EAD_OK; i++) {
        const EadLayout *known = find_other(asked, roots.items[i]);
        if (!known || (known->sign[0] == '/' && i >= named)) continue; /* another data set beside that one */
        *other = known;
        status = ead_path_in(where, "", roots.items[i]);
    }
    ead_strings_free(&roots);
    return status;
}

/* Whether folders are named as type folder takes them: ok, nok, train, test, ... */
static EadStatus looks_found(const char *path, bool *found) {
    EadStringList names = {0};
    EadStatus status = ead_list_folders(&names, path);
    *found = false;
    for (int i = 0; i < names.count && status == EAD_OK; i++) {
        EadFolderMeaning meaning = ead_folder_meaning(ead_path_base(names.items[i]));
        *found |= meaning == EAD_FOLDER_GOOD || meaning == EAD_FOLDER_BAD || meaning == EAD_FOLDER_TRAIN ||
                  meaning == EAD_FOLDER_TEST;
    }
    ead_strings_free(&names);
    return status;
}

EadStatus ead_dataset_no_category(const char *type, const char *path) {
    static const char before[] = "dataset.category is not set; ";
    const EadLayout *asked = ead_dataset_find_layout(type);
    if (!ead_path_is_folder(path))
        return ead_fail(EAD_BAD_ARGUMENT, "%sset it to a subfolder of %s", before,
                        *path ? path : "dataset.path");
    const EadLayout *known = ead_dataset_recognise(path);
    bool whole = known && known->sign[0] == '/', found; /* a data set, else a category */
    EadPath train;
    if (known && !whole)
        return ead_dataset_is_category(before, path, may_be(known, asked) ? NULL : known->name);
    if (known && known != asked)
        return ead_fail(EAD_BAD_ARGUMENT, "%s%s has the layout of dataset.type=%s; set that%s", before, path,
                        known->name, known->categories[0] ? " and dataset.category" : "");
    EAD_TRY(ead_dataset_place(train, path, asked->train));
    if (!known && ead_path_is_folder(train)) return ead_dataset_is_category(before, path, NULL);
    EAD_TRY(looks_found(path, &found));
    ead_fail(EAD_BAD_ARGUMENT,
             found && !known ? "%s%s holds folders named as dataset.type=folder takes them; set that"
                             : "%sset it to a subfolder of %s",
             before, path);
    EadDatasetSpec spec = {.type = type, .path = path};
    return found || known ? EAD_BAD_ARGUMENT : ead_dataset_name_other(&spec, asked, EAD_BAD_ARGUMENT);
}

EadStatus ead_dataset_name_other(const EadDatasetSpec *spec, const EadLayout *asked, EadStatus status) {
    const EadLayout *other;
    EadPath where;
    EadFailure said;
    ead_failure_keep(&said, status);
    bool found = ead_dataset_find_other(spec, asked, &other, where) == EAD_OK && other;
    if (found && other->sign[0] == '/' && strcmp(where, spec->path) != 0)
        return ead_fail(status, "%s; %s has the layout of dataset.type=%s; set dataset.path to it",
                        said.message, where, other->name);
    if (found)
        return ead_fail(status, "%s; this is the layout of dataset.type=%s", said.message, other->name);
    return ead_failure_tell(&said);
}

/* The layout that has most parts in root; of several the one that was asked for, if half of it is there, else the one
 * that lacks the fewest. NULL: none has any. */
static const EadLayout *find_nearest(const EadLayout *asked, const char *root, char *lacking, size_t size) {
    const EadLayout *nearest = NULL;
    int most = 0, fewest = 0, parts;
    for (int i = 0; ead_dataset_layout(i); i++) {
        const EadLayout *layout = ead_dataset_layout(i);
        int there = parts_there(layout, root, &parts, lacking, size), missing = parts - there;
        if (layout == asked && there >= missing) missing = -1;
        bool nearer =
            there > most || (there == most && (missing < fewest || (missing == fewest && layout == asked)));
        if (there == 0 || !nearer) continue;
        most = there;
        fewest = missing;
        nearest = layout;
    }
    if (nearest) parts_there(nearest, root, &parts, lacking, size);
    return nearest;
}

/* A layout that is not there as a whole, in root or, of those without categories, in a category. */
static EadStatus describe_nearest(const EadDatasetSpec *spec, const EadLayout *asked, const char *root,
                                  char *text, size_t size) {
    char lacking[256];
    EadStringList roots = {0};
    const EadLayout *nearest = find_nearest(asked, root, lacking, sizeof lacking), *other;
    EadPath where;
    int named;
    EadStatus status = ead_dataset_find_other(spec, asked, &other, where);
    text[0] = '\0';
    if (status != EAD_OK || other) return status; /* which is named in the end */
    if (!nearest) status = list_roots(spec, &roots, &named);
    for (int i = 0; i < roots.count && !nearest; i++)
        nearest = find_nearest(asked, roots.items[i], lacking, sizeof lacking);
    ead_strings_free(&roots);
    if (nearest && *lacking)
        snprintf(text, size, "; the nearest layout is that of dataset.type=%s, which lacks %s", nearest->name,
                 lacking);
    strncat(text, "; dataset.type=folder takes folders of any name", size - strlen(text) - 1);
    return status;
}

EadStatus ead_dataset_no_folder(const EadDatasetSpec *spec, const EadLayout *layout, const char *root,
                                const char *name) {
    enum { MOST_NAMES = 8 };
    char hint[512], *there;
    EadStringList names = {0};
    EAD_TRY(ead_dataset_refuse_foreign(root, false));
    EAD_TRY(ead_dataset_refuse_foreign(spec->path, false));
    EAD_TRY(describe_nearest(spec, layout, root, hint, sizeof hint));
    EAD_TRY(ead_list_folders(&names, root));
    there = ead_dataset_name_folders(&names, MOST_NAMES);
    ead_strings_free(&names);
    if (!there) return EAD_NO_MEMORY;
    ead_fail(EAD_IO, "%s: no %s %s, which dataset.type=%s needs; folders there: %s%s", root,
             ead_path_has_extension(name, ".json") ? "file" : "folder", name, layout->name,
             *there ? there : "none", hint);
    free(there);
    return EAD_IO;
}
