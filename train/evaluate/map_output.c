/* Names, folders and colour range of the map files. */
#include "train/evaluate/map_output.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/file/output_check.h"
#include "data/codec/codec.h"
#include "train/report/overlay.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- names: a hash table from names to the images that own them; open addressing, at most half full ---- */

typedef struct NameEntry {
    char *name, *path; /* owned; NULL in an empty slot */
} NameEntry;

struct EadOutputNames {
    NameEntry *slots; /* [size], a power of two */
    size_t size, count;
};

enum { FIRST_SIZE = 64 };

static const char *const names_text = "the names of the files to write";

EadStatus ead_output_names_new(EadOutputNames **names) {
    EadOutputNames *made = *names = ead_new(1, sizeof *made, names_text);
    if (made) made->slots = ead_new(FIRST_SIZE, sizeof *made->slots, names_text);
    if (!made || !made->slots) return EAD_NO_MEMORY;
    made->size = FIRST_SIZE;
    return EAD_OK;
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

EadStatus ead_output_names_take(EadOutputNames *names, const char *folder, const char *path,
                                const char **name) {
    const char *base = ead_path_base(path);
    const char *dot = ead_image_has_known_extension(base) ? strrchr(base, '.') : NULL;
    size_t size = strlen(folder) + strlen(path) + 16;
    if (2 * names->count >= names->size) { /* twice as many slots */
        NameEntry *grown = ead_new(2 * (int64_t)names->size, sizeof *grown, names_text);
        if (!grown) return EAD_NO_MEMORY;
        for (size_t i = 0; i < names->size; i++)
            if (names->slots[i].name)
                *find_slot(grown, 2 * names->size, names->slots[i].name) = names->slots[i];
        free(names->slots);
        names->slots = grown;
        names->size *= 2;
    }
    char *candidate = ead_new((int64_t)size, 1, names_text), *owner = ead_strdup(path);
    NameEntry *slot = NULL;
    for (int attempt = 0; candidate && owner; attempt++) {
        /* Without extension, with it, with it and a number. */
        int length = attempt == 0 && dot && dot > base ? (int)(dot - base) : (int)strlen(base);
        int used = snprintf(candidate, size, "%s%s%.*s", folder, *folder ? "/" : "", length, base);
        if (attempt > 1) snprintf(candidate + used, size - (size_t)used, "~%d", attempt);
        slot = find_slot(names->slots, names->size, candidate);
        if (!slot->name || strcmp(slot->path, path) == 0) break;
    }
    if (slot && !slot->name) {
        *slot = (NameEntry){candidate, owner};
        names->count++;
    } else {
        free(candidate);
        free(owner);
    }
    if (slot) *name = slot->name;
    return slot ? EAD_OK : EAD_NO_MEMORY;
}

/* ---- files ---- */

EadStatus ead_map_output_start(EadMapOutput *output, float color_high, double threshold, const char *maps,
                               const char *overlays) {
    *output =
        (EadMapOutput){.maps = maps, .overlays = overlays, .color_high = color_high, .threshold = threshold};
    return maps || overlays ? ead_output_names_new(&output->names) : EAD_OK;
}

void ead_map_files_free(EadMapFiles *files) {
    free(files->map_path);
    free(files->overlay_path);
    *files = (EadMapFiles){0};
}

void ead_map_output_free(EadMapOutput *output) {
    ead_output_names_free(output->names);
    output->names = NULL;
}

/* What is written about an image. */
typedef struct Output {
    const char *what, *extension;
    bool (*is_one)(const char *path); /* whether this program wrote a file as such */
} Output;

static const Output overlay_output = {"overlay", ".png", ead_overlay_is_one},
                    map_output = {"map", ".tiff", ead_tiff_is_map};

/* Whether a file can be written there, as far as its names tell. below: the part of path below the folder of all. */
static EadStatus check_place(const char *path, const char *below, long longest) {
    struct stat info;
    for (size_t length; *below; below += length + (below[length] == '/')) {
        length = strcspn(below, "/");
        if (length > (size_t)longest)
            return ead_fail(EAD_IO, "%s: cannot write: a name of %zu bytes; there are at most %ld", path,
                            length, longest);
    }
    bool there = stat(path, &info) == 0;
    if (there && S_ISDIR(info.st_mode)) return ead_fail(EAD_IO, "%s: cannot write: it is a folder", path);
    return there || errno == ENOENT ? EAD_OK
                                    : ead_fail(EAD_IO, "%s: cannot write: %s", path, strerror(errno));
}

bool ead_map_output_is_one(const char *path) {
    static const Output *const outputs[] = {&overlay_output, &map_output};
    for (int i = 0; i < 2; i++)
        if (ead_path_has_extension(path, outputs[i]->extension) && outputs[i]->is_one(path)) return true;
    return false;
}

/* What stands at path may be replaced only if it is such a file of an earlier run, not a picture or model that
 * the path may lead to, either. */
static EadStatus check_replaced(const Output *output, const char *path) {
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return EAD_OK;
    if (output->is_one(path)) return EAD_OK;
    return ead_fail(
        EAD_BAD_ARGUMENT,
        "%s: is in the way, and is no %s that this program wrote (or one from before 2026-11-28, without a "
        "mark; then delete it); move it away, or write %ss into another folder",
        path, output->what, output->what);
}

/* The path of what is written about an image. Beside its image it would replace it or another one, or be taken for
 * an image the next time. */
static EadStatus make_path(const Output *output, const char *folder, const char *name, const char *image,
                           char **path) {
    EadPath file, target, source;
    if (snprintf(file, sizeof file, "%s%s", name, output->extension) >= (int)sizeof file)
        return ead_fail(EAD_BAD_ARGUMENT, "%s/%.80s...: the path is too long", folder, name);
    *path = ead_path_join(folder, file);
    if (!*path) return EAD_NO_MEMORY;
    EAD_TRY(ead_path_folder(target, *path));
    EAD_TRY(ead_path_folder(source, image));
    EAD_TRY(ead_make_directories(target));
    if (!ead_path_same(target, source) && !ead_path_same(*path, image)) return check_replaced(output, *path);
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: its %s would lie among the images, in %s; write %ss into a folder of their own",
                    image, output->what, *target ? target : ".", output->what);
}

