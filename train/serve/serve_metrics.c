/* Counters, histograms, and their text. */
#include "train/serve/serve_metrics.h"

#include "core/base/memory.h"
#include "core/system/machine.h"
#include "train/serve/exchange.h"

#include <math.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIME_BOUNDS                                                                                          \
    { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30 }
#define SCORE_BOUNDS                                                                                         \
    { 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 100 }
enum { BOUNDS = 14, MOST_CODES = 64, MOST_REASONS = 16 };

static const double time_bounds[BOUNDS] = TIME_BOUNDS, score_bounds[BOUNDS] = SCORE_BOUNDS;
static const char *const stage_names[] = {
#define X(id, name) name,
    EAD_SERVE_STAGES(X)
#undef X
};

typedef struct Histogram {
    uint64_t counts[BOUNDS + 1]; /* of the values up to each bound and above the one before; beyond all */
    double sum;
} Histogram;

typedef struct ModelMetrics {
    EadServeTotals totals;
    Histogram stages[EAD_STAGES], scores;
} ModelMetrics;

/* Requests of a route that were answered with a code. */
typedef struct CodeCount {
    const char *route;
    int code;
    uint64_t count;
} CodeCount;

/* Images that were not inspected for one reason. */
typedef struct MissedCount {
    const char *reason;
    uint64_t count;
} MissedCount;

struct EadServeMetrics {
    const EadStringList *names;
    ModelMetrics *models; /* [names->count] */
    CodeCount codes[MOST_CODES];
    int code_count;
    MissedCount missed[MOST_REASONS];
    int reason_count;
    Histogram requests;
    time_t start;
    pthread_mutex_t mutex;
};

EadStatus ead_serve_metrics_new(const EadStringList *models, EadServeMetrics **out) {
    *out = ead_new(1, sizeof **out, "metrics");
    if (!*out) return EAD_NO_MEMORY;
    **out = (EadServeMetrics){.names = models, .start = time(NULL), .mutex = PTHREAD_MUTEX_INITIALIZER};
    (*out)->models = ead_new(models->count, sizeof(ModelMetrics), "metrics");
    if ((*out)->models) return EAD_OK;
    ead_serve_metrics_free(*out);
    *out = NULL;
    return EAD_NO_MEMORY;
}

void ead_serve_metrics_free(EadServeMetrics *metrics) {
    if (!metrics) return;
    pthread_mutex_destroy(&metrics->mutex);
    free(metrics->models);
    free(metrics);
}

/* ---- counting ---- */

static void observe(Histogram *histogram, const double bounds[BOUNDS], double value) {
    int i = 0;
    while (i < BOUNDS && value > bounds[i]) i++;
    histogram->counts[i]++;
    histogram->sum += value;
}

void ead_serve_metrics_answered(EadServeMetrics *metrics, const char *route, int code, double seconds) {
    int i = 0;
    pthread_mutex_lock(&metrics->mutex);
    while (i < metrics->code_count &&
           (metrics->codes[i].code != code || strcmp(metrics->codes[i].route, route) != 0))
        i++;
    if (i == metrics->code_count && i < MOST_CODES)
        metrics->codes[metrics->code_count++] = (CodeCount){route, code, 0};
    if (i < MOST_CODES) metrics->codes[i].count++;
    if (!isnan(seconds)) observe(&metrics->requests, time_bounds, seconds);
    pthread_mutex_unlock(&metrics->mutex);
}

void ead_serve_metrics_scored(EadServeMetrics *metrics, const EadServeCourse *course) {
    ModelMetrics *model = &metrics->models[ead_strings_find(metrics->names, course->model)];
    pthread_mutex_lock(&metrics->mutex);
    model->totals.requests++;
    model->totals.images += (uint64_t)course->count;
    model->totals.last = (double)time(NULL);
    for (int i = 0; i < EAD_STAGES; i++) {
        model->totals.seconds[i] += course->seconds[i];
        observe(&model->stages[i], time_bounds, course->seconds[i]);
    }
    for (int i = 0; i < course->count; i++) {
        observe(&model->scores, score_bounds, (double)course->images[i].score);
        model->totals.anomalous += course->images[i].score >= course->threshold;
    }
    pthread_mutex_unlock(&metrics->mutex);
}

