/* Opening, filling and reading the cache. */
#include "data/cache/image_cache.h"

#include "core/base/atomic_file.h"
#include "core/base/file_bytes.h"
#include "data/cache/image_cache_file.h"
#include "core/base/worker_threads.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 1024, MAX_SIDE = 65535 };

struct EadImageCache {
    EadImageList sources;
    int *kept; /* [count] the source of each image */
    int count;
    EadCacheLayout layout;
    EadFitMode mode;
    int width, height;
    uint8_t *pixels;     /* [sources][image_bytes] in memory, else NULL */
    int descriptor;      /* of the cache file, else -1 */
    uint64_t *checksums; /* [sources], cache file only */
};

/* The work of filling a cache, shared by its threads; all below the mutex is guarded by it. */
typedef struct Filling {
    EadImageCache *cache;
    int output; /* descriptor of the file that is being written; -1 in memory */
    const char *output_path;
    EadSkippedImages *skipped; /* may be NULL */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int next, done, running;
    bool stop;
    int failed; /* the lowest index that failed; count if none: the same image is reported whatever the timing
                 */
    EadStatus status;
    char message[MESSAGE_SIZE];
} Filling;

/* The central width x height of a picture of twice that size, to out. */
static void crop_center(const EadImage *image, uint8_t *out, int width, int height) {
    size_t row = (size_t)width * 3;
    const uint8_t *from =
        image->pixels + ((size_t)(height / 2) * (size_t)image->width + (size_t)(width / 2)) * 3;
    for (int y = 0; y < height; y++)
        memcpy(out + (size_t)y * row, from + (size_t)y * (size_t)image->width * 3, row);
}

static EadStatus fit_center_crop(const EadImage *image, uint8_t *out, int width, int height) {
    EadImage large;
    EAD_TRY(ead_image_alloc(&large, 2 * width, 2 * height, 3));
    EadStatus status = ead_resize_u8(image->pixels, image->width, image->height, 3,
                                     (ptrdiff_t)image->width * 3, large.pixels, large.width, large.height);
    if (status == EAD_OK) crop_center(&large, out, width, height);
    ead_image_free(&large);
    return status;
}

/* Decodes source `index` and brings it to size. */
static EadStatus load_source(const EadImageCache *cache, int index, uint8_t *out) {
    EadImage image;
    EAD_TRY(ead_image_list_load(&cache->sources, index, &image));
    EadStatus status;
    if (cache->mode == EAD_FIT_CENTER_CROP)
        status = fit_center_crop(&image, out, cache->width, cache->height);
    else
        status = ead_resize_u8(image.pixels, image.width, image.height, 3, (ptrdiff_t)image.width * 3, out,
                               cache->width, cache->height);
    ead_image_free(&image);
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(status, "%s: ", cache->sources.items[index].name);
}

static off_t image_offset(const EadImageCache *cache, int index) {
    return cache->layout.images + (off_t)cache->layout.image_bytes * index;
}

/* Decodes it, or says that it is to be left out. */
static EadStatus load_or_leave(const Filling *filling, int index, uint8_t *out, bool *left_out) {
    EadStatus status = load_source(filling->cache, index, out);
    if (status == EAD_OK || !filling->skipped) return status;
    *left_out = true;
    return ead_skipped_images_add(filling->skipped, index, status);
}

/* Prepares one image; scratch [image_bytes] is the thread's own where the images go to a file. */
static EadStatus fill_one(const Filling *filling, int index, uint8_t *scratch) {
    EadImageCache *cache = filling->cache;
    size_t size = cache->layout.image_bytes;
    bool left_out = false;
    EAD_TRY(load_or_leave(filling, index, cache->pixels ? cache->pixels + (size_t)index * size : scratch,
                          &left_out));
    if (cache->pixels) return EAD_OK;
    cache->checksums[index] =
        left_out ? EAD_CACHE_LEFT_OUT : ead_cache_checksum((uint64_t)index, scratch, size);
    if (left_out) return EAD_OK;
    if (ead_write_at(filling->output, scratch, size, image_offset(cache, index))) return EAD_OK;
    return ead_fail(EAD_IO, "%s: cannot write: %s", filling->output_path, strerror(errno));
}

/* Under the mutex. The message is this thread's; the opening thread reads the copy. */
static void note_failure(Filling *filling, int index, EadStatus status) {
    filling->stop = true;
    if (index >= filling->failed) return;
    filling->failed = index;
    filling->status = status;
    memcpy(filling->message, ead_error_message(), strlen(ead_error_message()) + 1);
}

