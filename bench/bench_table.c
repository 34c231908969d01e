/* Tables with fixed columns; absent metrics are blank. */
#include "bench/bench_table.h"

#include "core/backend/backend.h"
#include "train/support/version.h"

#include <math.h>
#include <string.h>

void ead_bench_print_machine(FILE *stream, const EadBenchMachine *machine) {
    fprintf(stream, "%s, %d cores, %.1f GB, %s\n", machine->cpu, machine->cores, machine->memory_gb,
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

static void print_whole_head(FILE *stream) {
    fprintf(stream, "\n%-9s%-17s%6s %-10s%10s%10s%10s%10s%10s%10s%9s%10s%7s%10s%10s\n", "bench", "model",
            "batch", "image", "median ms", "p10 ms", "p90 ms", "min ms", "CPU ms", "images/s", "GFLOP",
            "GFLOP/s", "%peak", "peak MB", "arena MB");
}

static void print_whole(FILE *stream, const EadBenchResult *r) {
    fprintf(stream, "%-9s%-17s%6d %-10s", r->bench, r->model, (int)r->batch, r->image);
    print_number(stream, 10, 3, r->median_ms);
    print_number(stream, 10, 3, r->p10_ms);
    print_number(stream, 10, 3, r->p90_ms);
    print_number(stream, 10, 3, r->min_ms);
    print_number(stream, 10, 2, r->cpu_ms);
    print_number(stream, 10, 2, r->images_per_s);
    print_number(stream, 9, 1, r->gflop);
    print_number(stream, 10, 1, r->gflop_per_s);
    print_number(stream, 7, 1, 100 * r->share_of_peak);
    print_number(stream, 10, 1, r->peak_rss_mb);
    print_number(stream, 10, 1, r->arena_mb);
    fputc('\n', stream);
}

static void print_call(FILE *stream, const EadBenchResult *r) {
    fprintf(stream, "%4d  %-28s%-23s%-10s%-40s", (int)r->call, r->op, r->layer, r->algorithm, r->shape);
    print_number(stream, 10, 3, r->median_ms);
    print_number(stream, 6, 1, 100 * r->share);
    print_number(stream, 9, 1, r->gflop_per_s);
    print_number(stream, 8, 1, r->real_gflop_per_s);
    print_number(stream, 7, 1, 100 * r->real_share_of_peak);
    print_number(stream, 8, 2, r->mb);
    print_number(stream, 7, 1, r->gb_per_s);
    if (isfinite(r->error)) fprintf(stream, "%10.1e", r->error);
    fputc('\n', stream);
}

/* The sum of all results first .. last-1 of one op; repeats is the number of calls. */
static EadBenchResult sum_of(const EadBenchResults *results, int first, int last, const char *op) {
    EadBenchResult sum = {.repeats = 0};
    for (int i = first; i < last; i++) {
        const EadBenchResult *r = &results->items[i];
        if (strcmp(r->op, op) != 0) continue;
        sum.repeats++;
        sum.median_ms += r->median_ms;
        sum.share += r->share;
        if (isfinite(r->gflop)) sum.gflop += r->gflop;
    }
    return sum;
}

static void print_sum(FILE *stream, const char *op, const EadBenchResult *sum) {
    fprintf(stream, "%6s%-28s%8d%10.3f%7.1f", "", op, (int)sum->repeats, sum->median_ms, 100 * sum->share);
    print_number(stream, 10, 1, sum->gflop > 0 ? 1e3 * sum->gflop / sum->median_ms : NAN);
    fputc('\n', stream);
}

/* In the order of the op table. */
static void print_sums(FILE *stream, const EadBenchResults *results, int first, int last) {
    EadBenchResult total = {.repeats = last - first};
    fprintf(stream, "\n%6s%-28s%8s%10s%7s%10s\n", "", "sums by op", "calls", "ms", "%", "GFLOP/s");
    for (int op = EAD_OP_LEAF + 1; op < EAD_OP_COUNT; op++) {
        EadBenchResult sum = sum_of(results, first, last, ead_op((EadOpId)op)->name);
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
    fprintf(stream, "%4s  %-28s%-23s%-10s%-40s%10s%6s%9s%8s%7s%8s%7s%10s\n", "", "op", "layer", "algorithm",
            "shape", "median ms", "%", "GFLOP/s", "real", "%peak", "MB", "GB/s", "error");
    int last = first;
    while (last < results->count && strcmp(results->items[last].plan, head->plan) == 0)
        print_call(stream, &results->items[last++]);
    print_sums(stream, results, first, last);
    return last;
}

void ead_bench_print_results(FILE *stream, const EadBenchResults *results) {
    bool head = false;
    for (int i = 0; i < results->count; i++) {
        if (*results->items[i].plan) continue;
        if (!head) print_whole_head(stream);
        head = true;
        print_whole(stream, &results->items[i]);
    }
    for (int i = 0; i < results->count;) i = *results->items[i].plan ? print_plan(stream, results, i) : i + 1;
}
