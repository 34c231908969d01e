/* The cache file is a .safetensors file:
 *   metadata   format, inputs (the key of the sources, see data/cache/cache_key.h)
 *   checksums  U64 [sources + 1]: one an image; the last is that of all else
 *   notes      U32 [sources, kinds]: what is to be told of each image (data/codec/image_notes.h); 0: nothing
 *   images     U8 [sources, height, width, channels], or, where sizes differ, [1, 1, pixels of all, channels], the last bytes
 *              of the file: 1 channel where all sources are gray, else 3
 * Files of earlier versions have no such metadata and are made anew. */
#include "data/cache/image_cache.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/system/machine.h"
#include "core/system/worker_threads.h"
#include "data/cache/cache_file.h"
#include "data/cache/cache_key.h"
#include "data/source/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct EadImageCache {
    EadImageList sources;
    EadImageFit fit;        /* of all, but for sizes that differ */
    int (*sizes)[2];        /* [sources] width and height of each; NULL: they do not */
    int64_t *pixels_before; /* [sources + 1] of the images before each */
    size_t image_bytes;     /* of the largest image that is read, in RGB */
    bool gray;              /* one channel is kept */
    bool mixed;             /* a source with colours was found behind gray ones */
    uint8_t *pixels;        /* of all images, one behind the other, in memory, else NULL */
    int descriptor;         /* of the cache file, else -1 */
    off_t images;           /* where the first image begins in it */
    uint64_t *checksums;    /* [sources + 1], cache file only */
    uint32_t *notes;        /* [sources][EAD_IMAGE_NOTES] */
};

/* What is known of a source besides its pixels. */
typedef struct SourceState {
    uint64_t checksum;
    uint32_t notes[EAD_IMAGE_NOTES];
    EadStatus status;
    bool colours;      /* it is not gray, but was to be kept as such */
    char problem[400]; /* why it cannot be read */
} SourceState;

/* Images that cannot be read: all are found in one pass, the first ones are named. */
typedef struct Unreadable {
    int count;
    EadStatus status; /* of the first */
    char names[4 * sizeof(((SourceState *)NULL)->problem)];
} Unreadable;

enum { NAMED = 3 };

/* ---- sizes ---- */

static EadImageFit fit_of(const EadImageCache *cache, int index) {
    EadImageFit fit = cache->fit;
    if (cache->sizes) fit.width = cache->sizes[index][0], fit.height = cache->sizes[index][1];
    return fit;
}

static size_t pixels_of(const EadImageCache *cache, int index) {
    EadImageFit fit = fit_of(cache, index);
    return (size_t)fit.width * (size_t)fit.height;
}

/* Of the images before one, or of all. */
static size_t pixels_before(const EadImageCache *cache, int index) {
    if (!cache->sizes) return (size_t)index * pixels_of(cache, 0);
    return (size_t)cache->pixels_before[index];
}

/* Bytes of so many pixels as they are kept. */
static size_t kept(const EadImageCache *cache, size_t pixels) {
    return cache->gray ? pixels : 3 * pixels;
}

static size_t kept_bytes(const EadImageCache *cache, int index) {
    return kept(cache, pixels_of(cache, index));
}

/* By the files' headers. One that is no image is told when it is decoded. */
static EadStatus find_sizes(EadImageCache *cache, const EadTiles *tiles, const EadRegion *region) {
    int count = cache->sources.count;
    cache->sizes = ead_new(count, sizeof *cache->sizes, "the sizes of images");
    cache->pixels_before = ead_new((int64_t)count + 1, sizeof *cache->pixels_before, "the sizes of images");
    if (!cache->sizes || !cache->pixels_before) return EAD_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        int width = 1, height = 1, *size = cache->sizes[i];
        EadStatus status =
            ead_image_size(ead_image_list_file(&cache->sources, i), &cache->sources.rules, &width, &height);
        if (status == EAD_NO_MEMORY) return status;
        if (region && region->width) width = region->width, height = region->height;
        ead_tiles_look_at(tiles, width, height, &size[0], &size[1]);
        cache->pixels_before[i + 1] = cache->pixels_before[i] + (int64_t)size[0] * size[1];
        if (3 * pixels_of(cache, i) > cache->image_bytes) cache->image_bytes = 3 * pixels_of(cache, i);
    }
    return EAD_OK;
}