/* Whether it stands there from an earlier run. */
static bool replaces_file(const EadMapFiles *files, const char *path) {
    return !files->again && access(path, F_OK) == 0;
}

static EadStatus write_map(const EadMapOutput *output, EadMapFiles *files, const char *path,
                           const EadImage *rgb, const float *map) {
    EAD_TRY(make_path(&map_output, output->maps, files->name, path, &files->map_path));
    bool replaces = replaces_file(files, files->map_path);
    EAD_TRY(ead_tiff_write_map(files->map_path, map, rgb->width, rgb->height));
    files->replaced += replaces;
    return EAD_OK;
}

static EadStatus write_overlay(const EadMapOutput *output, EadMapFiles *files, const char *path,
                               const EadImage *rgb, const float *map, float score, const EadImage *mask) {
    bool scaled = !isnan(output->color_high);
    float high = scaled ? output->color_high : score;
    if (scaled && output->threshold > 0) high = (float)(2 * output->threshold);
    if (!(high > 0 && isfinite(high))) high = 1;
    EAD_TRY(make_path(&overlay_output, output->overlays, files->name, path, &files->overlay_path));
    bool replaces = replaces_file(files, files->overlay_path);
    EAD_TRY(ead_overlay_write_png(files->overlay_path, rgb, map, 0, high, mask));
    files->replaced += replaces;
    return EAD_OK;
}

/* Forgets the path of what was not written. */
static EadStatus settle(EadStatus status, char **path) {
    if (status == EAD_OK) return EAD_OK;
    free(*path);
    *path = NULL;
    return status;
}

