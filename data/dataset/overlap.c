/* A table of files by device, number, size and time: on file systems without numbers of their own, the number
 * alone would find what is not there. */
#include "data/dataset/overlap.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/base/paths.h"
#include "data/dataset/dataset_layout.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Member {
    struct stat info;
    const char *path, *set; /* "an image to train on" */
    int index;              /* in its set */
} Member;

typedef struct Table {
    Member *items; /* sorted */
    int count;
} Table;

/* By pointer; in this order by name, too. */
static const char test_set[] = "a test image", validation_set[] = "an image for validation",
                  train_set[] = "an image to train on";

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
        add(table, dataset->validation.items[i], validation_set, i);
    for (int i = 0; i < dataset->test_count; i++) add(table, dataset->test[i].path, test_set, i);
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

/* ---- the same bytes under another name ---- */

/* A file of which as much is read as it takes to tell it from all of other sets: first nothing but its size,
 * then a block, then all of it. */
typedef struct Content {
    const Member *member;
    uint64_t hash; /* of what has been read */
} Content;

static int compare_contents(const void *left, const void *right) {
    const Content *a = left, *b = right;
    off_t x = a->member->info.st_size, y = b->member->info.st_size;
    if (x != y) return x < y ? -1 : 1;
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    int sets = strcmp(a->member->set, b->member->set);
    return sets ? sets : a->member->index - b->member->index;
}

/* How many contents [count], sorted, begin like the first one does. */
static int alike(const Content *contents, int count) {
    int i = 1;
    while (i < count && contents[i].hash == contents[0].hash &&
           contents[i].member->info.st_size == contents[0].member->info.st_size)
        i++;
    return i;
}

/* Keeps those of which there are alike ones in several sets. Returns their number. */
static int narrow(Content *contents, int count) {
    int kept = 0;
    qsort(contents, (size_t)count, sizeof *contents, compare_contents);
    for (int i = 0, group; i < count; i += group) {
        group = alike(contents + i, count - i);
        if (contents[i].member->set == contents[i + group - 1].member->set) continue;
        memmove(contents + kept, contents + i, (size_t)group * sizeof *contents);
        kept += group;
    }
    return kept;
}

static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, bytes + i, size - i < sizeof word ? size - i : sizeof word);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 32;
    }
    return hash;
}

/* Reads the block in the middle of a file (images of one camera begin and end alike), or all of it. Returns
 * how many are left: what cannot be read is left to whoever reads it. */
static int read_contents(Content *contents, int count, bool all) {
    enum { BLOCK = 1 << 16, PEEK = 1 << 12 };
    uint8_t bytes[BLOCK];
    int kept = 0;
    for (int i = 0; i < count; i++) {
        Content content = contents[i];
        off_t end = content.member->info.st_size, at = 0;
        if (!all && end > PEEK) at = end / 2 - PEEK / 2, end = at + PEEK;
        int descriptor = open(content.member->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        bool read = descriptor >= 0;
        for (size_t size; read && at < end; at += (off_t)size) {
            size = end - at < BLOCK ? (size_t)(end - at) : BLOCK;
            read = ead_read_at(descriptor, bytes, size, at);
            content.hash = hash_bytes(content.hash, bytes, size);
        }
        if (descriptor >= 0) close(descriptor);
        if (read) contents[kept++] = content;
    }
    return kept;
}

/* Tells which images of one set are in another one as well. */
static EadStatus tell_same_bytes(const Table *table, EadDataset *dataset) {
    Content *contents = ead_new(table->count, sizeof *contents, "a list of images");
    EadStringList same = {0};
    EadStatus status = contents ? EAD_OK : EAD_NO_MEMORY;
    int count = 0;
    for (int i = 0; i < table->count && contents; i++)
        if (table->items[i].info.st_size > 0) contents[count++].member = &table->items[i];
    if (contents) count = narrow(contents, count);
    if (contents) count = narrow(contents, read_contents(contents, count, false));
    if (contents) count = narrow(contents, read_contents(contents, count, true));
    for (int i = 0, group; i < count && status == EAD_OK; i += group) {
        group = alike(contents + i, count - i);
        const Member *last = contents[i + group - 1].member; /* to train on, if any is */
        for (int j = i; contents[j].member->set != last->set && status == EAD_OK; j++) {
            char text[2 * EAD_PATH_SIZE + 8];
            snprintf(text, sizeof text, "%s (%s)", contents[j].member->path, last->path);
            status = ead_strings_add(&same, text);
        }
    }
    ead_strings_sort(&same);
    if (status == EAD_OK)
        status = ead_dataset_doubt(&same, table->count,
                                   "images have the same bytes as one of another set (to train on, for "
                                   "validation, test)",
                                   dataset);
    ead_strings_free(&same);
    free(contents);
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
    if (status == EAD_OK) status = tell_same_bytes(&table, dataset); /* it holds paths of the lists */
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
