/* The list and the statistics; JSON and CSV for programs, tables for people. */
#include "bench/bench_results.h"

#include "bench/bench_machine.h"
#include "core/base/atomic_file.h"
#include "core/base/memory.h"
#include "core/graph/op.h"
#include "data/dataset/csv_reader.h"
#include "train/support/json_writer.h"
#include "train/support/version.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static void clear_Text(EadBenchText *text) {
    (*text)[0] = '\0';
}
static void clear_Whole(EadBenchWhole *whole) {
    *whole = -1;
}
static void clear_Number(EadBenchNumber *number) {
    *number = NAN;
}

EadBenchResult ead_bench_result(void) {
    EadBenchResult result;
#define EAD_COLUMN(kind, name) clear_##kind(&result.name);
#include "bench/bench_columns.def"
#undef EAD_COLUMN
    return result;
}

EadStatus ead_bench_results_add(EadBenchResults *results, const EadBenchResult *result) {
    EAD_TRY(ead_grow(&results->items, &results->capacity, results->count, sizeof *result, "results"));
    results->items[results->count++] = *result;
    return EAD_OK;
}

void ead_bench_results_free(EadBenchResults *results) {
    free(results->items);
    *results = (EadBenchResults){0};
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(const double *sorted, int count, double fraction) {
    double position = fraction * (count - 1);
    int below = (int)position, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

void ead_bench_summarize(double *times, int count, EadBenchResult *result) {
    qsort(times, (size_t)count, sizeof *times, ascending);
    result->repeats = count;
    result->median_ms = percentile(times, count, 0.5);
    result->p10_ms = percentile(times, count, 0.1);
    result->p90_ms = percentile(times, count, 0.9);
    result->p99_ms = percentile(times, count, 0.99);
    result->min_ms = times[0];
    result->max_ms = times[count - 1];
}

/* ---- JSON and CSV ---- */

/* Absent values have no key. */
static void put_Text(EadJson *json, const char *key, const char *text) {
    if (*text) ead_json_string(json, key, text);
}
static void put_Whole(EadJson *json, const char *key, EadBenchWhole whole) {
    if (whole >= 0) ead_json_integer(json, key, whole);
}
static void put_Number(EadJson *json, const char *key, EadBenchNumber number) {
    if (isfinite(number)) ead_json_number(json, key, number, 6);
}

static void put_machine(EadJson *json, const EadBenchMachine *machine) {
    ead_json_open(json, "machine", '{');
    put_Text(json, "cpu", machine->cpu.model);
    put_Whole(json, "cores", machine->cores);
    ead_json_open(json, "flags", '[');
    for (int i = 0; i < machine->cpu.flag_count; i++) ead_json_string(json, NULL, machine->cpu.flags[i]);
    ead_json_close(json, ']');
    put_Number(json, "memory_gb", machine->memory_gb);
    put_Whole(json, "threads", machine->threads);
    put_Text(json, "device", machine->device);
    put_Text(json, "gpu", machine->gpu);
    put_Whole(json, "gpu_capability", machine->gpu_capability);
    put_Whole(json, "gpu_multiprocessors", machine->gpu_multiprocessors);
    put_Number(json, "gpu_memory_gb", machine->gpu_memory_gb);
    put_Number(json, "fp32_peak_gflop_per_s", machine->peak_gflop_per_s);
    put_Text(json, "system", machine->system);
    put_Text(json, "version", ead_version());
    put_Text(json, "date", machine->date);
    ead_json_close(json, '}');
}

EadStatus ead_bench_write_json(const char *path, const EadBenchMachine *machine,
                               const EadBenchResults *results) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    EadJson json = {.stream = file.stream, .reals = true};
    ead_json_open(&json, NULL, '{');
    put_machine(&json, machine);
    ead_json_open(&json, "results", '[');
    for (int i = 0; i < results->count; i++) {
        ead_json_open(&json, NULL, '{');
#define EAD_COLUMN(kind, name) put_##kind(&json, #name, results->items[i].name);
#include "bench/bench_columns.def"
#undef EAD_COLUMN
        ead_json_close(&json, '}');
    }
    ead_json_close(&json, ']');
    ead_json_close(&json, '}');
    putc('\n', file.stream);
    return ead_atomic_file_commit(&file);
}

static void print_Text(FILE *stream, const char *text) {
    ead_csv_write_text(stream, text);
}
static void print_Whole(FILE *stream, EadBenchWhole whole) {
    if (whole >= 0) fprintf(stream, "%" PRId64, whole);
}
static void print_Number(FILE *stream, EadBenchNumber number) {
    if (isfinite(number)) fprintf(stream, "%.6g", number);
}

EadStatus ead_bench_write_csv(const char *path, const EadBenchResults *results) {
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    const char *separator = "";
#define EAD_COLUMN(kind, name)                                                                               \
    fprintf(file.stream, "%s" #name, separator);                                                             \
    separator = ",";
#include "bench/bench_columns.def"
#undef EAD_COLUMN
    putc('\n', file.stream);
    for (int i = 0; i < results->count; i++) {
        separator = "";
#define EAD_COLUMN(kind, name)                                                                               \
    fputs(separator, file.stream);                                                                           \
    separator = ",";                                                                                         \
    print_##kind(file.stream, results->items[i].name);
#include "bench/bench_columns.def"
#undef EAD_COLUMN
        putc('\n', file.stream);
    }
    return ead_atomic_file_commit(&file);
}

/* ---- tables; absent numbers are blank ---- */

void ead_bench_print_machine(FILE *stream, const EadBenchMachine *machine) {
    fprintf(stream, "%s, %d cores, %.1f GB, %s\n", machine->cpu.model, machine->cores, machine->memory_gb,
            machine->system);
    fprintf(stream, "efficientad %s, %d threads", ead_version(), machine->threads);
    if (isfinite(machine->peak_gflop_per_s))
        fprintf(stream, ", fp32 peak measured %.0f GFLOP/s", machine->peak_gflop_per_s);
    fputc('\n', stream);
    if (*machine->gpu)
        fprintf(stream, "%s: %s, compute capability %d.%d, %d multiprocessors, %.1f GB\n", machine->device,
                machine->gpu, machine->gpu_capability / 10, machine->gpu_capability % 10,
                machine->gpu_multiprocessors, machine->gpu_memory_gb);
}

static void print_number(FILE *stream, int width, int decimals, double number) {
    if (isfinite(number))
        fprintf(stream, "%*.*f", width, decimals, number);
    else
        fprintf(stream, "%*s", width, "");
}

/* A column of a table: which number of a result, how it is printed. */
typedef struct Column {
    const char *title;
    size_t offset; /* of an EadBenchNumber in EadBenchResult */
    int width, decimals;
    double scale;
} Column;

#define COLUMN(title, member, width, decimals, scale)                                                        \
    { title, offsetof(EadBenchResult, member), width, decimals, scale }

static const Column whole_columns[] = {
    COLUMN("median ms", median_ms, 10, 3, 1),  COLUMN("p10 ms", p10_ms, 10, 3, 1),
    COLUMN("p90 ms", p90_ms, 10, 3, 1),        COLUMN("p99 ms", p99_ms, 10, 3, 1),
    COLUMN("min ms", min_ms, 10, 3, 1),        COLUMN("max ms", max_ms, 10, 3, 1),
    COLUMN("CPU ms", cpu_ms, 10, 2, 1),        COLUMN("images/s", images_per_s, 10, 2, 1),
    COLUMN("GFLOP", gflop, 9, 1, 1),           COLUMN("GFLOP/s", gflop_per_s, 10, 1, 1),
    COLUMN("%peak", share_of_peak, 7, 1, 100), COLUMN("peak MB", peak_rss_mb, 10, 1, 1),
    COLUMN("arena MB", arena_mb, 10, 1, 1),    {NULL, 0, 0, 0, 0}};

static const Column simulated_columns[] = {COLUMN("predicted ms", predicted_ms, 14, 3, 1),
                                           COLUMN("measured", median_ms, 10, 3, 1),
                                           COLUMN("speed-up", speed_up, 10, 2, 1),
                                           COLUMN("efficiency %", efficiency, 14, 1, 100),
                                           COLUMN("images/s", images_per_s, 10, 2, 1),
                                           COLUMN("side by side", side_by_side_per_s, 14, 2, 1),
                                           {NULL, 0, 0, 0, 0}};

static const Column call_columns[] = {COLUMN("median ms", median_ms, 10, 3, 1),
                                      COLUMN("%", share, 6, 1, 100),
                                      COLUMN("GFLOP/s", gflop_per_s, 9, 1, 1),
                                      COLUMN("real", real_gflop_per_s, 8, 1, 1),
                                      COLUMN("%peak", real_share_of_peak, 7, 1, 100),
                                      COLUMN("MB", mb, 8, 2, 1),
                                      COLUMN("GB/s", gb_per_s, 7, 1, 1),
                                      COLUMN("efficiency", efficiency, 12, 2, 1),
                                      {NULL, 0, 0, 0, 0}};

/* The titles, or with a result its numbers. */
static void print_columns(FILE *stream, const Column *columns, const EadBenchResult *result) {
    for (; columns->title; columns++) {
        if (result) {
            double number = *(const EadBenchNumber *)((const char *)result + columns->offset);
            print_number(stream, columns->width, columns->decimals, columns->scale * number);
        } else
            fprintf(stream, "%*s", columns->width, columns->title);
    }
}

static void print_sum(FILE *stream, const char *op, const EadBenchResult *sum) {
    fprintf(stream, "%6s%-28s%8d%10.3f%7.1f", "", op, (int)sum->repeats, sum->median_ms, 100 * sum->share);
    print_number(stream, 10, 1, sum->gflop > 0 ? 1e3 * sum->gflop / sum->median_ms : NAN);
    fputc('\n', stream);
}

/* The results first .. last-1 by op, in the order of the op table; repeats is the number of calls. */
static void print_sums(FILE *stream, const EadBenchResults *results, int first, int last) {
    EadBenchResult total = {.repeats = last - first};
    fprintf(stream, "\n%6s%-28s%8s%10s%7s%10s\n", "", "sums by op", "calls", "ms", "%", "GFLOP/s");
    for (int op = EAD_OP_LEAF + 1; op < EAD_OP_COUNT; op++) {
        EadBenchResult sum = {.repeats = 0};
        for (int i = first; i < last; i++) {
            const EadBenchResult *r = &results->items[i];
            if (strcmp(r->op, ead_op((EadOpId)op)->name) != 0) continue;
            sum.repeats++;
            sum.median_ms += r->median_ms;
            sum.share += r->share;
            if (isfinite(r->gflop)) sum.gflop += r->gflop;
        }
        if (sum.repeats == 0) continue;
        print_sum(stream, ead_op((EadOpId)op)->name, &sum);
        total.median_ms += sum.median_ms;
        total.share += sum.share;
        total.gflop += sum.gflop;
    }
    print_sum(stream, "total", &total);
}

/* Prints the calls of the plan that starts at result `first`; returns where it ends. */
static int print_plan(FILE *stream, const EadBenchResults *results, int first) {
    const EadBenchResult *head = &results->items[first];
    fprintf(stream, "\nops of %s, %s, batch %d, %s\n", head->plan, head->model, (int)head->batch,
            head->image);
    fprintf(stream, "%4s  %-28s%-23s%-10s%-40s", "", "op", "layer", "algorithm", "shape");
    print_columns(stream, call_columns, NULL);
    fprintf(stream, "%10s\n", "error");
    int last = first;
    for (; last < results->count && strcmp(results->items[last].plan, head->plan) == 0; last++) {
        const EadBenchResult *r = &results->items[last];
        fprintf(stream, "%4d  %-28s%-23s%-10s%-40s", (int)r->call, r->op, r->layer, r->algorithm, r->shape);
        print_columns(stream, call_columns, r);
        if (isfinite(r->error)) fprintf(stream, "%10.1e", r->error);
        fputc('\n', stream);
    }
    print_sums(stream, results, first, last);
    return last;
}

static void print_simulated(FILE *stream, const EadBenchResults *results) {
    bool head = false;
    for (int i = 0; i < results->count; i++) {
        const EadBenchResult *r = &results->items[i];
        if (*r->plan || r->threads < 0) continue;
        if (!head) {
            fprintf(stream, "\n%-9s%-9s%6s %-10s%8s", "simulated", "model", "batch", "image", "threads");
            print_columns(stream, simulated_columns, NULL);
            fputc('\n', stream);
        }
        head = true;
        fprintf(stream, "%-9s%-9s%6d %-10s%8d", r->bench, r->model, (int)r->batch, r->image, (int)r->threads);
        print_columns(stream, simulated_columns, r);
        fputc('\n', stream);
    }
}

void ead_bench_print_results(FILE *stream, const EadBenchResults *results) {
    bool head = false;
    for (int i = 0; i < results->count; i++) {
        const EadBenchResult *r = &results->items[i];
        if (*r->plan || r->threads >= 0) continue;
        if (!head) {
            fprintf(stream, "\n%-9s%-19s%6s %-10s%5s", "bench", "model", "batch", "image", "load");
            print_columns(stream, whole_columns, NULL);
            fputc('\n', stream);
        }
        head = true;
        fprintf(stream, "%-9s%-19s%6d %-10s%5d", r->bench, r->model, (int)r->batch, r->image,
                r->load > 0 ? (int)r->load : 0);
        print_columns(stream, whole_columns, r);
        fputc('\n', stream);
    }
    print_simulated(stream, results);
    for (int i = 0; i < results->count;) i = *results->items[i].plan ? print_plan(stream, results, i) : i + 1;
}