/* ---- gray ---- */

/* Whether all pixels are gray; what lies outside of a region of interest does not count. */
static bool is_gray(const EadImageCache *cache, int index, const uint8_t *rgb) {
    const uint8_t *inside = cache->fit.region ? cache->fit.region->mask : NULL;
    bool gray = true;
    for (size_t i = 0; i < pixels_of(cache, index); i++, rgb += 3)
        gray = gray && ((inside && !inside[i]) || (rgb[0] == rgb[1] && rgb[0] == rgb[2]));
    return gray;
}

/* Between RGB and one channel, in place. */
static void pack_gray(const EadImageCache *cache, int index, uint8_t *pixels) {
    for (size_t i = 0; i < pixels_of(cache, index); i++) pixels[i] = pixels[3 * i];
}

static void unpack_gray(const EadImageCache *cache, int index, uint8_t *pixels) {
    for (size_t i = pixels_of(cache, index); i-- > 0;) memset(pixels + 3 * i, pixels[i], 3);
    if (cache->fit.region) ead_region_blank_outside(cache->fit.region, pixels);
}

/* What the first source is, the others are taken for until one is not. */
static bool begins_gray(const EadImageCache *cache) {
    uint8_t *image = ead_new((int64_t)cache->image_bytes, 1, "an image");
    bool gray = image && !cache->mixed &&
                ead_image_fit_load(&cache->sources, 0, fit_of(cache, 0), NULL, image) == EAD_OK &&
                is_gray(cache, 0, image);
    free(image);
    return gray;
}

static off_t image_offset(const EadImageCache *cache, int index) {
    return cache->images + (off_t)kept(cache, pixels_before(cache, index));
}

/* ---- filling ---- */

/* An EadLoaderFill: the pixels of source `index` and behind them its state. The threads run ahead, beyond the
 * last one too. */
static EadStatus decode(void *context, uint64_t index, uint8_t *slot) {
    const EadImageCache *cache = context;
    EadImageNotes *notes;
    if (index >= (uint64_t)cache->sources.count) return EAD_OK;
    EAD_TRY(ead_image_notes_new(&notes));
    int i = (int)index;
    EadStatus status = ead_image_fit_load(&cache->sources, i, fit_of(cache, i), notes, slot);
    SourceState state = {.colours = cache->gray && status == EAD_OK && !is_gray(cache, i, slot)};
    if (cache->gray) pack_gray(cache, i, slot);
    if (status == EAD_OK) state.checksum = ead_cache_checksum(index, slot, kept_bytes(cache, i));
    for (int note = 0; note < EAD_IMAGE_NOTES; note++)
        state.notes[note] = ead_image_notes_largest(notes, (EadImageNote)note);
    ead_image_notes_free(notes);
    state.status = status;
    if (status != EAD_OK) snprintf(state.problem, sizeof state.problem, "%s", ead_error_message());
    memcpy(slot + cache->image_bytes, &state, sizeof state);
    return status == EAD_NO_MEMORY ? status : EAD_OK;
}

static void note_unreadable(Unreadable *unreadable, const SourceState *state) {
    size_t used = strlen(unreadable->names);
    if (unreadable->count == 0) unreadable->status = state->status;
    if (unreadable->count++ < NAMED)
        snprintf(unreadable->names + used, sizeof unreadable->names - used, "%s%s", used ? "; " : "",
                 state->problem);
}

static EadStatus tell_unreadable(const Unreadable *unreadable, int total) {
    int count = unreadable->count;
    if (count == 0) return EAD_OK;
    if (count == 1) return ead_fail(unreadable->status, "%s; remove or replace it", unreadable->names);
    char more[40] = "";
    if (count > NAMED) snprintf(more, sizeof more, " and %d more", count - NAMED);
    return ead_fail(unreadable->status, "%s%s: %d of %d images cannot be read; remove or replace them",
                    unreadable->names, more, count, total);
}

/* Decodes all images, several at a time, and stores them in order: in memory, or in the file that is being
 * written. */
