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

/* In the order in which members of several sets are named: the last one in brackets. */
typedef enum Set { OTHER, DEFECTIVE, GOOD, VALIDATION, TRAIN } Set;

static const char *const set_names[] = {[DEFECTIVE] = "a test image",
                                        [GOOD] = "a test image",
                                        [VALIDATION] = "an image for validation",
                                        [TRAIN] = "an image to train on"};

typedef struct Member {
    dev_t device;
    ino_t number; /* 0: a part of an archive, which is no file */
    struct timespec time;
    off_t size, offset;
    const char *path, *file; /* how it is called, and what to open */
    Set set;
    int side;      /* what is alike on one side is not told */
    int index;     /* in its set */
    uint64_t hash; /* of what has been read of it */
} Member;

typedef struct Table {
    Member *items; /* sorted */
    int count;
} Table;

/* By file alone. */
static int compare_files(const Member *a, const Member *b) {
    if (a->device != b->device) return a->device < b->device ? -1 : 1;
    if (a->number != b->number) return a->number < b->number ? -1 : 1;
    if (a->size != b->size) return a->size < b->size ? -1 : 1;
    if (a->time.tv_sec != b->time.tv_sec) return a->time.tv_sec < b->time.tv_sec ? -1 : 1;
    return (a->time.tv_nsec > b->time.tv_nsec) - (a->time.tv_nsec < b->time.tv_nsec);
}

static int compare(const void *left, const void *right) {
    const Member *a = left, *b = right;
    int files = compare_files(a, b), sets = (int)a->set - (int)b->set;
    return files ? files : sets ? sets : a->index - b->index;
}

/* What cannot be found is left to whoever reads it. */
static void add(Table *table, const char *path, Set set, int index) {
    struct stat info;
    if (stat(path, &info) != 0) return;
    table->items[table->count++] = (Member){.device = info.st_dev,
                                            .number = info.st_ino,
                                            .time = info.st_mtim,
                                            .size = info.st_size,
                                            .path = path,
                                            .file = path,
                                            .set = set,
                                            .side = (int)set,
                                            .index = index};
}

/* With room for others. */
static EadStatus make_table(const EadDataset *dataset, int others, Table *table) {
    *table = (Table){
        ead_new((int64_t)dataset->train.count + dataset->validation.count + dataset->test_count + others,
                sizeof *table->items, "a list of images"),
        0};
    if (!table->items) return EAD_NO_MEMORY;
    for (int i = 0; i < dataset->train.count; i++) add(table, dataset->train.items[i], TRAIN, i);
    for (int i = 0; i < dataset->validation.count; i++)
        add(table, dataset->validation.items[i], VALIDATION, i);
    for (int i = 0; i < dataset->test_count; i++)
        add(table, dataset->test[i].path, dataset->test[i].anomalous ? DEFECTIVE : GOOD, i);
    return EAD_OK;
}

static void sort(Table *table) {
    qsort(table->items, (size_t)table->count, sizeof *table->items, compare);
}

static EadStatus fail_two_sets(const Member *a, const char *set, const Member *b, const char *cure) {
    bool named = strcmp(a->path, b->path) == 0;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: is both %s and %s%s%s%s; %s", b->path, set, set_names[b->set],
                    named ? "" : " (", named ? "" : a->path, named ? "" : ")", cure);
}

