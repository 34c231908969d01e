/* efficientad report. */
#include "train/cli/arguments.h"

#include "core/base/printing.h"
#include "core/base/atomic_file.h"
#include "core/file/output_check.h"
#include "core/base/paths.h"
#include "core/base/string_list.h"
#include "core/file/file_role.h"
#include "train/sweep/sweep_report.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

static const char ending[] = ".sweep.json";

/* The tables on stdout, and NAME.md and the others beside NAME.sweep.json. */
static EadStatus report_one(const char *manifest) {
    static const struct {
        const char *extension;
        EadStatus (*write)(FILE *stream, const EadSweepResults *results);
    } files[] = {
        {".md", ead_sweep_write_markdown}, {".csv", ead_sweep_write_csv}, {".html", ead_sweep_write_page}};
    enum { FILES = sizeof files / sizeof *files };
    int length = (int)(strlen(manifest) - strlen(ending));
    EadPath paths[FILES];
    EadSweepResults results;
    for (int i = 0; i < FILES; i++) {
        snprintf(paths[i], sizeof paths[i], "%.*s%s", length, manifest, files[i].extension);
        EAD_TRY(ead_check_output_file(paths[i], "a copy of the sweep's folder"));
    }
    EadStatus status = ead_sweep_results_read(manifest, &results);
    if (status == EAD_OK) status = ead_sweep_write_markdown(stdout, &results);
    for (int i = 0; i < FILES && status == EAD_OK; i++) {
        EadAtomicFile file = {0};
        status = ead_atomic_file_open(&file, paths[i]);
        if (status == EAD_OK) status = files[i].write(file.stream, &results);
        if (status == EAD_OK) status = ead_atomic_file_commit(&file);
        ead_atomic_file_discard(&file);
        if (status == EAD_OK) ead_print(stderr, "%s\n", paths[i]);
    }
    ead_sweep_results_free(&results);
    return status;
}

static bool is_manifest(const char *path) {
    size_t length = strlen(path), tail = strlen(ending);
    return length > tail && strcmp(path + length - tail, ending) == 0;
}

static EadStatus list_manifests(const char *folder, EadStringList *list) {
    DIR *directory = opendir(folder);
    if (!directory) return ead_fail(EAD_IO, "%s: cannot be read as a folder: %s", folder, strerror(errno));
    EadStatus status = EAD_OK;
    for (struct dirent *entry; status == EAD_OK && (entry = readdir(directory)) != NULL;) {
        if (!is_manifest(entry->d_name)) continue;
        EadPath path;
        status = ead_path_in(path, folder, entry->d_name);
        if (status == EAD_OK) status = ead_strings_add(list, path);
    }
    closedir(directory);
    ead_strings_sort(list);
    if (status == EAD_OK && list->count == 0)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "%s: no sweep has run here; the folder is the output of an efficientad sweep",
                        folder);
    return status;
}

EadStatus ead_command_report(const EadArguments *arguments) {
    EadStringList manifests = {0};
    const char *path = arguments->paths[0];
    EAD_TRY(ead_file_expect(path, EAD_ROLE(FOLDER) | EAD_ROLE(SWEEP_RUNS), "the folder of a sweep"));
    EadStatus status = is_manifest(path) && !ead_path_is_folder(path) ? ead_strings_add(&manifests, path)
                                                                      : list_manifests(path, &manifests);
    for (int i = 0; i < manifests.count && status == EAD_OK; i++) status = report_one(manifests.items[i]);
    ead_strings_free(&manifests);
    return status;
}