void ead_serve_metrics_failed(EadServeMetrics *metrics, const char *model) {
    pthread_mutex_lock(&metrics->mutex);
    metrics->models[ead_strings_find(metrics->names, model)].totals.failures++;
    pthread_mutex_unlock(&metrics->mutex);
}

void ead_serve_metrics_missed(EadServeMetrics *metrics, const char *reason, int64_t count) {
    int i = 0;
    pthread_mutex_lock(&metrics->mutex);
    while (i < metrics->reason_count && strcmp(metrics->missed[i].reason, reason) != 0) i++;
    if (i == metrics->reason_count && i < MOST_REASONS)
        metrics->missed[metrics->reason_count++] = (MissedCount){reason, 0};
    if (i < MOST_REASONS) metrics->missed[i].count += (uint64_t)count;
    pthread_mutex_unlock(&metrics->mutex);
}

EadServeTotals ead_serve_metrics_totals(EadServeMetrics *metrics, const char *model) {
    pthread_mutex_lock(&metrics->mutex);
    EadServeTotals totals = metrics->models[ead_strings_find(metrics->names, model)].totals;
    pthread_mutex_unlock(&metrics->mutex);
    return totals;
}

/* ---- the text ---- */

static void write_head(FILE *stream, const char *name, const char *type, const char *help) {
    fprintf(stream, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* labels: "", or without braces. */
static void write_histogram(FILE *stream, const char *name, const char *labels, const Histogram *histogram,
                            const double bounds[BOUNDS]) {
    const char *comma = labels[0] ? "," : "", *open = labels[0] ? "{" : "", *close = labels[0] ? "}" : "";
    uint64_t count = 0;
    for (int i = 0; i <= BOUNDS; i++) {
        count += histogram->counts[i];
        fprintf(stream, "%s_bucket{%s%sle=\"", name, labels, comma);
        if (i < BOUNDS)
            fprintf(stream, "%g", bounds[i]);
        else
            fputs("+Inf", stream);
        fprintf(stream, "\"} %llu\n", (unsigned long long)count);
    }
    fprintf(stream, "%s_sum%s%s%s %.9g\n", name, open, labels, close, histogram->sum);
    fprintf(stream, "%s_count%s%s%s %llu\n", name, open, labels, close, (unsigned long long)count);
}

/* What went wrong, by the code of the answer; NULL: nothing. */
static const char *error_kind(int code) {
    static const struct {
        int code;
        const char *kind;
    } kinds[] = {{EAD_HTTP_UNAUTHORIZED, "unauthorized"},
                 {EAD_HTTP_FORBIDDEN, "unauthorized"},
                 {EAD_HTTP_MISDIRECTED, "unauthorized"},
                 {EAD_HTTP_NOT_FOUND, "not_found"},
                 {EAD_HTTP_TOO_LARGE, "too_large"},
                 {EAD_HTTP_GONE, "gone"},
                 {EAD_HTTP_UNAVAILABLE, "busy"},
                 {EAD_HTTP_LATE, "deadline"},
                 {EAD_HTTP_FAILED, "internal"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].code == code) return kinds[i].kind;
    return code >= EAD_HTTP_BAD_REQUEST ? "bad_request" : NULL;
}

static void write_requests(const EadServeMetrics *metrics, FILE *stream) {
    static const char *const kinds[] = {"bad_request", "unauthorized", "not_found", "too_large",
                                        "gone",        "busy",         "deadline",  "internal"};
    write_head(stream, "efficientad_requests_total", "counter",
               "Requests answered, by route and HTTP status code.");
    for (int i = 0; i < metrics->code_count; i++)
        fprintf(stream, "efficientad_requests_total{route=\"%s\",code=\"%d\"} %llu\n",
                metrics->codes[i].route, metrics->codes[i].code, (unsigned long long)metrics->codes[i].count);
    write_head(stream, "efficientad_errors_total", "counter",
               "Requests that were not answered as asked, by kind.");
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        uint64_t count = 0;
        for (int i = 0; i < metrics->code_count; i++) {
            const char *kind = error_kind(metrics->codes[i].code);
            if (kind && strcmp(kind, kinds[k]) == 0) count += metrics->codes[i].count;
        }
        fprintf(stream, "efficientad_errors_total{kind=\"%s\"} %llu\n", kinds[k], (unsigned long long)count);
    }
    write_head(stream, "efficientad_request_seconds", "histogram",
               "Time from a request's header to its answer.");
    write_histogram(stream, "efficientad_request_seconds", "", &metrics->requests, time_bounds);
}

static void write_models(const EadServeMetrics *metrics, FILE *stream) {
    static const struct {
        const char *name, *help;
        size_t member;
    } counters[] = {{"efficientad_images_total", "Images scored.", offsetof(EadServeTotals, images)},
                    {"efficientad_anomalous_total", "Images whose score reached the threshold.",
                     offsetof(EadServeTotals, anomalous)}};
    char labels[192];
    for (size_t c = 0; c < sizeof counters / sizeof *counters; c++) {
        write_head(stream, counters[c].name, "counter", counters[c].help);
        for (int i = 0; i < metrics->names->count; i++) {
            uint64_t value;
            memcpy(&value, (const char *)&metrics->models[i].totals + counters[c].member, sizeof value);
            fprintf(stream, "%s{model=\"%s\"} %llu\n", counters[c].name, metrics->names->items[i],
                    (unsigned long long)value);
        }
    }
    write_head(stream, "efficientad_stage_seconds", "histogram",
               "Time of a request's stages: waiting for a worker, decoding, detector with its queue, writing "
               "the reply.");
    for (int i = 0; i < metrics->names->count; i++)
        for (int s = 0; s < EAD_STAGES; s++) {
            snprintf(labels, sizeof labels, "model=\"%s\",stage=\"%s\"", metrics->names->items[i],
                     stage_names[s]);
            write_histogram(stream, "efficientad_stage_seconds", labels, &metrics->models[i].stages[s],
                            time_bounds);
        }
    write_head(stream, "efficientad_score", "histogram", "Scores of images.");
    for (int i = 0; i < metrics->names->count; i++) {
        snprintf(labels, sizeof labels, "model=\"%s\"", metrics->names->items[i]);
        write_histogram(stream, "efficientad_score", labels, &metrics->models[i].scores, score_bounds);
    }
}

static void write_missed(const EadServeMetrics *metrics, FILE *stream) {
    if (metrics->reason_count == 0) return;
    write_head(stream, "efficientad_not_inspected_total", "counter",
               "Images of a camera that were not inspected, by reason.");
    for (int i = 0; i < metrics->reason_count; i++)
        fprintf(stream, "efficientad_not_inspected_total{reason=\"%s\"} %llu\n", metrics->missed[i].reason,
                (unsigned long long)metrics->missed[i].count);
}

void ead_serve_metrics_write(EadServeMetrics *metrics, FILE *stream) {
    struct timespec cpu;
    pthread_mutex_lock(&metrics->mutex);
    write_requests(metrics, stream);
    write_models(metrics, stream);
    write_missed(metrics, stream);
    pthread_mutex_unlock(&metrics->mutex);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    write_head(stream, "process_resident_memory_bytes", "gauge", "Memory that the process takes.");
    fprintf(stream, "process_resident_memory_bytes %zu\n", ead_machine_resident());
    write_head(stream, "process_cpu_seconds_total", "counter", "Processor time that the process has taken.");
    fprintf(stream, "process_cpu_seconds_total %.3f\n", (double)cpu.tv_sec + 1e-9 * (double)cpu.tv_nsec);
    write_head(stream, "process_start_time_seconds", "gauge",
               "When the process began, in seconds since 1970.");
    fprintf(stream, "process_start_time_seconds %lld\n", (long long)metrics->start);
}