static EadStatus fill(EadImageCache *cache, const EadCacheSpec *spec, int output) {
    size_t room = cache->image_bytes;
    int total = cache->sources.count, threads = ead_workers_count(spec->threads);
    EadLoaderSpec loading = {.slot_bytes = room + sizeof(SourceState),
                             .slots = 4 * threads, /* so that one slow image does not hold up the others */
                             .threads = threads,
                             .fill = decode,
                             .context = cache};
    EadLoader *loader;
    EAD_TRY(ead_loader_open(&loading, &loader));
    EadStatus status = EAD_OK;
    Unreadable unreadable = {0};
    for (int i = 0; i < total && status == EAD_OK; i++) {
        const uint8_t *slot;
        SourceState state;
        status = ead_loader_next(loader, &slot);
        if (status != EAD_OK) break;
        memcpy(&state, slot + room, sizeof state);
        memcpy(cache->notes + (size_t)i * EAD_IMAGE_NOTES, state.notes, sizeof state.notes);
        if (cache->checksums) cache->checksums[i] = state.checksum;
        if (state.status != EAD_OK)
            note_unreadable(&unreadable, &state);
        else if (state.colours) {
            cache->mixed = true;
            status = ead_fail(EAD_BAD_ARGUMENT, "%s: is not gray", cache->sources.items[i].name);
        } else if (cache->pixels)
            memcpy(cache->pixels + kept(cache, pixels_before(cache, i)), slot, kept_bytes(cache, i));
        else if (!ead_write_at(output, slot, kept_bytes(cache, i), image_offset(cache, i)))
            status = ead_fail(EAD_IO, "%s: cannot write: %s", spec->file, strerror(errno));
        ead_loader_release(loader);
        if (status == EAD_OK && spec->progress && !spec->progress(spec->context, i + 1, total))
            status = ead_fail(EAD_INTERRUPTED, "stopped while preparing images");
    }
    ead_loader_close(loader);
    return status == EAD_OK ? tell_unreadable(&unreadable, total) : status;
}

static size_t note_bytes(const EadImageCache *cache) {
    return (size_t)cache->sources.count * EAD_IMAGE_NOTES * sizeof *cache->notes;
}

static uint64_t checksum_of_states(const EadImageCache *cache) {
    uint64_t notes = ead_cache_checksum(0, cache->notes, note_bytes(cache));
    return ead_cache_checksum(notes, cache->checksums,
                              (size_t)cache->sources.count * sizeof *cache->checksums);
}

/* What is opened, and how. */
typedef struct Opening {
    EadImageCache *cache;
    const EadCacheSpec *spec;
} Opening;

/* An EadCacheFile.use: takes checksums and notes. */
static EadStatus use_file(void *context, const EadSafetensors *file, int descriptor, bool *used) {
    const Opening *opening = context;
    EadImageCache *cache = opening->cache;
    const EadFileTensor *images = ead_safetensors_find(file, "images"),
                        *checksums = ead_safetensors_find(file, "checksums"),
                        *notes = ead_safetensors_find(file, "notes");
    size_t bytes = ((size_t)cache->sources.count + 1) * sizeof *cache->checksums;
    if (!images || images != ead_safetensors_at(file, ead_safetensors_count(file) - 1) || images->dims != 4)
        return EAD_OK;
    cache->gray = images->shape[3] == 1;
    if (images->bytes != kept(cache, pixels_before(cache, cache->sources.count))) return EAD_OK;
    if (!checksums || checksums->bytes != bytes || !notes || notes->bytes != note_bytes(cache)) return EAD_OK;
    if (!ead_read_at(descriptor, cache->checksums, bytes, (off_t)checksums->offset) ||
        !ead_read_at(descriptor, cache->notes, notes->bytes, (off_t)notes->offset))
        return ead_fail(EAD_IO, "%s: cannot read: %s", opening->spec->file, strerror(errno ? errno : EIO));
    *used = cache->checksums[cache->sources.count] == checksum_of_states(cache);
    cache->images = (off_t)images->offset;
    return EAD_OK;
}

