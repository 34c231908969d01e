/* The calls of a plan made for so many threads, done by one thread and scheduled on paper. */
#include "bench/bench_machine.h"
#include "bench/bench_setup.h"
#include "bench/simulation/schedule.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/base/printing.h"
#include "core/system/clock.h"
#include "core/system/machine.h"
#include "models/detector.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_REPEAT = 5, WARM_UP = 2, MOST_THREADS = 1024 };

/* ---- the machine, measured ---- */

/* Bytes a second that the memory of a machine with many cores brings, whatever their number: that of eight channels of
 * DDR4-3200. This machine cannot be asked. */
static const double MOST_BYTES_PER_SECOND = 200e9;

typedef struct Machine {
    double barrier;          /* seconds that beginning and end of a region take two threads */
    double bytes_per_second; /* that one thread reads and writes */
} Machine;

static double time_regions(void) {
    enum { REGIONS = 20 };
    double begun = ead_clock_seconds();
    for (int i = 0; i < REGIONS; i++) {
#pragma omp parallel num_threads(2)
        __asm__ volatile("" ::: "memory");
    }
    return (ead_clock_seconds() - begun) / REGIONS;
}

static EadStatus measure_machine(Machine *machine) {
    enum { BYTES = 1 << 26, TRIES = 5, REGION_TRIES = 200 };
    char *from = ead_new(BYTES, 1, "a copy"), *to = from ? ead_new(BYTES, 1, "a copy") : NULL;
    *machine = (Machine){.barrier = INFINITY};
    for (int i = 0; i < REGION_TRIES; i++) machine->barrier = fmin(machine->barrier, time_regions());
    for (int i = 0; to && i < TRIES; i++) {
        memset(from, i, BYTES);
        double begun = ead_clock_thread_seconds();
        memcpy(to, from, BYTES);
        double seconds = ead_clock_thread_seconds() - begun;
        machine->bytes_per_second = fmax(machine->bytes_per_second, 2 * BYTES / seconds);
    }
    EadStatus status = to ? EAD_OK : EAD_NO_MEMORY;
    free(from);
    free(to);
    return status;
}

static double bytes_per_second(const Machine *machine, int threads) {
    return fmin(threads * machine->bytes_per_second, fmax(MOST_BYTES_PER_SECOND, machine->bytes_per_second));
}

/* Every doubling of the threads is one more round of telling each other. */
static double barrier_of(const Machine *machine, int threads) {
    return threads > 1 ? machine->barrier * ceil(log2(threads)) : 0;
}

/* ---- what is simulated ---- */

typedef struct Subject {
    const EadBenchOptions *options;
    bool steps;
    EadBenchFit fit;
    EadDetector *detector; /* of an inference, as all below */
    uint8_t *images;
    const EadPlan *plan;
} Subject;

static EadStatus run_once(Subject *s) {
    const float *maps;
    if (!s->steps) return ead_detector_run_batch(s->detector, s->images, &maps);
    ead_step_run(&s->fit.step, s->fit.slot);
    return EAD_OK;
}

static EadStatus open_subject(const EadBenchOptions *options, bool steps, Subject *s) {
    *s = (Subject){.options = options, .steps = steps};
    EAD_TRY(ead_bench_fit_open(options, NULL, steps, &s->fit));
    if (!steps) {
        EAD_TRY(ead_bench_images(options, &s->images));
        EAD_TRY(ead_detector_new(s->fit.model, &options->plan, options->batch, &s->detector));
    }
    s->plan = steps ? s->fit.step.plan : ead_detector_plan(s->detector);
    return run_once(s); /* fills the leaves of images, which later passes read again */
}

static void close_subject(Subject *s) {
    ead_detector_close(s->detector);
    free(s->images);
    ead_bench_fit_close(&s->fit);
}

static double bytes_of(const EadCall *call) {
    double bytes = (double)ead_bytes(call->y) + (double)call->packed_bytes;
    for (int k = 0; k < EAD_MAX_INPUTS; k++)
        if (call->x[k]) bytes += (double)ead_bytes(call->x[k]);
    return bytes;
}

/* ---- predictions ---- */

typedef struct Prediction {
    double *seconds; /* by call, the median of the passes */
    int count;
    double total, bytes;
} Prediction;

/* Seconds of one call by the simulated team, which has just done it. */
static double scheduled(const EadTeamRecord *record, double elapsed, double barrier) {
    double alone = elapsed - record->inside;
    return (alone > 0 ? alone : 0) + ead_schedule_record(record, barrier);
}

static double median(double *times, int count) {
    EadBenchResult result;
    ead_bench_summarize(times, count, &result);
    return result.median_ms;
}

static EadStatus record_calls(const Subject *s, const Machine *machine, int threads, EadTeamRecord *record,
                              Prediction *out) {
    int repeat = s->options->repeat ? s->options->repeat : DEFAULT_REPEAT;
    double *times = ead_new((int64_t)out->count * repeat, sizeof *times, "the times of all calls");
    if (!times) return EAD_NO_MEMORY;
    for (int pass = -WARM_UP; pass < repeat; pass++)
        for (int i = 0; i < out->count; i++) {
            const EadNode *node;
            const EadCall *call = ead_plan_call(s->plan, i, &node);
            ead_team_record_clear(record);
            double begun = ead_clock_thread_seconds();
            call->run(call);
            double seconds =
                scheduled(record, ead_clock_thread_seconds() - begun, barrier_of(machine, threads));
            if (pass >= 0) times[(int64_t)i * repeat + pass] = seconds;
        }
    for (int i = 0; i < out->count; i++) {
        const EadNode *node;
        double bytes = bytes_of(ead_plan_call(s->plan, i, &node));
        double seconds = median(times + (int64_t)i * repeat, repeat);
        out->seconds[i] = fmax(seconds, bytes / bytes_per_second(machine, threads));
        out->total += out->seconds[i];
        out->bytes += bytes;
    }
    free(times);
    return EAD_OK;
}

