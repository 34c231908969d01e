/* The list of runs for the command report, which need not know the sweep file. */
#include "train/sweep/sweep.h"

#include "core/base/atomic_file.h"
#include "core/base/paths.h"
#include "train/support/json_text.h"

#include <inttypes.h>
#include <stdlib.h>

static void write_field(FILE *stream, const char *key, const char *text) {
    fprintf(stream, "  \"%s\": ", key);
    ead_json_write_string(stream, text);
    fputs(",\n", stream);
}

static void write_run(FILE *stream, const EadSweep *sweep, const EadSweepRun *run) {
    const EadSweepGroup *collection = &sweep->collections[run->collection];
    const char *category = run->category < 0 ? collection->name : collection->categories.items[run->category];
    fputs("    {\"variant\": ", stream);
    ead_json_write_string(stream, sweep->variants[run->variant].name);
    fputs(", \"collection\": ", stream);
    ead_json_write_string(stream, collection->name);
    fputs(", \"category\": ", stream);
    ead_json_write_string(stream, category);
    fprintf(stream, ", \"seed\": \"%" PRIu64 "\", \"steps\": %d, \"folder\": ", run->seed,
            run->config.train_steps);
    ead_json_write_string(stream, run->name);
    putc('}', stream);
}

static void write_manifest(FILE *stream, const EadSweep *sweep) {
    fputs("{\n", stream);
    write_field(stream, "format", "efficientad-sweep/1");
    write_field(stream, "title", sweep->title ? sweep->title : sweep->name);
    write_field(stream, "paper", sweep->paper ? sweep->paper : "");
    fputs("  \"runs\": [\n", stream);
    for (int i = 0; i < sweep->run_count; i++) {
        write_run(stream, sweep, &sweep->runs[i]);
        fputs(i + 1 < sweep->run_count ? ",\n" : "\n", stream);
    }
    fputs("  ]\n}\n", stream);
}

EadStatus ead_sweep_write_manifest(const EadSweep *sweep) {
    char name[300];
    EadAtomicFile file;
    snprintf(name, sizeof name, "%s.sweep.json", sweep->name);
    EAD_TRY(ead_make_directories(sweep->output));
    char *path = ead_path_join(sweep->output, name);
    EadStatus status = path ? ead_atomic_file_open(&file, path) : EAD_NO_MEMORY;
    if (status == EAD_OK) {
        write_manifest(file.stream, sweep);
        status = ead_atomic_file_commit(&file);
    }
    free(path);
    return status;
}
