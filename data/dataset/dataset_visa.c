/* VisA (Zou et al., ECCV 2022), in either layout:
 *   <path>/split_csv/1cls.csv, which names images and masks below <path> (object,split,label,image,mask)
 *   <path>/<category>/train/good, test/good, test/bad, ground_truth/bad: converted to MVTec AD's layout */
#include "data/dataset/csv_reader.h"
#include "data/dataset/dataset_layout.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum VisaColumn { OBJECT, SPLIT, LABEL, IMAGE, MASK, COLUMNS } VisaColumn;

typedef struct Split {
    EadCsvReader csv;
    const EadDatasetSpec *spec;
    int columns[COLUMNS]; /* where each is */
    EadStringList named;  /* images and masks of all rows */
    EadStringList roots;  /* the topmost folders that hold those of the category */
    EadStringList others; /* categories of rows passed over, for the error when none was the one wanted */
    EadStringList wrong;  /* what is wrong with rows */
} Split;

static const char *const names[COLUMNS] = {"object", "split", "label", "image", "mask"};

/* The field of the present row; "" where the row ends before it. */
static const char *field(const Split *split, VisaColumn column) {
    int index = split->columns[column];
    return index < split->csv.count ? split->csv.fields[index] : "";
}

static EadStatus bad_field(const Split *split, VisaColumn column, const char *hint) {
    return ead_fail(EAD_BAD_FILE, "line %d: %s is \"%.80s\", %s", split->csv.line, names[column],
                    field(split, column), hint);
}

/* The path that a field names. It must lie below the data set's folder. */
static EadStatus find_path(const Split *split, VisaColumn column, EadPath path) {
    const char *name = field(split, column);
    if (!*name || *name == '/' || strstr(name, ".."))
        return bad_field(split, column, "not a path below the data set's folder");
    return ead_path_in(path, split->spec->path, name);
}

/* The same for a file that must be there. */
static EadStatus find_file(const Split *split, VisaColumn column, EadPath path) {
    struct stat info;
    EAD_TRY(find_path(split, column, path));
    if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "line %d: no file %s", split->csv.line, path);
}

static EadStatus add_row(const Split *split, EadDataset *out) {
    EadPath image, mask;
    bool train = strcmp(field(split, SPLIT), "train") == 0,
         anomalous = strcmp(field(split, LABEL), "anomaly") == 0;
    if (!train && strcmp(field(split, SPLIT), "test") != 0)
        return bad_field(split, SPLIT, "not train or test");
    if (!anomalous && strcmp(field(split, LABEL), "normal") != 0)
        return bad_field(split, LABEL, "not normal or anomaly");
    if (train && anomalous) return bad_field(split, LABEL, "but an image to train on must be normal");
    if (train && split->spec->test_only) return EAD_OK;
    EAD_TRY(find_file(split, IMAGE, image));
    bool masked = anomalous && *field(split, MASK);
    if (masked) EAD_TRY(find_path(split, MASK, mask)); /* one that is not there is told when masks are read */
    if (train) return ead_strings_add(&out->train, image);
    return ead_dataset_add_sample(out, image, anomalous ? "anomaly" : "good", masked ? mask : NULL);
}

static EadStatus note_names(Split *split, bool wanted) {
    const char *root = split->spec->path;
    EadPath top;
    EAD_TRY(ead_dataset_add_named(&split->named, root, field(split, MASK)));
    EAD_TRY(ead_dataset_add_named(&split->named, root, field(split, IMAGE)));
    if (!wanted) return EAD_OK;
    EAD_TRY(ead_path_in(top, "", split->named.items[split->named.count - 1]));
    char *slash = strchr(top + ead_path_prefix(root), '/');
    top[slash ? (size_t)(slash - top) : strlen(root)] = '\0';
    return ead_strings_add_once(&split->roots, top);
}

static EadStatus read_rows(Split *split, EadDataset *out) {
    const char *category = split->spec->category ? split->spec->category : "";
    bool any = false, found;
    EAD_TRY(ead_csv_next(&split->csv, &found));
    for (int c = 0; c < COLUMNS; c++) {
        split->columns[c] = found ? ead_csv_find(&split->csv, names[c]) : -1;
        if (split->columns[c] < 0)
            return ead_fail(EAD_BAD_FILE, "%s:1: no column \"%s\" in the first line", split->csv.label,
                            names[c]);
    }
    for (;;) {
        EAD_TRY(ead_csv_next(&split->csv, &found));
        if (!found) break;
        bool wanted = strcmp(field(split, OBJECT), category) == 0;
        EadStatus status =
            wanted ? add_row(split, out) : ead_strings_add_once(&split->others, field(split, OBJECT));
        if (status == EAD_BAD_FILE) status = ead_strings_add(&split->wrong, ead_error_message());
        EAD_TRY(status);
        EAD_TRY(note_names(split, wanted));
        any = any || wanted;
    }
    if (!any) return ead_dataset_unknown_category(split->spec, split->csv.label, &split->others);
    EAD_TRY(ead_dataset_refuse_rows(split->csv.label, &split->wrong));
    if ((out->train.count > 0 || split->spec->test_only) && out->test_count > 0) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s: no %s images of category \"%s\"", split->csv.label,
                    out->test_count ? "train" : "test", category);
}

EadStatus ead_dataset_open_visa(const EadDatasetSpec *spec, const EadLayout *layout, EadDataset *out) {
    Split split = {.spec = spec};
    EadPath path;
    EAD_TRY(ead_path_in(path, spec->path, "split_csv/1cls.csv"));
    if (access(path, F_OK) != 0) return ead_dataset_open_tree(spec, layout, out);
    EadStatus status = ead_csv_open(path, &split.csv);
    if (status == EAD_OK) status = read_rows(&split, out);
    if (status == EAD_OK) ead_dataset_sort_test(out, 0);
    for (int i = 0; i < split.roots.count && status == EAD_OK; i++)
        status = ead_dataset_doubt_unused(out, split.roots.items[i], &split.named);
    ead_csv_close(&split.csv);
    ead_strings_free(&split.named);
    ead_strings_free(&split.roots);
    ead_strings_free(&split.others);
    ead_strings_free(&split.wrong);
    return status;
}