static EadStatus predict(const EadBenchOptions *options, bool steps, const Machine *machine, int threads,
                         Prediction *out) {
    Subject subject = {0};
    EadTeamRecord record = {0};
    *out = (Prediction){0};
    EAD_TRY(ead_team_simulate(threads, &record));
    EadStatus status = open_subject(options, steps, &subject);
    if (status == EAD_OK) {
        out->count = ead_plan_call_count(subject.plan);
        out->seconds = ead_new(out->count, sizeof *out->seconds, "the times of all calls");
        status = out->seconds ? record_calls(&subject, machine, threads, &record, out) : EAD_NO_MEMORY;
    }
    close_subject(&subject);
    EadStatus ended = ead_team_simulate_end();
    ead_team_record_free(&record);
    return status == EAD_OK ? ended : status;
}

/* ---- the same in earnest, where there are as many processors ---- */

static EadStatus measure(const EadBenchOptions *options, bool steps, int threads, EadBenchResult *result) {
    Subject subject;
    int before = omp_get_max_threads(), repeat = options->repeat ? options->repeat : DEFAULT_REPEAT;
    double *times = ead_new(repeat, sizeof *times, "times");
    if (!times) return EAD_NO_MEMORY;
    omp_set_num_threads(threads);
    EadStatus status = open_subject(options, steps, &subject);
    for (int pass = -WARM_UP; pass < repeat && status == EAD_OK; pass++) {
        double begun = ead_clock_seconds();
        ead_plan_run(subject.plan);
        if (pass >= 0) times[pass] = 1e3 * (ead_clock_seconds() - begun);
    }
    if (status == EAD_OK) ead_bench_summarize(times, repeat, result);
    close_subject(&subject);
    omp_set_num_threads(before);
    free(times);
    return status;
}

/* ---- results ---- */

static EadBenchResult result_of(const EadBenchOptions *options, bool steps, int threads) {
    EadBenchResult result = ead_bench_result_for(options, NULL, steps ? "step" : "infer", "");
    snprintf(result.model, sizeof result.model, "%s", options->size);
    result.batch = steps ? 1 : options->batch;
    result.threads = threads;
    return result;
}

/* Where the time of the most threads goes. */
static EadStatus add_calls(const EadBenchOptions *options, bool steps, int threads, const Prediction *one,
                           const Prediction *many, EadBenchResults *results) {
    Subject subject;
    EadBenchResult result = result_of(options, steps, threads);
    EadStatus status = open_subject(options, steps, &subject);
    snprintf(result.bench, sizeof result.bench, "simulated");
    snprintf(result.plan, sizeof result.plan, "%s at %d threads", steps ? "step" : "infer", threads);
    for (int i = 0; i < many->count && status == EAD_OK; i++) {
        ead_bench_describe_call(subject.plan, i, &result);
        result.median_ms = 1e3 * many->seconds[i];
        result.share = many->seconds[i] / many->total;
        result.efficiency = one->seconds[i] / (threads * many->seconds[i]);
        status = ead_bench_results_add(results, &result);
    }
    close_subject(&subject);
    return status;
}

static EadStatus simulate(const EadBenchOptions *options, bool steps, const Machine *machine,
                          EadBenchResults *results) {
    Prediction one = {0}, many = {0};
    EadStatus status = EAD_OK;
    int last = 0;
    for (int i = 0; i < options->simulated_count && status == EAD_OK; i++) {
        int threads = last = options->simulated[i];
        EadBenchResult result = result_of(options, steps, threads);
        free(many.seconds);
        status = predict(options, steps, machine, threads, &many);
        if (status != EAD_OK) break;
        if (i == 0) status = predict(options, steps, machine, 1, &one);
        if (status == EAD_OK && threads <= ead_machine_cpus())
            status = measure(options, steps, threads, &result);
        double alone = fmax(one.total, threads * one.bytes / bytes_per_second(machine, threads));
        result.predicted_ms = 1e3 * many.total;
        result.speed_up = one.total / many.total;
        result.efficiency = result.speed_up / threads;
        result.images_per_s = (double)result.batch / many.total;
        result.side_by_side_per_s = threads * (double)result.batch / alone;
        if (status == EAD_OK) status = ead_bench_results_add(results, &result);
    }
    if (status == EAD_OK && last > 1) status = add_calls(options, steps, last, &one, &many, results);
    free(one.seconds);
    free(many.seconds);
    return status;
}

EadStatus ead_bench_simulate(const EadBenchOptions *options, const char *word, EadBenchResults *results) {
    Machine machine;
    EAD_TRY(measure_machine(&machine));
    if (!options->quiet)
        ead_print(stderr,
                  "simulating threads for %s %s: a region costs two of them %.1f us, one copies %.1f GB/s, "
                  "all at most %.0f GB/s\n",
                  word, options->size, 1e6 * machine.barrier, 1e-9 * machine.bytes_per_second,
                  1e-9 * bytes_per_second(&machine, MOST_THREADS));
    return simulate(options, strcmp(word, "step") == 0, &machine, results);
}
