/* Listing, matching, reading. */
#include "train/evaluate/given_results.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/base/printing.h"
#include "data/source/image_list.h"
#include "models/detector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NAMED = 10 };

static bool is_map(const char *name) {
    return ead_path_has_extension(name, EAD_MAP_EXTENSIONS);
}

/* Adds "LABEL: what (9): a, b and 7 more" if there are any. */
static EadStatus add_fault(EadGivenResults *given, const char *label, const EadStringList *paths,
                           const char *what) {
    if (paths->count == 0) return EAD_OK;
    char *names = ead_name_paths(paths, paths->count, MOST_NAMED);
    EadStatus status =
        names ? ead_strings_print(&given->faults, "%s: %s (%d): %s", label, what, paths->count, names)
              : EAD_NO_MEMORY;
    free(names);
    return status;
}

static EadStatus find_maps(EadGivenResults *given, const char *root, EadProblems *problems) {
    EadStringList names = {0}, files = {0};
    size_t prefix = ead_path_prefix(given->folder);
    int before = given->faults.count;
    EadStatus status = ead_list_named(&files, given->folder, is_map, &given->faults);
    if (status == EAD_OK && files.count == 0 && given->faults.count == before)
        status = ead_fail(EAD_BAD_ARGUMENT, "%s: no anomaly maps in this folder (" EAD_MAP_EXTENSIONS ")",
                          given->folder);
    for (int i = 0; i < files.count && status == EAD_OK; i++) {
        char *file = files.items[i] + prefix;
        status = ead_strings_add(&given->maps, file);
        file[ead_path_stem(file)] = '\0';
        if (status == EAD_OK) status = ead_strings_add(&names, file);
    }
    if (status == EAD_OK)
        status = ead_names_match(given->dataset, root, &names, &given->maps, given->folder, problems,
                                 &given->of_maps);
    ead_strings_free(&files);
    ead_strings_free(&names);
    EAD_TRY(status);
    EAD_TRY(add_fault(given, given->folder, &given->of_maps.missing, "test images without a map"));
    return add_fault(given, given->folder, &given->of_maps.superfluous, "maps that belong to no test image");
}

static EadStatus find_scores(EadGivenResults *given, const char *root, const char *path,
                             EadProblems *problems) {
    EadStringList unusable = {0};
    EadStatus status = EAD_OK;
    EAD_TRY(ead_score_file_read(path, &given->scores));
    EAD_TRY(ead_names_match(given->dataset, root, &given->scores.paths, &given->scores.rows, path, problems,
                            &given->of_scores));
    given->score_path = path;
    for (int i = 0; i < given->scores.paths.count && status == EAD_OK; i++)
        if (!isfinite((float)given->scores.scores[i]))
            status = ead_strings_add(&unusable, given->scores.rows.items[i]);
    if (status == EAD_OK)
        status = add_fault(given, path, &unusable, "scores that are missing or no finite numbers");
    ead_strings_free(&unusable);
    EAD_TRY(status);
    EAD_TRY(add_fault(given, path, &given->of_scores.missing, "test images without a score"));
    return add_fault(given, path, &given->of_scores.superfluous, "scores that belong to no test image");
}

EadStatus ead_given_find(const EadDataset *dataset, const char *root, const char *folder, const char *scores,
                         EadProblems *problems, EadGivenResults *given) {
    *given = (EadGivenResults){.dataset = dataset, .folder = folder};
    EadStatus found = find_maps(given, root, problems);
    ead_problems_add(problems, found);
    EadStatus scored = scores && found != EAD_NO_MEMORY ? find_scores(given, root, scores, problems) : EAD_OK;
    ead_problems_add(problems, scored);
    return found == EAD_NO_MEMORY || scored == EAD_NO_MEMORY ? EAD_NO_MEMORY : EAD_OK;
}

void ead_given_free(EadGivenResults *given) {
    ead_strings_free(&given->maps);
    ead_name_match_free(&given->of_maps);
    ead_score_file_free(&given->scores);
    ead_name_match_free(&given->of_scores);
    ead_strings_free(&given->faults);
}

/* The map at its image's size, and the highest value of either. */
static EadStatus take_map(EadGivenResult *result, EadScored *out) {
    const EadMapFile *map = &result->map;
    int width = out->image.width, height = out->image.height;
    int64_t pixels = (int64_t)map->width * map->height;
    float *rounded = ead_new(pixels, sizeof *rounded, "the map of an image");
    if (!rounded) return EAD_NO_MEMORY;
    result->score = (double)-INFINITY;
    for (int64_t i = 0; i < pixels; i++) {
        rounded[i] = (float)map->values[i];
        result->score = fmax(result->score, map->values[i]);
    }
    out->score = (float)result->score;
    out->map = rounded;
    if (map->width == width && map->height == height) return EAD_OK;
    out->map = ead_new((int64_t)width * height, sizeof *out->map, "the map of an image");
    if (out->map) out->score = ead_map_resize(rounded, map->height, map->width, out->map, height, width);
    free(rounded);
    return out->map ? EAD_OK : EAD_NO_MEMORY;
}

EadStatus ead_given_read(const EadGivenResults *given, int index, const EadImageRules *rules, EadScored *out,
                         EadGivenResult *result) {
    const char *image = given->dataset->test[index].path;
    int at = given->of_maps.of_sample ? given->of_maps.of_sample[index] : -1;
    int row = given->score_path ? given->of_scores.of_sample[index] : -1;
    EadPath path;
    *out = (EadScored){.map = NULL};
    *result = (EadGivenResult){.told = at < 0};
    if (at < 0) return ead_fail(EAD_BAD_FILE, "%s: no map", image);
    EAD_TRY(ead_path_in(path, given->folder, given->maps.items[at]));
    EAD_TRY(ead_score_decode(image, rules, out));
    out->decoding_seconds = 0;
    EAD_TRY(ead_map_file_load(path, &result->map));
    bool lone = result->map.width == 1 && result->map.height == 1;
    if (lone && (out->image.width > 1 || out->image.height > 1))
        return ead_fail(
            EAD_BAD_FILE,
            "%s: has one pixel, which is no map of %s; a score alone goes into the file of --scores", path,
            image);
    EAD_TRY(take_map(result, out));
    if (!given->score_path) return EAD_OK;
    result->told = row < 0 || !isfinite((float)given->scores.scores[row]);
    if (result->told) return ead_fail(EAD_BAD_FILE, "%s: no score that is a finite number", image);
    result->score = given->scores.scores[row];
    out->score = (float)result->score;
    return EAD_OK;
}