/* Takes the marked images out of a list. */
static EadStatus take_out(EadStringList *list, const bool *again, EadLeftOut *left_out) {
    int kept = 0, count = list->count;
    EadStatus status = EAD_OK;
    for (int i = 0; i < count; i++) {
        if (again[i] && status == EAD_OK)
            status = ead_left_out_add(left_out, EAD_LEFT_OUT_REPEATED, list->items[i]);
        if (again[i])
            free(list->items[i]);
        else
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
    return status;
}

static EadStatus take_out_tests(EadDataset *dataset, const bool *again) {
    int kept = 0, count = dataset->test_count;
    EadStatus status = EAD_OK;
    for (int i = 0; i < count; i++) {
        EadTestSample *sample = &dataset->test[i];
        if (again[i] && status == EAD_OK)
            status = ead_left_out_add(&dataset->left_out, EAD_LEFT_OUT_REPEATED, sample->path);
        if (again[i])
            ead_test_sample_free(sample);
        else
            dataset->test[kept++] = *sample;
    }
    dataset->test_count = kept;
    return status;
}

/* A test image that is there again may be the one whose mask is there. */
static void keep_mask(EadTestSample *kept, EadTestSample *again) {
    char *mask = kept->mask_path;
    if (!again->mask_path || access(again->mask_path, F_OK) != 0) return;
    if (mask && access(mask, F_OK) == 0) return;
    kept->mask_path = again->mask_path;
    again->mask_path = mask;
}

/* ---- the same bytes under another name ---- */

/* Of a file as much is read as it takes to tell it from all of other sides: first nothing but its size, then
 * a block, then all of it. */
static int compare_contents(const void *left, const void *right) {
    const Member *a = left, *b = right;
    if (a->size != b->size) return a->size < b->size ? -1 : 1;
    if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    if (a->side != b->side) return a->side - b->side;
    return a->set != b->set ? (int)a->set - (int)b->set : a->index - b->index;
}

/* How many members [count], sorted, are like the first one as far as they were read. */
static int alike(const Member *members, int count) {
    int i = 1;
    while (i < count && members[i].hash == members->hash && members[i].size == members->size) i++;
    return i;
}

/* Keeps those of which there are alike ones on several sides. */
static void narrow(Table *table) {
    Member *members = table->items;
    int count = table->count;
    table->count = 0;
    qsort(members, (size_t)count, sizeof *members, compare_contents);
    for (int i = 0, group; i < count; i += group) {
        group = alike(members + i, count - i);
        if (members[i].side == members[i + group - 1].side || members[i].size == 0) continue;
        memmove(members + table->count, members + i, (size_t)group * sizeof *members);
        table->count += group;
    }
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

/* Reads the block in the middle of each file (images of one camera begin and end alike), or all of it. What
 * cannot be read is left to whoever reads it. */
static void read_contents(Table *table, bool all) {
    enum { BLOCK = 1 << 14, PEEK = 1 << 12 };
    uint8_t bytes[BLOCK];
    int count = table->count;
    table->count = 0;
    for (int i = 0; i < count; i++) {
        Member member = table->items[i];
        off_t end = member.size, at = 0;
        if (!all && end > PEEK) at = end / 2 - PEEK / 2, end = at + PEEK;
        int descriptor = open(member.file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        bool read = descriptor >= 0;
        for (size_t size; read && at < end; at += (off_t)size) {
            size = end - at < BLOCK ? (size_t)(end - at) : BLOCK;
            read = ead_read_at(descriptor, bytes, size, member.offset + at);
            member.hash = hash_bytes(member.hash, bytes, size);
        }
        if (descriptor >= 0) close(descriptor);
        if (read) table->items[table->count++] = member;
    }
}

/* Keeps members that are on several sides with the same bytes. */
static void keep_same_bytes(Table *table) {
    narrow(table);
    read_contents(table, false);
    narrow(table);
    read_contents(table, true);
    narrow(table);
}

/* Names those that are on one side and with the same bytes on another one as well: "a.png (b.png)"; mixed:
 * those alone that are good and defective test images, with nothing else. The table keeps these alone. */
static EadStatus find_same_bytes(Table *table, EadStringList *names, EadStringList *mixed) {
    keep_same_bytes(table);
    for (int i = 0, group; i < table->count; i += group) {
        const Member *member = &table->items[i], *last = member + alike(member, table->count - i) - 1;
        for (group = (int)(last - member) + 1; member->side != last->side; member++)
            EAD_TRY(
                ead_strings_print(last->side == GOOD ? mixed : names, "%s (%s)", member->path, last->path));
    }
    ead_strings_sort(names);
    ead_strings_sort(mixed);
    return EAD_OK;
}

static EadStatus tell_same_bytes(Table *table, EadDataset *dataset) {
    EadStringList same = {0}, mixed = {0};
    int defective = 0, count = table->count;
    for (int i = 0; i < count; i++) defective += table->items[i].set == DEFECTIVE;
    EadStatus status = find_same_bytes(table, &same, &mixed);
    if (status == EAD_OK)
        status = ead_dataset_doubt(&same, count,
                                   "images have the same bytes as one of another set (to train on, for "
                                   "validation, test)",
                                   &dataset->doubts);
    if (status == EAD_OK)
        status = ead_dataset_doubt(
            &mixed, defective, "defective test images have the same bytes as a good one", &dataset->doubts);
    ead_strings_free(&same);
    ead_strings_free(&mixed);
    return status;
}

/* Of each image, whether it is in its set already. */
typedef struct Again {
    bool *train, *validation, *test;
} Again;

/* Marks these and takes them out of the table, which is sorted. */
static EadStatus find_again(Table *table, EadDataset *dataset, Again again) {
    int kept = table->count > 0;
    for (int i = 1; i < table->count; i++) {
        Member *a = &table->items[kept - 1], b = table->items[i];
        bool same = compare_files(a, &b) == 0;
        if (same && a->set != b.set && b.set != GOOD) /* a defective one beside it is told */
            return fail_two_sets(&b, set_names[b.set], a, "keep their folders apart");
        if (!same || a->set != b.set) {
            table->items[kept++] = b;
            continue;
        }
        if (b.set == TRAIN) again.train[b.index] = true;
        if (b.set == VALIDATION) again.validation[b.index] = true;
        if (b.set != DEFECTIVE && b.set != GOOD) continue;
        again.test[b.index] = true;
        keep_mask(&dataset->test[a->index], &dataset->test[b.index]);
    }
    table->count = kept;
    return EAD_OK;
}

EadStatus ead_dataset_check_apart(EadDataset *dataset) {
    Table table;
    int train = dataset->train.count, validation = dataset->validation.count;
    bool *marks =
        ead_new((int64_t)train + validation + dataset->test_count, sizeof *marks, "a list of images");
    EadStatus status = marks ? make_table(dataset, 0, &table) : EAD_NO_MEMORY;
    if (status != EAD_OK) {
        free(marks);
        return status;
    }
    Again again = {marks, marks + train, marks + train + validation};
    sort(&table);
    status = find_again(&table, dataset, again);
    if (status == EAD_OK) status = tell_same_bytes(&table, dataset); /* it holds paths of the lists */
    if (status == EAD_OK) status = take_out(&dataset->train, again.train, &dataset->left_out);
    if (status == EAD_OK) status = take_out(&dataset->validation, again.validation, &dataset->left_out);
    if (status == EAD_OK) status = take_out_tests(dataset, again.test);
    free(table.items);
    free(marks);
    return status;
}

/* Marks those of the OTHER side, of a table of images that are on both. */
static EadStatus mark_known(const Table *table, const char *key, bool *known) {
    char set[64];
    snprintf(set, sizeof set, "one of %s", key);
    for (int i = 0, group; i < table->count; i += group) {
        const Member *member = &table->items[i], *other = member;
        group = alike(member, table->count - i);
        while (other->set == OTHER) other++;
        if (other->set == GOOD || other->set == DEFECTIVE)
            return fail_two_sets(member, set, other, "it takes good images that are not tested");
        for (; member < other; member++) known[member->index] = true;
    }
    return EAD_OK;
}

EadStatus ead_dataset_leave_known(const EadDataset *dataset, EadStringList *images, const char *key) {
    Table table;
    int kept = 0, count = images->count;
    bool *known = ead_new(count, sizeof *known, "a list of images");
    EadStatus status = known ? make_table(dataset, count, &table) : EAD_NO_MEMORY;
    if (status != EAD_OK) {
        free(known);
        return status;
    }
    for (int i = 0; i < count; i++) add(&table, images->items[i], OTHER, i);
    for (int i = 0; i < table.count; i++) table.items[i].side = table.items[i].set == OTHER ? 0 : 1;
    keep_same_bytes(&table);
    status = mark_known(&table, key, known); /* it holds paths of the list */
    free(table.items);
    for (int i = 0; i < count && status == EAD_OK; i++) {
        if (known[i])
            free(images->items[i]);
        else
            images->items[kept++] = images->items[i];
    }
    if (status == EAD_OK) images->count = kept;
    free(known);
    return status;
}

/* An image of a file or an archive. */
static void add_place(Table *table, const EadImageList *list, int index, Set set) {
    const EadImagePlace *place = &list->items[index];
    if (place->archive < 0)
        add(table, place->name, set, index);
    else
        table->items[table->count++] = (Member){.size = place->size,
                                                .offset = place->offset,
                                                .path = place->name,
                                                .file = ead_image_list_file(list, index),
                                                .set = set,
                                                .index = index};
}

/* OTHER ones, `count` of the value of a key, against all in the table besides, which are of `whole`. */
static EadStatus check_others(Table *table, int count, const char *key, const char *whole, const char *cure,
                              EadStringList *doubts) {
    EadStringList same = {0}, none = {0};
    char set[64], what[128];
    snprintf(set, sizeof set, "one of %s", key);
    snprintf(what, sizeof what, "images of %s have the same bytes as one of %s", key, whole);
    for (int i = 0; i < table->count; i++) table->items[i].side = table->items[i].set == OTHER ? 0 : 1;
    sort(table);
    for (int i = 1; i < table->count; i++) {
        const Member *a = &table->items[i - 1], *b = &table->items[i];
        if (a->set == OTHER && b->set != OTHER && b->number != 0 && compare_files(a, b) == 0)
            return fail_two_sets(a, set, b, cure);
    }
    EadStatus status = find_same_bytes(table, &same, &none);
    if (status == EAD_OK) status = ead_dataset_doubt(&same, count, what, doubts);
    ead_strings_free(&same);
    return status;
}

EadStatus ead_dataset_check_others(const EadDataset *dataset, const EadImageList *others,
                                   const EadDrawOrder *order, const char *key, const char *takes,
                                   EadStringList *doubts) {
    enum { MOST_DRAWN = 100000 };
    Table table;
    char cure[128];
    uint32_t all = (uint32_t)others->count, count = order && all > MOST_DRAWN ? MOST_DRAWN : all;
    EAD_TRY(make_table(dataset, (int)count, &table));
    for (uint32_t i = 0; i < count; i++)
        add_place(&table, others, (int)(order ? ead_shuffled_index(order->seed, order->stream, i, all) : i),
                  OTHER);
    snprintf(cure, sizeof cure, "it takes %s", takes);
    EadStatus status = check_others(&table, (int)count, key, "the data set", cure, doubts);
    free(table.items);
    return status;
}

EadStatus ead_image_list_check_apart(const EadImageList *list, int held_out, const char *key,
                                     const char *held_out_key, EadStringList *doubts) {
    Table table = {ead_new(list->count, sizeof *table.items, "a list of images"), 0};
    if (!table.items) return EAD_NO_MEMORY;
    for (int i = 0; i < list->count; i++) add_place(&table, list, i, i < held_out ? VALIDATION : OTHER);
    EadStatus status =
        check_others(&table, list->count - held_out, key, held_out_key, "keep their folders apart", doubts);
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
