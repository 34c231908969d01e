/* efficientad report. */
#include "train/cli/arguments.h"

#include "core/base/printing.h"
#include "core/base/atomic_file.h"
#include "core/base/memory.h"
#include "core/file/output_check.h"
#include "core/base/paths.h"
#include "core/base/string_list.h"
#include "core/file/file_role.h"
#include "train/comparison/comparison.h"
#include "train/report/report.h"
#include "train/sweep/sweep_report.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char ending[] = ".sweep.json";

/* What is written beside NAME.sweep.json. */
static const struct {
    const char *extension;
    EadStatus (*write)(FILE *stream, const EadSweepResults *results);
    const char *begins, *holds; /* see ead_check_replaced() */
} files[] = {{".md", ead_sweep_write_markdown, "# ", " runs are finished, "},
             {".csv", ead_sweep_write_csv, EAD_SWEEP_CSV_HEAD, NULL},
             {".html", ead_sweep_write_page, EAD_PAGE_BEGINS, EAD_PAGE_MARK}};
enum { FILES = sizeof files / sizeof *files };

static EadStatus path_beside(const char *manifest, const char *extension, EadPath path) {
    int length = (int)(strlen(manifest) - strlen(ending));
    if (snprintf(path, EAD_PATH_SIZE, "%.*s%s", length, manifest, extension) < EAD_PATH_SIZE) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%.200s: the path is too long", manifest);
}

/* Reads what is reported, and tries what will be written. */
static void prepare(const char *manifest, EadSweepResults *results, EadProblems *problems) {
    static const char cure[] = "a copy of the sweep's folder";
    EadPath path;
    for (int i = 0; i < FILES; i++) {
        EadStatus status = path_beside(manifest, files[i].extension, path);
        if (status == EAD_OK) status = ead_check_output_file(path, cure);
        if (status == EAD_OK) status = ead_check_replaced(path, cure, files[i].begins, files[i].holds);
        ead_problems_add(problems, status);
    }
    ead_problems_add(problems, ead_sweep_results_read(manifest, results));
}

/* The tables on stdout, and into the files. */
static EadStatus report_one(const char *manifest, const EadSweepResults *results) {
    EadStatus status = ead_sweep_write_markdown(stdout, results);
    for (int i = 0; i < FILES && status == EAD_OK; i++) {
        EadPath path;
        EadAtomicFile file = {0};
        status = path_beside(manifest, files[i].extension, path);
        if (status == EAD_OK) status = ead_atomic_file_open(&file, path);
        if (status == EAD_OK) status = files[i].write(file.stream, results);
        if (status == EAD_OK) status = ead_atomic_file_commit(&file);
        ead_atomic_file_discard(&file);
        if (status == EAD_OK) ead_print(stderr, "%s\n", path);
    }
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
    return status;
}

static bool holds_report(const char *folder) {
    EadPath path;
    return ead_path_in(path, folder, "report.html") == EAD_OK && access(path, F_OK) == 0;
}

static EadStatus find_manifests(const char *folder, EadStringList *list) {
    int known = list->count;
    EAD_TRY(list_manifests(folder, list));
    if (list->count > known) return EAD_OK;
    if (holds_report(folder))
        return ead_fail(EAD_BAD_ARGUMENT,
                        "%s: is the folder of one run, whose page is its report.html; name more runs to put "
                        "them side by side, or the output of an efficientad sweep for its tables",
                        folder);
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: no sweep has run here; the folder is the output of an efficientad sweep", folder);
}

/* Nothing is printed or written before all is known to be right. */
static EadStatus report_all(const EadStringList *manifests, EadProblems *problems) {
    EadSweepResults *results = ead_new(manifests->count, sizeof *results, "the results of sweeps");
    if (!results) return EAD_NO_MEMORY;
    for (int i = 0; i < manifests->count; i++) prepare(manifests->items[i], &results[i], problems);
    EadStatus status = ead_problems_tell(problems, stderr);
    for (int i = 0; i < manifests->count && status == EAD_OK; i++)
        status = report_one(manifests->items[i], &results[i]);
    for (int i = 0; i < manifests->count; i++) ead_sweep_results_free(&results[i]);
    free(results);
    return status;
}