static EadStatus add_tensors(void *context, EadSafetensorsWriter *writer) {
    EadImageCache *cache = ((const Opening *)context)->cache;
    int count = cache->sources.count;
    cache->gray = begins_gray(cache);
    int64_t channels = cache->gray ? 1 : 3, pixels = (int64_t)pixels_before(cache, count);
    EAD_TRY(
        ead_safetensors_writer_tensor(writer, "checksums", EAD_FILE_U64, 1, (int64_t[]){count + 1}, NULL));
    EAD_TRY(ead_safetensors_writer_tensor(writer, "notes", EAD_FILE_U32, 2,
                                          (int64_t[]){count, EAD_IMAGE_NOTES}, NULL));
    if (cache->sizes)
        return ead_safetensors_writer_tensor(writer, "images", EAD_FILE_U8, 4,
                                             (int64_t[]){1, 1, pixels, channels}, NULL);
    return ead_safetensors_writer_tensor(writer, "images", EAD_FILE_U8, 4,
                                         (int64_t[]){count, cache->fit.height, cache->fit.width, channels},
                                         NULL);
}

static EadStatus fill_file(void *context, const EadSafetensorsWriter *writer, int output) {
    const Opening *opening = context;
    EadImageCache *cache = opening->cache;
    int count = cache->sources.count;
    cache->images = ead_safetensors_writer_offset(writer, "images");
    EAD_TRY(fill(cache, opening->spec, output));
    cache->checksums[count] = checksum_of_states(cache);
    if (ead_write_at(output, cache->checksums, ((size_t)count + 1) * sizeof *cache->checksums,
                     ead_safetensors_writer_offset(writer, "checksums")) &&
        ead_write_at(output, cache->notes, note_bytes(cache), ead_safetensors_writer_offset(writer, "notes")))
        return EAD_OK;
    return ead_fail(EAD_IO, "%s: cannot write: %s", opening->spec->file, strerror(errno));
}

static EadCacheFile file_of(Opening *opening) {
    return (EadCacheFile){.path = opening->spec->file,
                          .format = "efficientad-images/1",
                          .use = use_file,
                          .add = add_tensors,
                          .fill = fill_file,
                          .cache = opening};
}

/* Opens the cache file, and makes it first unless it is there. */
static EadStatus open_file(EadImageCache *cache, const EadCacheSpec *spec) {
    EadCacheSettings settings = {EAD_FIT_RESIZE, (uint32_t)spec->width, (uint32_t)spec->height,
                                 ead_cache_levels_key(&spec->rules), ead_cache_region_key(spec->region)};
    Opening opening = {cache, spec};
    EadCacheFile file = file_of(&opening);
    EAD_TRY(ead_cache_key(&cache->sources, settings, &file.key));
    if (spec->tiles) file.key = ead_cache_checksum(file.key, &spec->tiles->scale, sizeof spec->tiles->scale);
    free(cache->checksums);
    cache->checksums = ead_new((int64_t)cache->sources.count + 1, sizeof *cache->checksums, "checksums");
    if (!cache->checksums) return EAD_NO_MEMORY;
    return ead_cache_file_open(&file, &cache->descriptor);
}

/* More than the machine has, or the limit of a container leaves, would not fail here but end the process
 * later. */
static EadStatus open_in_memory(EadImageCache *cache, const EadCacheSpec *spec) {
    size_t count = (size_t)cache->sources.count, most = ead_machine_memory();
    cache->gray = begins_gray(cache);
    size_t bytes = kept(cache, pixels_before(cache, cache->sources.count));
    free(cache->pixels);
    cache->pixels = bytes <= (most > 0 ? most : SIZE_MAX) ? malloc(bytes) : NULL;
    if (cache->pixels) return fill(cache, spec, -1);
    return ead_fail(
        EAD_NO_MEMORY,
        "no memory for %zu images of %d x %d pixels (%.0f MB; this process may have %.0f MB); use a cache "
        "file (dataset.cache)",
        count, spec->width, spec->height, 1e-6 * (double)bytes, 1e-6 * (double)most);
}

/* Once more with colours where not all turn out to be gray. */
static EadStatus open_kept(EadImageCache *cache, const EadCacheSpec *spec) {
    EadStatus (*open)(EadImageCache *, const EadCacheSpec *) = spec->file ? open_file : open_in_memory;
    EadStatus status = open(cache, spec);
    return status != EAD_OK && cache->mixed ? open(cache, spec) : status;
}