static EadStatus try_file(const Output *output, const char *folder, const char *name, const char *image,
                          long longest) {
    EadPath file, target, beside, source;
    if (snprintf(file, sizeof file, "%s%s", name, output->extension) >= (int)sizeof file ||
        ead_path_in(target, folder, file) != EAD_OK)
        return ead_fail(EAD_IO, "%s/%.80s...: cannot write: the path is too long", folder, name);
    EAD_TRY(ead_path_folder(beside, target));
    EAD_TRY(ead_path_folder(source, image));
    if (ead_path_same(beside, source)) return EAD_OK; /* the image itself is told so */
    EAD_TRY(check_replaced(output, target));
    return check_place(target, file, longest);
}

static void count(EadMapFaults *faults, EadStatus status) {
    if (status != EAD_OK && faults->images++ == 0) ead_problems_add(&faults->first, status);
}

EadStatus ead_map_trial_start(EadMapTrial *trial, const char *maps, const char *overlays) {
    *trial = (EadMapTrial){
        .longest = {maps ? ead_longest_name(maps) : 0, overlays ? ead_longest_name(overlays) : 0}};
    return ead_map_output_start(&trial->output, NAN, NAN, maps, overlays);
}

void ead_map_trial_free(EadMapTrial *trial) {
    ead_map_output_free(&trial->output);
    ead_problems_free(&trial->in_the_way.first);
    ead_problems_free(&trial->unwritable.first);
}

EadStatus ead_map_trial_add(EadMapTrial *trial, const char *folder, const char *path) {
    const EadMapOutput *output = &trial->output;
    const char *name;
    EadStatus overlay = EAD_OK, map = EAD_OK;
    if (!output->names) return EAD_OK;
    EAD_TRY(ead_output_names_take(output->names, folder, path, &name));
    if (output->overlays) {
        overlay = try_file(&overlay_output, output->overlays, name, path, trial->longest[1]);
        count(overlay == EAD_IO ? &trial->unwritable : &trial->in_the_way, overlay);
    }
    if (!output->maps) return EAD_OK;
    map = try_file(&map_output, output->maps, name, path, trial->longest[0]);
    if (map != overlay) count(map == EAD_IO ? &trial->unwritable : &trial->in_the_way, map);
    return EAD_OK;
}

void ead_map_trial_refuse(const EadMapTrial *trial, EadProblems *problems) {
    const EadMapFaults *faults = &trial->in_the_way;
    ead_problems_add_all(problems, &faults->first);
    if (faults->images > 1)
        ead_problems_add(problems,
                         ead_fail(EAD_BAD_ARGUMENT, "files are in the way of %lld inputs, this the first",
                                  (long long)faults->images));
}

void ead_map_trial_tell(const EadMapTrial *trial, FILE *stream) {
    const EadMapFaults *faults = &trial->unwritable;
    if (faults->images > 0)
        ead_print(stream, "maps or overlays of %lld %s will not be written: %s%s\n",
                  (long long)faults->images, faults->images == 1 ? "image" : "images",
                  faults->first.lines.items[0], faults->images > 1 ? ", ..." : "");
}

EadStatus ead_map_files_name(EadMapOutput *output, const char *folder, const char *path, EadMapFiles *out) {
    *out = (EadMapFiles){0};
    if (!output->names) return EAD_OK;
    size_t known = output->names->count;
    EAD_TRY(ead_output_names_take(output->names, folder, path, &out->name));
    out->again = output->names->count == known;
    return EAD_OK;
}

EadStatus ead_map_files_write(const EadMapOutput *output, EadMapFiles *files, const char *path,
                              const EadImage *rgb, const float *map, float score, const EadImage *mask) {
    EadStatus first = EAD_OK, second = EAD_OK;
    if (!files->name) return EAD_OK;
    if (output->overlays)
        first = settle(write_overlay(output, files, path, rgb, map, score, mask), &files->overlay_path);
    if (output->maps) second = settle(write_map(output, files, path, rgb, map), &files->map_path);
    return first != EAD_OK ? first : second;
}
