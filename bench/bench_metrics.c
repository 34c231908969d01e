/* The metrics of a whole test set on generated maps: the size of MVTec AD's bottle, and of MVTec LOCO's
 * breakfast_box, its largest, or a size of one's own. Only the evaluation is timed. */
#include "bench/bench_machine.h"
#include "bench/benchmarks.h"

#include "core/base/printing.h"
#include "core/system/clock.h"
#include "core/system/machine.h"
#include "core/base/memory.h"
#include "core/base/philox.h"
#include "train/metrics/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DEFAULT_REPEAT = 3, TYPES = 20 }; /* LOCO's categories have 8 to 22 names of defects */

typedef struct TestSet {
    const char *name;
    int images, good, height, width;
    bool channels; /* with sPRO, by name, too */
} TestSet;

static const TestSet sets[] = {{"bottle", 83, 20, 900, 900, false},
                               {"breakfast_box", 275, 102, 1280, 1600, true}};

/* One image's map and truth; the buffers serve all images. */
typedef struct Scene {
    float *map;
    EadDefectChannel channel; /* its mask is the whole mask, too */
    EadDefectType items[TYPES];
    EadDefectTypes types;
    EadGroundTruth truth;
} Scene;

static EadStatus scene_new(const TestSet *set, Scene *scene) {
    size_t pixels = (size_t)set->width * (size_t)set->height;
    *scene = (Scene){.map = ead_new((int64_t)pixels, sizeof *scene->map, "a map"),
                     .channel = {.mask = ead_new((int64_t)pixels, 1, "a mask")}};
    scene->truth = (EadGroundTruth){.mask = {set->width, set->height, 1, scene->channel.mask}};
    static char name[] = "defect";
    for (int t = 0; t < TYPES; t++) scene->items[t].name = name;
    scene->types = (EadDefectTypes){.items = scene->items, .count = TYPES};
    if (set->channels) {
        scene->truth.channels = &scene->channel;
        scene->truth.channel_count = 1;
        scene->truth.types = &scene->types;
    }
    return scene->map && scene->channel.mask ? EAD_OK : EAD_NO_MEMORY;
}

/* Smooth noise such as a resized map has, and a disc of a defect that is somewhat brighter. All scores differ
 * in their lowest bits, which is the sort's worst case. */
static void draw(const TestSet *set, int image, Scene *scene) {
    enum { CELL = 32, CELLS = 64 };
    float grid[CELLS + 1][CELLS + 1];
    for (int i = 0; i <= CELLS; i++)
        for (int j = 0; j <= CELLS; j++)
            grid[i][j] =
                (float)ead_philox_word((uint64_t)image, EAD_STREAM_TEST, (uint64_t)(i * 100 + j)) * 0x1p-32f;
    int radius = set->height / 10, cx = set->width / 3 + image % radius,
        cy = set->height / 2 - image % radius;
    bool bad = image >= set->good;
    memset(scene->channel.mask, 0, (size_t)set->width * (size_t)set->height);
    for (int y = 0; y < set->height; y++)
        for (int x = 0; x < set->width; x++) {
            int i = y / CELL, j = x / CELL, at = y * set->width + x;
            float v = (float)(y % CELL) / CELL, u = (float)(x % CELL) / CELL;
            float value = (1 - v) * ((1 - u) * grid[i][j] + u * grid[i][j + 1]) +
                          v * ((1 - u) * grid[i + 1][j] + u * grid[i + 1][j + 1]);
            bool defect = bad && (x - cx) * (x - cx) + (y - cy) * (y - cy) < radius * radius;
            scene->map[at] = 0.2f * value * value * value - 0.05f + (defect ? 0.08f : 0);
            if (defect) scene->channel.mask[at] = 255;
        }
    scene->channel.saturation = radius * radius;
    scene->channel.type = image % TYPES;
}

/* The time of all evaluations between starts and stops, in milliseconds. */
typedef struct Times {
    double wall, cpu;
} Times;

static void start(Times *sum) {
    sum->wall -= 1e3 * ead_clock_seconds();
    sum->cpu -= 1e3 * (double)clock() / CLOCKS_PER_SEC;
}

static void stop(Times *sum) {
    sum->wall += 1e3 * ead_clock_seconds();
    sum->cpu += 1e3 * (double)clock() / CLOCKS_PER_SEC;
}

static EadStatus evaluate(const TestSet *set, Scene *scene, Times *times) {
    EadEvaluation *e;
    EadMetrics metrics;
    EAD_TRY(ead_evaluation_new(&e));
    EadStatus status = EAD_OK;
    for (int i = 0; i < set->images && status == EAD_OK; i++) {
        bool bad = i >= set->good;
        const char *kind = !bad ? "good" : i % 2 ? "logical_anomalies" : "structural_anomalies";
        draw(set, i, scene);
        start(times);
        status = ead_evaluation_add(e, "map", kind, bad, scene->map[0], scene->map, set->width, set->height,
                                    bad ? &scene->truth : NULL, NULL);
        stop(times);
    }
    start(times);
    if (status == EAD_OK) status = ead_evaluation_finish(e, &metrics);
    stop(times);
    if (status == EAD_OK) ead_metrics_free(&metrics);
    ead_evaluation_free(e);
    return status;
}

static EadStatus measure(const EadBenchOptions *options, const TestSet *set, int repeat, double *wall,
                         double *cpu, EadBenchResults *results) {
    EadBenchResult result = ead_bench_result();
    Scene scene;
    EadStatus status = scene_new(set, &scene);
    ead_bench_memory_reset();
    for (int i = 0; i < repeat && status == EAD_OK; i++) {
        Times times = {0, 0};
        if (!options->quiet) ead_print(stderr, "metrics of %s, pass %d of %d\n", set->name, i + 1, repeat);
        status = evaluate(set, &scene, &times);
        wall[i] = times.wall;
        cpu[i] = times.cpu;
    }
    free(scene.map);
    free(scene.channel.mask);
    EAD_TRY(status);
    ead_bench_summarize(cpu, repeat, &result);
    result.cpu_ms = result.median_ms;
    ead_bench_summarize(wall, repeat, &result);
    snprintf(result.bench, sizeof result.bench, "metrics");
    snprintf(result.image, sizeof result.image, "%dx%d", set->height, set->width);
    result.batch = set->images;
    result.images_per_s = 1e3 * set->images / result.median_ms;
    result.peak_rss_mb = 1e-6 * (double)ead_machine_peak();
    return ead_bench_results_add(results, &result);
}

EadStatus ead_bench_metrics(const EadBenchOptions *options, EadBenchResults *results) {
    int repeat = options->repeat ? options->repeat : DEFAULT_REPEAT;
    double *times = ead_new(2 * (int64_t)repeat, sizeof *times, "times");
    if (!times) return EAD_NO_MEMORY;
    const TestSet own = {"generated maps", options->batch, (options->batch + 2) / 3,
                         options->height,  options->width, true};
    const TestSet *set = options->own_set ? &own : sets;
    int count = options->own_set ? 1 : (int)(sizeof sets / sizeof *sets);
    EadStatus status = EAD_OK;
    for (int i = 0; i < count && status == EAD_OK; i++)
        status = measure(options, &set[i], repeat, times, times + repeat, results);
    free(times);
    return status;
}