static void tell_notes(const EadImageCache *cache, EadImageNotes *notes) {
    for (int i = 0; i < cache->sources.count; i++)
        for (int note = 0; note < EAD_IMAGE_NOTES; note++) {
            uint32_t value = cache->notes[i * EAD_IMAGE_NOTES + note];
            if (value) ead_image_notes_add(notes, (EadImageNote)note, cache->sources.items[i].name, value);
        }
}

/* Without any image. *out is to be closed in every case. */
static EadStatus new_cache(const EadImageList *images, const EadCacheSpec *spec, EadImageCache **out) {
    EadImageFit fit = {EAD_FIT_RESIZE, spec->width, spec->height, spec->region};
    *out = NULL;
    if (images->count < 1) return ead_fail(EAD_BAD_ARGUMENT, "there are no images to prepare");
    EAD_TRY(ead_image_fit_check(fit));
    EadImageCache *cache = *out = ead_new(1, sizeof *cache, "a cache of images");
    if (!cache) return EAD_NO_MEMORY;
    *cache = (EadImageCache){
        .descriptor = -1, .fit = fit, .image_bytes = (size_t)spec->width * (size_t)spec->height * 3};
    cache->sources.rules = spec->rules;
    cache->sources.rules.notes = NULL;
    EAD_TRY(ead_image_list_add_all(&cache->sources, images));
    cache->notes = ead_new((int64_t)images->count * EAD_IMAGE_NOTES, sizeof *cache->notes, "notes on images");
    if (!cache->notes) return EAD_NO_MEMORY;
    return spec->tiles ? find_sizes(cache, spec->tiles, spec->region) : EAD_OK;
}

EadStatus ead_image_cache_open(const EadImageList *images, const EadCacheSpec *spec, EadImageCache **out) {
    EadImageCache *cache;
    EadStatus status = new_cache(images, spec, &cache);
    if (status == EAD_OK) status = open_kept(cache, spec);
    if (status == EAD_OK) tell_notes(cache, spec->rules.notes);
    *out = status == EAD_OK ? cache : NULL;
    if (status != EAD_OK) ead_image_cache_close(cache);
    return status;
}

EadStatus ead_image_cache_bytes(const EadImageList *images, const EadCacheSpec *spec, uint64_t *bytes) {
    Opening opening = {.spec = spec};
    EadStatus status = new_cache(images, spec, &opening.cache);
    EadCacheFile file = file_of(&opening);
    if (status == EAD_OK) status = ead_cache_file_bytes(&file, bytes);
    ead_image_cache_close(opening.cache);
    return status;
}

void ead_image_cache_size(const EadImageCache *cache, int index, int *width, int *height) {
    EadImageFit fit = fit_of(cache, index);
    *width = fit.width;
    *height = fit.height;
}

EadStatus ead_image_cache_read(const EadImageCache *cache, int index, uint8_t *out) {
    size_t size = kept_bytes(cache, index);
    if (cache->pixels)
        memcpy(out, cache->pixels + kept(cache, pixels_before(cache, index)), size);
    else if (!ead_read_at(cache->descriptor, out, size, image_offset(cache, index)) ||
             ead_cache_checksum((uint64_t)index, out, size) != cache->checksums[index])
        return ead_image_fit_load(&cache->sources, index, fit_of(cache, index), NULL, out);
    if (cache->gray) unpack_gray(cache, index, out);
    return EAD_OK;
}

int ead_image_cache_count(const EadImageCache *cache) {
    return cache->sources.count;
}

bool ead_image_cache_is_gray(const EadImageCache *cache) {
    return cache->gray;
}

size_t ead_image_cache_image_bytes(const EadImageCache *cache) {
    return cache->image_bytes;
}

const char *ead_image_cache_name(const EadImageCache *cache, int index) {
    return cache->sources.items[index].name;
}

void ead_image_cache_close(EadImageCache *cache) {
    if (!cache) return;
    if (cache->descriptor >= 0) close(cache->descriptor);
    ead_image_list_free(&cache->sources);
    free(cache->sizes);
    free(cache->pixels_before);
    free(cache->pixels);
    free(cache->checksums);
    free(cache->notes);
    free(cache);
}