static EadStatus list_named(const char *path, EadStringList *manifests) {
    EAD_TRY(ead_file_expect(path, EAD_ROLE(FOLDER) | EAD_ROLE(SWEEP_RUNS), "the folder of a sweep"));
    bool named = is_manifest(path) && !ead_path_is_folder(path);
    return named ? ead_strings_add(manifests, path) : find_manifests(path, manifests);
}

static EadStatus report_sweeps(const EadArguments *arguments, EadProblems *problems) {
    EadStringList manifests = {0};
    if (ead_arguments_given(arguments, EAD_OPTION_COMPARED))
        ead_problems_add(problems,
                         ead_fail(EAD_BAD_ARGUMENT, "--output names the page of several runs; tables of a "
                                                    "sweep lie in its folder; leave it out"));
    for (int i = 0; i < arguments->path_count; i++)
        ead_problems_add(problems, list_named(arguments->paths[i], &manifests));
    EadStatus status = report_all(&manifests, problems);
    ead_strings_free(&manifests);
    return status;
}

/* ---- runs side by side ---- */

static EadStatus read_run(const char *folder, EadRunPage *page) {
    *page = (EadRunPage){.folder = folder};
    if (!ead_path_is_folder(folder) || holds_report(folder)) return ead_run_page_read(folder, page);
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: no report.html here; name folders of runs, or the folder of one sweep alone for its "
                    "tables",
                    folder);
}

/* Beside itself a run would only look like two that agree. */
static EadStatus check_once(const EadArguments *arguments, int number) {
    const char *folder = arguments->paths[number];
    for (int i = 0; i < number; i++)
        if (ead_path_same(arguments->paths[i], folder))
            return ead_fail(EAD_BAD_ARGUMENT, "%s: is the same run as %s; name it once", folder,
                            arguments->paths[i]);
    return EAD_OK;
}

static EadStatus check_page(const char *path) {
    static const char option[] = "--output";
    EAD_TRY(ead_check_output_file(path, option));
    EAD_TRY(ead_check_folder_of(path, option));
    EAD_TRY(ead_check_replaced(path, option, EAD_PAGE_BEGINS, EAD_PAGE_MARK));
    return ead_check_page_name(path, option);
}

static void tell_comparison(const EadComparison *comparison) {
    ead_print(stderr, "%d images are in all runs, %d of them with pictures", comparison->images,
              comparison->pictured);
    if (comparison->deciding > 1) ead_print(stderr, "; on %d the decisions differ", comparison->disagreed);
    ead_print(stderr, "\n");
    if (comparison->lone > 0)
        ead_print(stderr, "%d images are not in all runs; the page names them\n", comparison->lone);
}

static EadStatus compare(const EadArguments *arguments, EadProblems *problems) {
    int count = arguments->path_count;
    bool named = ead_arguments_given(arguments, EAD_OPTION_COMPARED);
    const char *path = named ? ead_arguments_text(arguments, EAD_OPTION_COMPARED) : "comparison.html";
    EadComparison comparison;
    EadRunPage *pages = ead_new(count, sizeof *pages, "the reports of runs");
    if (!pages) return EAD_NO_MEMORY;
    ead_problems_add(problems, check_page(path));
    for (int i = 0; i < count; i++) ead_problems_add(problems, read_run(arguments->paths[i], &pages[i]));
    for (int i = 0; i < count; i++) ead_problems_add(problems, check_once(arguments, i));
    EadStatus status = ead_problems_tell(problems, stderr);
    if (status == EAD_OK) status = ead_comparison_write(path, pages, count, &comparison);
    if (status == EAD_OK) tell_comparison(&comparison);
    if (status == EAD_OK) ead_print(stderr, "%s\n", path);
    for (int i = 0; i < count; i++) ead_run_page_free(&pages[i]);
    free(pages);
    return status;
}

EadStatus ead_command_report(const EadArguments *arguments) {
    EadProblems problems = {0};
    ead_problems_add_all(&problems, &arguments->problems);
    bool several = arguments->path_count + arguments->refused_paths > 1;
    EadStatus status = several ? compare(arguments, &problems) : report_sweeps(arguments, &problems);
    ead_problems_free(&problems);
    return status;
}
