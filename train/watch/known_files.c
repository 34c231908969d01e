/* A hash table with linear probing. */
#include "train/watch/known_files.h"

#include "core/base/memory.h"
#include "core/base/philox.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

/* Times that do not fit, from the year 2262 on, are the last that does. */
int64_t ead_nanoseconds(struct timespec time) {
    const int64_t second = 1000000000, most = INT64_MAX / second;
    if (time.tv_sec >= most) return INT64_MAX;
    return time.tv_sec <= -most ? -most * second : (int64_t)time.tv_sec * second + time.tv_nsec;
}

int64_t ead_modified(const struct stat *info) {
    return ead_nanoseconds(info->st_mtim);
}

/* Where a path is, or would be; the table has a free place. */
static int find_slot(const EadKnownFiles *files, const char *path) {
    int mask = files->capacity - 1, slot = (int)(ead_hash_name(path) & (uint32_t)mask);
    while (files->slots[slot] && strcmp(files->slots[slot]->path, path) != 0) slot = (slot + 1) & mask;
    return slot;
}

EadKnownFile *ead_known_files_find(const EadKnownFiles *files, const char *path) {
    return files->capacity > 0 ? files->slots[find_slot(files, path)] : NULL;
}

static EadStatus enlarge(EadKnownFiles *files) {
    EadKnownFiles larger = {.capacity = files->capacity ? 2 * files->capacity : FIRST_CAPACITY,
                            .count = files->count};
    larger.slots = ead_new(larger.capacity, sizeof(EadKnownFile *), "the files of a folder");
    if (!larger.slots) return EAD_NO_MEMORY;
    for (int i = 0; i < files->capacity; i++)
        if (files->slots[i]) larger.slots[find_slot(&larger, files->slots[i]->path)] = files->slots[i];
    free(files->slots);
    *files = larger;
    return EAD_OK;
}

EadStatus ead_known_files_take(EadKnownFiles *files, const char *path, EadKnownFile **out) {
    *out = ead_known_files_find(files, path);
    if (*out) return EAD_OK;
    if (2 * (files->count + 1) > files->capacity) EAD_TRY(enlarge(files));
    EadKnownFile *file = ead_new(1, sizeof *file, "a file of a folder");
    if (file) file->path = ead_strdup(path);
    if (!file || !file->path) {
        free(file);
        return EAD_NO_MEMORY;
    }
    files->slots[find_slot(files, path)] = *out = file;
    files->count++;
    return EAD_OK;
}

void ead_known_files_forget(EadKnownFiles *files, const char *path) {
    if (!ead_known_files_find(files, path)) return;
    int mask = files->capacity - 1, slot = find_slot(files, path);
    free(files->slots[slot]->path);
    free(files->slots[slot]);
    files->slots[slot] = NULL;
    files->count--;
    /* What was put behind it because its place was taken must be found from there on. */
    for (int next = (slot + 1) & mask; files->slots[next]; next = (next + 1) & mask) {
        EadKnownFile *moved = files->slots[next];
        files->slots[next] = NULL;
        files->slots[find_slot(files, moved->path)] = moved;
    }
}

void ead_known_files_free(EadKnownFiles *files) {
    for (int i = 0; i < files->capacity; i++) {
        if (!files->slots[i]) continue;
        free(files->slots[i]->path);
        free(files->slots[i]);
    }
    free(files->slots);
    *files = (EadKnownFiles){0};
}