static void *fill_images(void *context) {
    Filling *filling = context;
    uint8_t *scratch = malloc(filling->cache->layout.image_bytes);
    pthread_mutex_lock(&filling->mutex);
    if (!scratch) note_failure(filling, 0, ead_fail(EAD_NO_MEMORY, "no memory to prepare images"));
    while (!filling->stop && filling->next < filling->cache->sources.count) {
        int index = filling->next++;
        pthread_mutex_unlock(&filling->mutex);
        EadStatus status = fill_one(filling, index, scratch);
        pthread_mutex_lock(&filling->mutex);
        if (status == EAD_OK)
            filling->done++;
        else
            note_failure(filling, index, status);
        pthread_cond_signal(&filling->changed);
    }
    filling->running--;
    pthread_cond_signal(&filling->changed);
    pthread_mutex_unlock(&filling->mutex);
    free(scratch);
    return NULL;
}

/* Until the threads are through, passes their progress on. */
static void watch(Filling *filling, const EadCacheSpec *spec) {
    int total = filling->cache->sources.count, seen = 0;
    pthread_mutex_lock(&filling->mutex);
    while (filling->running > 0) {
        if (filling->done == seen || !spec->progress) {
            pthread_cond_wait(&filling->changed, &filling->mutex);
            continue;
        }
        seen = filling->done;
        pthread_mutex_unlock(&filling->mutex);
        bool go_on = spec->progress(spec->context, seen, total);
        pthread_mutex_lock(&filling->mutex);
        if (!go_on) note_failure(filling, -1, ead_fail(EAD_INTERRUPTED, "stopped while preparing images"));
    }
    int done = filling->done;
    pthread_mutex_unlock(&filling->mutex);
    if (done > seen && spec->progress) spec->progress(spec->context, done, total);
}

static EadStatus run_threads(Filling *filling, const EadCacheSpec *spec) {
    EadWorkers workers;
    pthread_mutex_lock(&filling->mutex); /* until `running` is known */
    EadStatus status = ead_workers_start(&workers, spec->threads, fill_images, filling);
    filling->running = workers.count;
    pthread_mutex_unlock(&filling->mutex);
    if (status != EAD_OK) return status;
    watch(filling, spec);
    ead_workers_join(&workers);
    return filling->status == EAD_OK ? EAD_OK : ead_fail(filling->status, "%s", filling->message);
}

static EadStatus fill(EadImageCache *cache, const EadCacheSpec *spec, int output) {
    Filling filling = {.cache = cache,
                       .output = output,
                       .output_path = spec->file,
                       .skipped = spec->skipped,
                       .failed = cache->sources.count};
    if (pthread_mutex_init(&filling.mutex, NULL) != 0)
        return ead_fail(EAD_NO_MEMORY, "no memory for a mutex");
    EadStatus status = EAD_NO_MEMORY;
    if (pthread_cond_init(&filling.changed, NULL) == 0) {
        status = run_threads(&filling, spec);
        pthread_cond_destroy(&filling.changed);
    } else
        ead_fail(EAD_NO_MEMORY, "no memory for a condition");
    pthread_mutex_destroy(&filling.mutex);
    return status;
}

static EadStatus open_in_memory(EadImageCache *cache, const EadCacheSpec *spec) {
    size_t count = (size_t)cache->sources.count;
    if (count <= SIZE_MAX / cache->layout.image_bytes)
        cache->pixels = malloc(count * cache->layout.image_bytes);
    if (!cache->pixels)
        return ead_fail(EAD_NO_MEMORY, "no memory for %zu images of %d x %d pixels; use a cache file", count,
                        spec->width, spec->height);
    return fill(cache, spec, -1);
}

static EadStatus make_file(EadImageCache *cache, const EadCacheSpec *spec) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, spec->file));
    EadStatus status = fill(cache, spec, fileno(file.stream));
    /* The last images may be left out; the file has its full length all the same. */
    if (status == EAD_OK && ftruncate(fileno(file.stream), image_offset(cache, cache->sources.count)) != 0)
        status = ead_fail(EAD_IO, "%s: cannot write: %s", spec->file, strerror(errno));
    if (status != EAD_OK) {
        ead_atomic_file_discard(&file);
        return status;
    }
    ead_cache_file_write_header(&cache->layout, cache->checksums, file.stream);
    return ead_atomic_file_commit(&file);
}

