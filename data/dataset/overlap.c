/* A table of files by device, number, size and time: on file systems without numbers of their own, the number
 * alone would find what is not there. */
#include "data/dataset/overlap.h"

#include "core/base/memory.h"
#include "core/base/paths.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Member {
    struct stat info;
    const char *path, *set; /* "an image to train on" */
    int index;              /* in its set */
} Member;

typedef struct Table {
    Member *items; /* sorted */
    int count;
} Table;

static const char train_set[] = "an image to train on";

/* By file alone. */
static int compare_files(const Member *a, const Member *b) {
    const struct stat *x = &a->info, *y = &b->info;
    if (x->st_dev != y->st_dev) return x->st_dev < y->st_dev ? -1 : 1;
    if (x->st_ino != y->st_ino) return x->st_ino < y->st_ino ? -1 : 1;
    if (x->st_size != y->st_size) return x->st_size < y->st_size ? -1 : 1;
    if (x->st_mtim.tv_sec != y->st_mtim.tv_sec) return x->st_mtim.tv_sec < y->st_mtim.tv_sec ? -1 : 1;
    return (x->st_mtim.tv_nsec > y->st_mtim.tv_nsec) - (x->st_mtim.tv_nsec < y->st_mtim.tv_nsec);
}

static int compare(const void *left, const void *right) {
    const Member *a = left, *b = right;
    int files = compare_files(a, b), sets = strcmp(a->set, b->set);
    return files ? files : sets ? sets : a->index - b->index;
}

/* What cannot be found is left to whoever reads it. */
static void add(Table *table, const char *path, const char *set, int index) {
    Member *member = &table->items[table->count];
    *member = (Member){.path = path, .set = set, .index = index};
    if (stat(path, &member->info) == 0) table->count++;
}

static EadStatus make_table(const EadDataset *dataset, int others, Table *table) {
    *table = (Table){
        ead_new((int64_t)dataset->train.count + dataset->validation.count + dataset->test_count + others,
                sizeof *table->items, "a list of images"),
        0};
    if (!table->items) return EAD_NO_MEMORY;
    for (int i = 0; i < dataset->train.count; i++) add(table, dataset->train.items[i], train_set, i);
    for (int i = 0; i < dataset->validation.count; i++)
        add(table, dataset->validation.items[i], "an image for validation", i);
    for (int i = 0; i < dataset->test_count; i++) add(table, dataset->test[i].path, "a test image", i);
    return EAD_OK;
}

static void sort(Table *table) {
    qsort(table->items, (size_t)table->count, sizeof *table->items, compare);
}

static EadStatus fail_two_sets(const Member *a, const Member *b, const char *cure) {
    bool named = strcmp(a->path, b->path) == 0;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: is both %s and %s%s%s%s; %s", b->path, a->set, b->set,
                    named ? "" : " (", named ? "" : a->path, named ? "" : ")", cure);
}

/* Takes the marked images out. */
static EadStatus take_out(EadDataset *dataset, const bool *again) {
    EadStringList all = dataset->train, kept = {0};
    EadStatus status = EAD_OK;
    for (int i = 0; i < all.count && status == EAD_OK; i++)
        status = again[i] ? ead_left_out_add(&dataset->left_out, EAD_LEFT_OUT_REPEATED, all.items[i])
                          : ead_strings_add(&kept, all.items[i]);
    ead_strings_free(&all);
    dataset->train = kept;
    return status;
}

EadStatus ead_dataset_check_apart(EadDataset *dataset) {
    Table table;
    bool *again = ead_new(dataset->train.count, sizeof *again, "a list of images");
    EadStatus status = again ? make_table(dataset, 0, &table) : EAD_NO_MEMORY;
    if (status != EAD_OK) {
        free(again);
        return status;
    }
    sort(&table);
    for (int i = 1; i < table.count && status == EAD_OK; i++) {
        const Member *a = &table.items[i - 1], *b = &table.items[i];
        if (compare_files(a, b) != 0) continue;
        if (strcmp(a->set, b->set) != 0)
            status = fail_two_sets(b, a, "keep their folders apart");
        else if (b->set == train_set)
            again[b->index] = true;
    }
    if (status == EAD_OK) status = take_out(dataset, again);
    free(table.items);
    free(again);
    return status;
}

EadStatus ead_dataset_check_others(const EadDataset *dataset, const EadImageList *others, const char *key) {
    static const char set[] = "of "; /* before the names of the other sets */
    Table table;
    EAD_TRY(make_table(dataset, others->count, &table));
    for (int i = 0; i < others->count; i++)
        if (others->items[i].archive < 0) add(&table, others->items[i].name, set, i);
    sort(&table);
    EadStatus status = EAD_OK;
    for (int i = 1; i < table.count && status == EAD_OK; i++) {
        const Member *a = &table.items[i - 1], *b = &table.items[i];
        if (compare_files(a, b) == 0 && (a->set == set) != (b->set == set)) {
            Member other = a->set == set ? *a : *b;
            other.set = key;
            status = fail_two_sets(&other, a->set == set ? b : a, "it takes images of other things");
        }
    }
    free(table.items);
    return status;
}

EadStatus ead_check_output_apart(const EadLeftOut *searched, const char *output) {
    for (int i = 0; i < searched->folders.count; i++)
        if (ead_path_lies_within(output, searched->folders.items[i]))
            return ead_fail(EAD_BAD_ARGUMENT,
                            "%s: this output lies in %s, which is searched for images; name another --output",
                            output, searched->folders.items[i]);
    return EAD_OK;
}
