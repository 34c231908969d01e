/* The list of runs for the command report, which need not know the sweep file. */
#include "train/sweep/sweep.h"

#include "core/base/atomic_file.h"
#include "core/base/paths.h"
#include "train/support/json_writer.h"

#include <inttypes.h>
#include <stdlib.h>

static void write_run(EadJson *json, const EadSweep *sweep, const EadSweepRun *run) {
    const EadSweepGroup *collection = &sweep->collections[run->collection];
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, run->seed); /* as a text: JSON's numbers are doubles to many */
    ead_json_open(json, NULL, '{');
    ead_json_string(json, "variant", sweep->variants[run->variant].name);
    ead_json_string(json, "collection", collection->name);
    ead_json_string(json, "category",
                    run->category < 0 ? collection->name : collection->categories.items[run->category]);
    ead_json_string(json, "seed", seed);
    ead_json_integer(json, "steps", run->config.train_steps);
    ead_json_string(json, "folder", run->name);
    ead_json_close(json, '}');
}

static void write_manifest(FILE *stream, const EadSweep *sweep) {
    EadJson json = {.stream = stream};
    ead_json_open(&json, NULL, '{');
    ead_json_string(&json, "format", "efficientad-sweep/1");
    ead_json_string(&json, "title", sweep->title ? sweep->title : sweep->name);
    ead_json_string(&json, "paper", sweep->paper ? sweep->paper : "");
    ead_json_open(&json, "runs", '[');
    for (int i = 0; i < sweep->run_count; i++) write_run(&json, sweep, &sweep->runs[i]);
    ead_json_close(&json, ']');
    ead_json_close(&json, '}');
    putc('\n', stream);
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