static EadStatus open_file(EadImageCache *cache, const EadCacheSpec *spec) {
    cache->checksums = malloc((size_t)cache->sources.count * sizeof *cache->checksums);
    if (!cache->checksums)
        return ead_fail(EAD_NO_MEMORY, "no memory for the checksums of %d images", cache->sources.count);
    cache->descriptor = ead_cache_file_open(&cache->layout, spec->file, cache->checksums);
    if (cache->descriptor >= 0) return EAD_OK;
    EAD_TRY(make_file(cache, spec));
    cache->descriptor = ead_cache_file_open(&cache->layout, spec->file, cache->checksums);
    if (cache->descriptor >= 0) return EAD_OK;
    return ead_fail(EAD_IO, "%s: was changed by another program as soon as it was written", spec->file);
}

/* A cache file that is used again tells of what was left out when it was made. */
static EadStatus note_left_out(const EadImageCache *cache, const EadCacheSpec *spec) {
    for (int i = 0; i < cache->sources.count && cache->checksums; i++) {
        if (cache->checksums[i] != EAD_CACHE_LEFT_OUT || ead_skipped_images_has(spec->skipped, i)) continue;
        EadStatus status = ead_fail(EAD_BAD_FILE, "%s: could not be used when %s was made",
                                    cache->sources.items[i].name, spec->file);
        EAD_TRY(ead_skipped_images_add(spec->skipped, i, status));
    }
    return EAD_OK;
}

static EadStatus number_images(EadImageCache *cache, const EadCacheSpec *spec) {
    cache->kept = malloc((size_t)cache->sources.count * sizeof *cache->kept);
    if (!cache->kept)
        return ead_fail(EAD_NO_MEMORY, "no memory for a list of %d images", cache->sources.count);
    for (int i = 0; i < cache->sources.count; i++)
        if (!spec->skipped || !ead_skipped_images_has(spec->skipped, i)) cache->kept[cache->count++] = i;
    return EAD_OK;
}

static EadStatus open_cache(EadImageCache *cache, const EadImageList *images, const EadCacheSpec *spec) {
    cache->descriptor = -1;
    cache->mode = spec->mode;
    cache->width = spec->width;
    cache->height = spec->height;
    EAD_TRY(ead_image_list_add_all(&cache->sources, images));
    EAD_TRY(ead_cache_layout_make(&cache->layout, images, spec));
    EAD_TRY(spec->file ? open_file(cache, spec) : open_in_memory(cache, spec));
    EAD_TRY(note_left_out(cache, spec));
    return number_images(cache, spec);
}

EadStatus ead_image_cache_open(const EadImageList *images, const EadCacheSpec *spec, EadImageCache **out) {
    int most = spec->mode == EAD_FIT_CENTER_CROP ? MAX_SIDE / 2 : MAX_SIDE;
    *out = NULL;
    if (images->count < 1) return ead_fail(EAD_BAD_ARGUMENT, "there are no images to prepare");
    if (spec->width < 1 || spec->height < 1 || spec->width > most || spec->height > most)
        return ead_fail(EAD_BAD_SHAPE,
                        "images cannot be prepared at %d x %d pixels; each side must be 1 to %d", spec->width,
                        spec->height, most);
    EadImageCache *cache = calloc(1, sizeof *cache);
    if (!cache) return ead_fail(EAD_NO_MEMORY, "no memory to prepare images");
    EadStatus status = open_cache(cache, images, spec);
    if (status == EAD_OK)
        *out = cache;
    else
        ead_image_cache_close(cache);
    return status;
}

EadStatus ead_image_cache_read(const EadImageCache *cache, int index, uint8_t *out) {
    size_t size = cache->layout.image_bytes;
    index = cache->kept[index];
    if (cache->pixels) {
        memcpy(out, cache->pixels + (size_t)index * size, size);
        return EAD_OK;
    }
    if (ead_read_at(cache->descriptor, out, size, image_offset(cache, index)) &&
        ead_cache_checksum((uint64_t)index, out, size) == cache->checksums[index])
        return EAD_OK;
    return load_source(cache, index, out);
}

int ead_image_cache_count(const EadImageCache *cache) {
    return cache->count;
}

size_t ead_image_cache_image_bytes(const EadImageCache *cache) {
    return cache->layout.image_bytes;
}

const char *ead_image_cache_name(const EadImageCache *cache, int index) {
    return cache->sources.items[cache->kept[index]].name;
}

void ead_image_cache_close(EadImageCache *cache) {
    if (!cache) return;
    if (cache->descriptor >= 0) close(cache->descriptor);
    ead_image_list_free(&cache->sources);
    ead_cache_layout_free(&cache->layout);
    free(cache->pixels);
    free(cache->kept);
    free(cache->checksums);
    free(cache);
}
