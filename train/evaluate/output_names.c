/* A hash table from names to the images that own them; open addressing, at most half full. */
#include "train/evaluate/output_names.h"

#include "data/codec/codec.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct NameEntry {
    char *name, *path; /* owned; NULL in an empty slot */
} NameEntry;

struct EadOutputNames {
    NameEntry *slots; /* [size], a power of two */
    size_t size, count;
};

enum { FIRST_SIZE = 64 };

static EadStatus no_memory(void) {
    return ead_fail(EAD_NO_MEMORY, "no memory for the names of the files to write");
}

EadStatus ead_output_names_new(EadOutputNames **names) {
    EadOutputNames *made = calloc(1, sizeof *made);
    *names = made;
    if (made) made->slots = calloc(FIRST_SIZE, sizeof *made->slots);
    if (made && made->slots) {
        made->size = FIRST_SIZE;
        return EAD_OK;
    }
    free(made);
    *names = NULL;
    return no_memory();
}

void ead_output_names_free(EadOutputNames *names) {
    if (!names) return;
    for (size_t i = 0; i < names->size; i++) {
        free(names->slots[i].name);
        free(names->slots[i].path);
    }
    free(names->slots);
    free(names);
}

/* The slot that holds name, or the empty one where it belongs. */
static NameEntry *find_slot(NameEntry *slots, size_t size, const char *name) {
    uint64_t hash = 14695981039346656037u;
    for (const char *c = name; *c; c++) hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    size_t i = (size_t)hash & (size - 1);
    while (slots[i].name && strcmp(slots[i].name, name) != 0) i = (i + 1) & (size - 1);
    return &slots[i];
}

static EadStatus grow(EadOutputNames *names) {
    size_t size = 2 * names->size;
    NameEntry *slots = calloc(size, sizeof *slots);
    if (!slots) return no_memory();
    for (size_t i = 0; i < names->size; i++)
        if (names->slots[i].name) *find_slot(slots, size, names->slots[i].name) = names->slots[i];
    free(names->slots);
    names->slots = slots;
    names->size = size;
    return EAD_OK;
}

/* Choice number `attempt` for the image: without extension, with it, with it and a number. */
static void write_candidate(char *out, size_t size, const char *folder, const char *path, int attempt) {
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    const char *dot = ead_image_has_known_extension(base) ? strrchr(base, '.') : NULL;
    int length = attempt == 0 && dot && dot > base ? (int)(dot - base) : (int)strlen(base);
    int used = snprintf(out, size, "%s%s%.*s", folder, *folder ? "/" : "", length, base);
    if (attempt > 1) snprintf(out + used, size - (size_t)used, "~%d", attempt);
}

EadStatus ead_output_names_take(EadOutputNames *names, const char *folder, const char *path,
                                const char **name) {
    size_t size = strlen(folder) + strlen(path) + 16;
    char *candidate = malloc(size);
    NameEntry *slot = NULL;
    if (!candidate || (2 * names->count >= names->size && grow(names) != EAD_OK)) {
        free(candidate);
        return no_memory();
    }
    for (int attempt = 0;; attempt++) {
        write_candidate(candidate, size, folder, path, attempt);
        slot = find_slot(names->slots, names->size, candidate);
        if (!slot->name || strcmp(slot->path, path) == 0) break;
    }
    if (slot->name) {
        free(candidate);
    } else {
        char *owner = strdup(path);
        if (!owner) {
            free(candidate);
            return no_memory();
        }
        *slot = (NameEntry){candidate, owner};
        names->count++;
    }
    *name = slot->name;
    return EAD_OK;
}
