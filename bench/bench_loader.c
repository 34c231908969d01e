/* How many images a second the loader brings to a training: decoded, brought to the network's size. */
#define _GNU_SOURCE /* memfd_create */
#include "bench/bench_machine.h"
#include "bench/bench_setup.h"

#include "core/base/file_bytes.h"
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/system/clock.h"
#include "core/system/machine.h"
#include "data/drawn/drawn_image.h"
#include "data/loader/image_draws.h"
#include "data/source/loader.h"

#include <errno.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    DEFAULT_REPEAT = 5,
    PASS = 128, /* images of a pass */
    FILES = 16,
    HEIGHT = 375, /* of an ordinary image of ImageNet */
    WIDTH = 500,
    QUALITY = 92,
};

static EadStatus write_memory_file(const uint8_t *bytes, size_t size, EadStringList *files) {
    int descriptor = memfd_create("photograph", MFD_CLOEXEC);
    if (descriptor < 0 || !ead_write_at(descriptor, bytes, size, 0))
        return ead_fail(EAD_IO, "cannot write a file in memory: %s", strerror(errno));
    return ead_strings_print(files, "/proc/self/fd/%d", descriptor); /* open until the process ends */
}

/* Drawn pictures as JPEG files that lie in memory. */
static EadStatus make_files(EadStringList *files) {
    EadImage image;
    EAD_TRY(ead_image_alloc(&image, WIDTH, HEIGHT, 3));
    EadStatus status = EAD_OK;
    for (uint32_t i = 0; i < FILES && status == EAD_OK; i++) {
        uint8_t *jpeg = NULL;
        size_t size;
        status = ead_drawn_image(1, i, HEIGHT, WIDTH, image.pixels);
        if (status == EAD_OK) status = ead_jpeg_encode(&image, QUALITY, &jpeg, &size);
        if (status == EAD_OK) status = write_memory_file(jpeg, size, files);
        free(jpeg);
    }
    ead_image_free(&image);
    return status;
}

/* Those of penalty.path, where that is set. */
static EadStatus list_images(const EadBenchOptions *options, EadImageList *out) {
    EadConfig config = {0};
    EadStringList files = {0};
    EadStatus status = ead_bench_config(options, &config);
    bool own = status == EAD_OK && config.penalty_path[0] && !ead_config_draws_penalty(&config);
    if (status == EAD_OK) status = own ? ead_image_list_add(out, config.penalty_path) : make_files(&files);
    if (status == EAD_OK && !own) status = ead_image_list_add_files(out, &files);
    if (status == EAD_OK && out->count == 0)
        status = ead_fail(EAD_BAD_ARGUMENT, "penalty.path: %s holds no images", config.penalty_path);
    ead_strings_free(&files);
    ead_config_free(&config);
    return status;
}

/* An EadLoaderFill. */
static EadStatus fill(void *context, uint64_t step, uint8_t *slot) {
    EadImageDraws *draws = context;
    return ead_image_draws_read(draws, (int)(step % (uint64_t)ead_image_draws_count(draws)), slot);
}

/* The time of PASS images in ms, from one that has come to the last. */
static EadStatus pass(const EadLoaderSpec *spec, double *ms) {
    EadLoader *loader;
    const uint8_t *slot;
    double begun = 0;
    EAD_TRY(ead_loader_open(spec, &loader));
    EadStatus status = EAD_OK;
    for (int i = 0; i <= PASS && status == EAD_OK; i++) {
        status = ead_loader_next(loader, &slot);
        if (i == 0) begun = ead_clock_seconds();
        ead_loader_release(loader);
    }
    *ms = 1e3 * (ead_clock_seconds() - begun);
    ead_loader_close(loader);
    return status;
}

static EadStatus time_draws(const EadBenchOptions *options, EadImageDraws *draws, EadBenchResults *results) {
    int repeat = options->repeat ? options->repeat : DEFAULT_REPEAT, threads = omp_get_max_threads();
    double *times = ead_new(repeat, sizeof *times, "times");
    EadBenchResult result = ead_bench_result_for(options, NULL, "loader", "");
    EadLoaderSpec spec = {.slot_bytes = ead_image_draws_bytes(draws),
                          .slots = 1 + threads,
                          .threads = threads,
                          .fill = fill,
                          .context = draws};
    if (!times) return EAD_NO_MEMORY;
    result.precision[0] = '\0';
    result.batch = PASS;
    if (!options->quiet)
        ead_print(stderr, "loader: %d passes of %d images, %d threads\n", repeat, PASS, threads);
    EadStatus status = EAD_OK;
    for (int i = 0; i < repeat && status == EAD_OK; i++) status = pass(&spec, &times[i]);
    if (status == EAD_OK) {
        ead_bench_summarize(times, repeat, &result);
        result.images_per_s = 1e3 * PASS / result.median_ms;
        result.peak_rss_mb = 1e-6 * (double)ead_machine_peak();
        status = ead_bench_results_add(results, &result);
    }
    free(times);
    return status;
}

EadStatus ead_bench_loader(const EadBenchOptions *options, EadBenchResults *results) {
    EadImageList list = {0};
    EadImageDraws *draws = NULL;
    ead_bench_memory_reset();
    EadStatus status = list_images(options, &list);
    EadImageDrawsSpec spec = {.images = &list,
                              .key = "penalty.path",
                              .fit = {EAD_FIT_CENTER_CROP, options->width, options->height},
                              .most = list.count};
    if (status == EAD_OK) status = ead_image_draws_open(&spec, &draws);
    if (status == EAD_OK) status = time_draws(options, draws, results);
    ead_image_draws_print(draws, stderr);
    ead_image_draws_close(draws);
    ead_image_list_free(&list);
    return status;
}
