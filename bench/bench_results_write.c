/* Results as JSON and as CSV. */
#include "bench/bench_machine.h"
#include "bench/bench_results.h"

#include "core/base/atomic_file.h"
#include "train/support/json_writer.h"
#include "train/support/version.h"

#include <inttypes.h>
#include <math.h>

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

static void put_result(EadJson *json, const EadBenchResult *result) {
    ead_json_open(json, NULL, '{');
#define EAD_COLUMN(kind, name) put_##kind(json, #name, result->name);
#include "bench/bench_columns.def"
#undef EAD_COLUMN
    ead_json_close(json, '}');
}

static void put_machine(EadJson *json, const EadBenchMachine *machine) {
    ead_json_open(json, "machine", '{');
    put_Text(json, "cpu", machine->cpu);
    put_Whole(json, "cores", machine->cores);
    ead_json_open(json, "flags", '[');
    for (int i = 0; i < machine->flag_count; i++) ead_json_string(json, NULL, machine->flags[i]);
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
    for (int i = 0; i < results->count; i++) put_result(&json, &results->items[i]);
    ead_json_close(&json, ']');
    ead_json_close(&json, '}');
    putc('\n', file.stream);
    return ead_atomic_file_commit(&file);
}

/* No text of ours holds quotes, so quoting every text is all that CSV asks for. */
static void print_Text(FILE *stream, const char *text) {
    if (*text) fprintf(stream, "\"%s\"", text);
}
static void print_Whole(FILE *stream, EadBenchWhole whole) {
    if (whole >= 0) fprintf(stream, "%" PRId64, whole);
}
static void print_Number(FILE *stream, EadBenchNumber number) {
    if (isfinite(number)) fprintf(stream, "%.6g", number);
}

static void print_row(FILE *stream, const EadBenchResult *result) {
    const char *separator = "";
#define EAD_COLUMN(kind, name)                                                                               \
    fputs(separator, stream);                                                                                \
    separator = ",";                                                                                         \
    print_##kind(stream, result->name);
#include "bench/bench_columns.def"
#undef EAD_COLUMN
    putc('\n', stream);
}

EadStatus ead_bench_write_csv(const char *path, const EadBenchResults *results) {
    static const char *const names[] = {
#define EAD_COLUMN(kind, name) #name,
#include "bench/bench_columns.def"
#undef EAD_COLUMN
    };
    EadAtomicFile file;
    EAD_TRY(ead_atomic_file_open(&file, path));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        fprintf(file.stream, "%s%s", i ? "," : "", names[i]);
    putc('\n', file.stream);
    for (int i = 0; i < results->count; i++) print_row(file.stream, &results->items[i]);
    return ead_atomic_file_commit(&file);
}
