/* efficientad report. */
#include "train/cli/arguments.h"

#include "core/base/atomic_file.h"
#include "core/base/paths.h"
#include "core/base/string_list.h"
#include "train/sweep/sweep_report.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

static const char ending[] = ".sweep.json";

typedef EadStatus WriteFile(FILE *stream, const EadSweepResults *results);

/* NAME.md beside NAME.sweep.json. */
static EadStatus write_file(const char *manifest, const char *extension, WriteFile *write,
                            const EadSweepResults *results) {
    EadAtomicFile file;
    EadPath path;
    int length = (int)(strlen(manifest) - strlen(ending));
    snprintf(path, sizeof path, "%.*s%s", length, manifest, extension);
    EAD_TRY(ead_atomic_file_open(&file, path));
    EadStatus status = write(file.stream, results);
    if (status == EAD_OK)
        status = ead_atomic_file_commit(&file);
    else
        ead_atomic_file_discard(&file);
    if (status == EAD_OK) fprintf(stderr, "%s\n", path);
    return status;
}

static EadStatus report_one(const char *manifest) {
    EadSweepResults results;
    EadStatus status = ead_sweep_results_read(manifest, &results);
    if (status == EAD_OK) status = ead_sweep_write_markdown(stdout, &results);
    if (status == EAD_OK) status = write_file(manifest, ".md", ead_sweep_write_markdown, &results);
    if (status == EAD_OK) status = write_file(manifest, ".csv", ead_sweep_write_csv, &results);
    if (status == EAD_OK) status = write_file(manifest, ".html", ead_sweep_write_page, &results);
    ead_sweep_results_free(&results);
    return status;
}

static EadStatus list_manifests(const char *folder, EadStringList *list) {
    DIR *directory = opendir(folder);
    if (!directory) return ead_fail(EAD_IO, "%s: cannot be read as a folder: %s", folder, strerror(errno));
    EadStatus status = EAD_OK;
    for (struct dirent *entry; status == EAD_OK && (entry = readdir(directory)) != NULL;) {
        size_t length = strlen(entry->d_name), tail = strlen(ending);
        if (length <= tail || strcmp(entry->d_name + length - tail, ending) != 0) continue;
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
    EadStatus status = list_manifests(arguments->paths[0], &manifests);
    for (int i = 0; i < manifests.count && status == EAD_OK; i++) status = report_one(manifests.items[i]);
    ead_strings_free(&manifests);
    return status;
}
