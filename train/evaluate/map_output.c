/* Names, folders and colour range of what is written about images. */
#include "train/evaluate/map_output.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "core/file/output_check.h"
#include "data/codec/codec.h"
#include "train/evaluate/image_copy.h"

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

/* What is written about an image. */
typedef struct Output {
    const char *what, *plural, *extension; /* NULL: the image's own */
    bool (*is_one)(const char *path);      /* whether this program wrote a file as such; NULL: a copy */
    EadStatus (*write)(const char *path, const EadMapOutput *output, const EadMapFacts *facts);
} Output;

static EadStatus write_overlay(const char *path, const EadMapOutput *output, const EadMapFacts *facts) {
    EadOverlay overlay = {.rgb = facts->rgb,
                          .map = facts->map,
                          .heat = ead_heat_of(output->model, facts->score),
                          .truth = facts->truth,
                          .regions = !isnan(output->model->pixel_threshold),
                          .legend = true,
                          .score = facts->score,
                          .threshold = (double)output->model->threshold};
    return ead_overlay_write_png(path, &overlay);
}

static EadStatus write_map(const char *path, const EadMapOutput *output, const EadMapFacts *facts) {
    (void)output;
    return ead_tiff_write_map(path, facts->map, facts->rgb->width, facts->rgb->height);
}

static const char mask_software[] = EAD_PNG_OF_OURS "mask";

static bool is_mask(const char *path) {
    return ead_png_is_by(path, mask_software);
}

static EadStatus write_mask(const char *path, const EadMapOutput *output, const EadMapFacts *facts) {
    EadImage mask;
    EAD_TRY(ead_image_alloc(&mask, facts->rgb->width, facts->rgb->height, 1));
    int64_t pixels = (int64_t)mask.width * mask.height;
    for (int64_t i = 0; i < pixels; i++)
        mask.pixels[i] = facts->map[i] >= output->model->pixel_threshold ? 255 : 0;
    EadStatus status = ead_png_write_by(path, &mask, mask_software);
    ead_image_free(&mask);
    return status;
}

static EadStatus write_copy(const char *path, const EadMapOutput *output, const EadMapFacts *facts) {
    (void)output;
    return ead_image_copy(facts->path, path);
}

static const Output outputs[EAD_OUTPUT_KINDS] = {
    [EAD_OUTPUT_OVERLAYS] = {"overlay", "overlays", ".png", ead_overlay_is_one, write_overlay},
    [EAD_OUTPUT_MAPS] = {"map", "maps", ".tiff", ead_tiff_is_map, write_map},
    [EAD_OUTPUT_MASKS] = {"mask", "masks", ".png", is_mask, write_mask},
    [EAD_OUTPUT_COPIES] = {"copy", "copies", NULL, NULL, write_copy},
};

const char *ead_output_kind_name(EadOutputKind kind) {
    return outputs[kind].plural;
}

void ead_map_output_name(const char *const folders[EAD_OUTPUT_KINDS], const char *joint,
                         char text[EAD_OUTPUT_NAMES]) {
    int left = 0;
    size_t used = 0;
    text[0] = '\0';
    for (int kind = 0; kind < EAD_OUTPUT_KINDS; kind++) left += folders[kind] != NULL;
    for (int kind = 0; kind < EAD_OUTPUT_KINDS; kind++) {
        if (!folders[kind]) continue;
        const char *before = used == 0 ? "" : left > 1 ? ", " : " ";
        used += (size_t)snprintf(text + used, EAD_OUTPUT_NAMES - used, "%s%s%s%s", before,
                                 used > 0 && left == 1 ? joint : "", used > 0 && left == 1 ? " " : "",
                                 outputs[kind].plural);
        left--;
    }
}

EadHeat ead_heat_of(const EadModel *model, float score) {
    EadHeat heat = {0, score, model->pixel_threshold};
    bool scaled = !isnan(model->color_high), level = scaled || !isnan(model->map_level);
    if (scaled) heat.high = model->color_high;
    if (!scaled && level) heat.low = model->map_level;
    if (level && heat.threshold > heat.low) heat.high = 2 * heat.threshold - heat.low;
    if (!(heat.high > heat.low && isfinite(heat.high))) heat.high = heat.low + 1;
    return heat;
}

EadStatus ead_map_output_start(EadMapOutput *output, const EadModel *model,
                               const char *const folders[EAD_OUTPUT_KINDS]) {
    bool any = false;
    *output = (EadMapOutput){.model = model};
    for (int kind = 0; kind < EAD_OUTPUT_KINDS; kind++) {
        output->folders[kind] = folders[kind];
        any = any || folders[kind];
    }
    EAD_TRY(ead_made_folders_new(&output->made));
    return any ? ead_output_names_new(&output->names) : EAD_OK;
}

