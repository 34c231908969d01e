/* Results as JSON (jansson) and as CSV. */
#include "bench/bench_machine.h"
#include "bench/bench_results.h"

#include "core/base/atomic_file.h"
#include "train/support/json_file.h"
#include "train/support/version.h"

#include <inttypes.h>
#include <math.h>

/* The put functions return 0, or -1 when out of memory, like jansson's own. Absent values are left out. */
static int put_Text(json_t *object, const char *key, const char *text) {
    return *text ? json_object_set_new(object, key, json_string(text)) : 0;
}
static int put_Whole(json_t *object, const char *key, EadBenchWhole whole) {
    return whole >= 0 ? json_object_set_new(object, key, json_integer((json_int_t)whole)) : 0;
}
static int put_Number(json_t *object, const char *key, EadBenchNumber number) {
    return isfinite(number) ? json_object_set_new(object, key, json_real(number)) : 0;
}

static json_t *result_object(const EadBenchResult *result) {
    json_t *object = json_object();
    int failed = !object;
#define EAD_COLUMN(kind, name) failed = failed || put_##kind(object, #name, result->name);
#include "bench/bench_columns.def"
#undef EAD_COLUMN
    if (!failed) return object;
    json_decref(object);
    return NULL;
}

static json_t *flags_array(const EadBenchMachine *machine) {
    json_t *flags = json_array();
    for (int i = 0; flags && i < machine->flag_count; i++) {
        if (json_array_append_new(flags, json_string(machine->flags[i])) == 0) continue;
        json_decref(flags);
        flags = NULL;
    }
    return flags;
}

static json_t *machine_object(const EadBenchMachine *machine) {
    json_t *object = json_object();
    int failed = !object || put_Text(object, "cpu", machine->cpu) ||
                 put_Whole(object, "cores", machine->cores) ||
                 json_object_set_new(object, "flags", flags_array(machine)) ||
                 put_Number(object, "memory_gb", machine->memory_gb) ||
                 put_Text(object, "openblas_core", machine->openblas_core) ||
                 put_Text(object, "openblas_better_core", machine->openblas_better_core) ||
                 put_Whole(object, "threads", machine->threads) ||
                 put_Text(object, "device", machine->device) || put_Text(object, "gpu", machine->gpu) ||
                 put_Whole(object, "gpu_capability", machine->gpu_capability) ||
                 put_Whole(object, "gpu_multiprocessors", machine->gpu_multiprocessors) ||
                 put_Number(object, "gpu_memory_gb", machine->gpu_memory_gb) ||
                 put_Number(object, "fp32_peak_gflop_per_s", machine->peak_gflop_per_s) ||
                 put_Text(object, "system", machine->system) || put_Text(object, "version", ead_version()) ||
                 put_Text(object, "date", machine->date);
    if (!failed) return object;
    json_decref(object);
    return NULL;
}

static json_t *document(const EadBenchMachine *machine, const EadBenchResults *results) {
    json_t *root = json_object(), *rows = json_array();
    int failed = !root || !rows || json_object_set_new(root, "machine", machine_object(machine));
    for (int i = 0; i < results->count && !failed; i++)
        failed = json_array_append_new(rows, result_object(&results->items[i]));
    failed = failed || json_object_set(root, "results", rows);
    json_decref(rows);
    if (!failed) return root;
    json_decref(root);
    return NULL;
}

EadStatus ead_bench_write_json(const char *path, const EadBenchMachine *machine,
                               const EadBenchResults *results) {
    return ead_write_json(path, document(machine, results), 6);
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