void ead_map_files_free(EadMapFiles *files) {
    for (int kind = 0; kind < EAD_OUTPUT_KINDS; kind++) free(files->paths[kind]);
    *files = (EadMapFiles){0};
}

void ead_map_output_free(EadMapOutput *output) {
    ead_output_names_free(output->names);
    ead_made_folders_end(output->made);
    output->names = NULL;
    output->made = NULL;
}

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

/* What stands at path may be replaced only if it is such a file of an earlier run, not a picture or model that
 * the path may lead to, either. */
static EadStatus check_replaced(const Output *output, const char *path, const char *image) {
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return EAD_OK;
    if (output->is_one ? output->is_one(path) : ead_image_same_file(path, image)) return EAD_OK;
    if (!output->is_one)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "%s: is in the way, and is no copy of %s; move it away, or copy into another folder",
                        path, image);
    return ead_fail(
        EAD_BAD_ARGUMENT,
        "%s: is in the way, and is no %s that this program wrote (or one from before 2026-11-28, without a "
        "mark; then delete it); move it away, or write %s into another folder",
        path, output->what, output->plural);
}

/* The path below the folder, where several verdicts have several. */
static EadStatus name_file(const Output *output, const char *name, EadVerdict verdict, const char *image,
                           EadPath file) {
    const char *extension = output->extension;
    if (!extension) extension = ead_image_has_known_extension(image) ? strrchr(image, '.') : "";
    const char *sorted = output->extension ? "" : ead_verdict_name(verdict);
    int length = snprintf(file, EAD_PATH_SIZE, "%s%s%s%s", sorted, *sorted ? "/" : "", name, extension);
    return length < EAD_PATH_SIZE ? EAD_OK
                                  : ead_fail(EAD_BAD_ARGUMENT, "%.80s...: the path is too long", name);
}

/* What is written about an image, beside it, would replace it or another one, or be taken for an image the next time.
 * beside: the folder of the target. */
static EadStatus check_apart(const Output *output, const char *target, const char *beside,
                             const char *image) {
    EadPath source;
    EAD_TRY(ead_path_folder(source, image));
    bool is_image = output->is_one && ead_path_same(target, image); /* a copy may be a link to it */
    if (!ead_path_same(beside, source) && !is_image) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: its %s would lie among the images, in %s; write %s into a folder of their own",
                    image, output->what, *beside ? beside : ".", output->plural);
}

/* The path of what is written about an image. */
static EadStatus make_path(const Output *output, EadMadeFolders *made, const char *folder, const char *file,
                           const char *image, char **path) {
    EadPath beside;
    *path = ead_path_join(folder, file);
    if (!*path) return EAD_NO_MEMORY;
    EAD_TRY(ead_path_folder(beside, *path));
    EAD_TRY(ead_made_folders_make(made, beside));
    EAD_TRY(check_apart(output, *path, beside, image));
    return check_replaced(output, *path, image);
}

/* The copy of an earlier run that lies in the folder of another verdict is moved: *moved. */
static EadStatus move_copy(const EadMapOutput *output, const char *name, const char *image,
                           EadVerdict verdict, const char *to, bool *moved) {
    const Output *copies = &outputs[EAD_OUTPUT_COPIES];
    EadPath file, path, source, folder;
    EAD_TRY(ead_path_folder(source, image));
    for (int other = EAD_VERDICT_OK; other <= EAD_VERDICT_ERROR && !*moved; other++) {
        EAD_TRY(name_file(copies, name, (EadVerdict)other, image, file));
        EAD_TRY(ead_path_in(path, output->folders[EAD_OUTPUT_COPIES], file));
        EAD_TRY(ead_path_folder(folder, path));
        if (other == (int)verdict || ead_path_same(folder, source) || !ead_image_same_file(path, image))
            continue;
        if (rename(path, to) != 0)
            return ead_fail(EAD_IO, "%s: cannot be moved to %s: %s", path, to, strerror(errno));
        *moved = true;
    }
    return EAD_OK;
}

static EadStatus write_file(const EadMapOutput *output, int kind, EadMapFiles *files,
                            const EadMapFacts *facts) {
    const Output *this = &outputs[kind];
    EadVerdict verdict = ead_verdict((double)facts->score, (double)output->model->threshold);
    bool moved = false;
    EadPath file;
    EAD_TRY(name_file(this, files->name, verdict, facts->path, file));
    EAD_TRY(make_path(this, output->made, output->folders[kind], file, facts->path, &files->paths[kind]));
    /* Whether it stands there from an earlier run. */
    bool stands = access(files->paths[kind], F_OK) == 0;
    if (!this->is_one && stands) return EAD_OK;
    if (!this->is_one)
        EAD_TRY(move_copy(output, files->name, facts->path, verdict, files->paths[kind], &moved));
    if (!moved) EAD_TRY(this->write(files->paths[kind], output, facts));
    files->replaced += stands && !files->again;
    return EAD_OK;
}

/* Forgets the path of what was not written. */
static EadStatus settle(EadStatus status, char **path) {
    if (status == EAD_OK) return EAD_OK;
    free(*path);
    *path = NULL;
    return status;
}

/* ---- before the work ---- */

static EadStatus try_file(const Output *output, const char *folder, const char *name, EadVerdict verdict,
                          const char *image, long longest) {
    EadPath file, target, beside;
    if (name_file(output, name, verdict, image, file) != EAD_OK ||
        ead_path_in(target, folder, file) != EAD_OK)
        return ead_fail(EAD_IO, "%s/%.80s...: cannot write: the path is too long", folder, name);
    EAD_TRY(ead_path_folder(beside, target));
    EAD_TRY(check_apart(output, target, beside, image));
    EAD_TRY(check_replaced(output, target, image));
    return check_place(target, file, longest);
}

/* A copy may come to lie in any of its folders. */
static EadStatus try_kind(const EadMapTrial *trial, int kind, const char *name, const char *image) {
    const Output *output = &outputs[kind];
    int last = output->is_one ? EAD_VERDICT_NONE : EAD_VERDICT_ERROR;
    for (int verdict = output->is_one ? EAD_VERDICT_NONE : EAD_VERDICT_OK; verdict <= last; verdict++)
        EAD_TRY(try_file(output, trial->output.folders[kind], name, (EadVerdict)verdict, image,
                         trial->longest[kind]));
    return EAD_OK;
}

static void count(EadMapFaults *faults, EadStatus status) {
    if (status != EAD_OK && faults->images++ == 0) ead_problems_add(&faults->first, status);
}

EadStatus ead_map_trial_start(EadMapTrial *trial, const char *const folders[EAD_OUTPUT_KINDS]) {
    *trial = (EadMapTrial){0};
    for (int kind = 0; kind < EAD_OUTPUT_KINDS; kind++)
        trial->longest[kind] = folders[kind] ? ead_longest_name(folders[kind]) : 0;
    return ead_map_output_start(&trial->output, NULL, folders);
}

void ead_map_trial_free(EadMapTrial *trial) {
    ead_map_output_free(&trial->output);
    ead_problems_free(&trial->in_the_way.first);
    ead_problems_free(&trial->unwritable.first);
}

EadStatus ead_map_trial_add(EadMapTrial *trial, const char *folder, const char *path) {
    const EadMapOutput *output = &trial->output;
    const char *name;
    bool in_the_way = false, unwritable = false; /* an image counts once */
    if (!output->names) return EAD_OK;
    EAD_TRY(ead_output_names_take(output->names, folder, path, &name));
    for (int kind = 0; kind < EAD_OUTPUT_KINDS; kind++) {
        EadStatus status = output->folders[kind] ? try_kind(trial, kind, name, path) : EAD_OK;
        bool *counted = status == EAD_IO ? &unwritable : &in_the_way;
        if (status == EAD_OK || *counted) continue;
        *counted = true;
        count(status == EAD_IO ? &trial->unwritable : &trial->in_the_way, status);
    }
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
    char kinds[EAD_OUTPUT_NAMES];
    ead_map_output_name(trial->output.folders, "or", kinds);
    if (faults->images > 0)
        ead_print(stream, "%s of %lld %s will not be written: %s%s\n", kinds, (long long)faults->images,
                  faults->images == 1 ? "image" : "images", faults->first.lines.items[0],
                  faults->images > 1 ? ", ..." : "");
}

/* ---- the work ---- */

EadStatus ead_map_files_name(EadMapOutput *output, const char *folder, const char *path, EadMapFiles *out) {
    *out = (EadMapFiles){0};
    if (!output->names) return EAD_OK;
    size_t known = output->names->count;
    EAD_TRY(ead_output_names_take(output->names, folder, path, &out->name));
    out->again = output->names->count == known;
    return EAD_OK;
}

EadStatus ead_map_files_write(const EadMapOutput *output, EadMapFiles *files, const EadMapFacts *facts) {
    EadProblems problems = {0};
    bool scored = !isnan(facts->score);
    for (int kind = 0; files->name && kind < EAD_OUTPUT_KINDS; kind++)
        if (output->folders[kind] && (scored || kind == EAD_OUTPUT_COPIES))
            ead_problems_add(&problems, settle(write_file(output, kind, files, facts), &files->paths[kind]));
    EadStatus status = ead_problems_since(&problems, 0); /* the first */
    ead_problems_free(&problems);
    return status;
}
