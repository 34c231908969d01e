/* One row an output; each is checked alone, with each other one, and with the inputs. */
#include "train/command/predict_outputs.h"

#include "core/base/paths.h"
#include "core/file/output_check.h"
#include "data/codec/codec.h"
#include "train/evaluate/predict_lines.h"
#include "train/report/report.h"

#include <math.h>
#include <string.h>

/* One of EadPredictOutputs. */
typedef struct OutputPlace {
    EadOptionId option;
    size_t offset;              /* of its path */
    const char *what;           /* that lies in the folder; NULL: it is a file */
    const char *extension;      /* of these; "": any */
    const char *begins, *holds; /* of a file of ours, see ead_check_replaced() */
} OutputPlace;

#define FOLDER_AT(kind) offsetof(EadPredictOutputs, folders) + (kind) * sizeof(const char *)

static const OutputPlace places[] = {
    {EAD_OPTION_OVERLAYS, FOLDER_AT(EAD_OUTPUT_OVERLAYS), "overlays", ".png", NULL, NULL},
    {EAD_OPTION_MAPS, FOLDER_AT(EAD_OUTPUT_MAPS), "maps", ".tiff", NULL, NULL},
    {EAD_OPTION_MASKS, FOLDER_AT(EAD_OUTPUT_MASKS), "masks", ".png", NULL, NULL},
    {EAD_OPTION_COPY_TO, FOLDER_AT(EAD_OUTPUT_COPIES), "copies", "", NULL, NULL},
    {EAD_OPTION_PREDICT_CSV, offsetof(EadPredictOutputs, table), NULL, "", EAD_PREDICTIONS_HEAD, NULL},
    {EAD_OPTION_REPORT, offsetof(EadPredictOutputs, report), NULL, "", EAD_PAGE_BEGINS, EAD_PAGE_MARK},
};

enum { PLACES = sizeof places / sizeof *places };

static const char **path_of(EadPredictOutputs *outputs, const OutputPlace *place) {
    return (const char **)(void *)((char *)outputs + place->offset);
}

static const char *option_name(const OutputPlace *place) {
    return ead_option(place->option)->rule.name;
}

EadPredictOutputs ead_predict_outputs(const EadArguments *arguments) {
    EadPredictOutputs outputs = {0};
    for (int i = 0; i < PLACES; i++)
        *path_of(&outputs, &places[i]) = ead_arguments_text(arguments, places[i].option);
    outputs.rows = outputs.table && strcmp(outputs.table, "-") == 0;
    if (outputs.rows) outputs.table = NULL;
    return outputs;
}

static EadStatus check_alone(const OutputPlace *place, const char *path) {
    if (place->what) return ead_check_output_folder(path, option_name(place));
    EAD_TRY(ead_check_output_file(path, option_name(place)));
    EAD_TRY(ead_check_replaced(path, option_name(place), place->begins, place->holds));
    return place->option == EAD_OPTION_REPORT ? ead_check_page_name(path, option_name(place)) : EAD_OK;
}

/* Whether files of two folders could replace each other: of one ending in one folder; copies have any ending, and lie in
 * folders below theirs. */
static bool folders_meet(const OutputPlace *a, const char *path, const OutputPlace *b, const char *other) {
    bool copies = a->extension[0] == '\0' || b->extension[0] == '\0';
    if (!copies && strcmp(a->extension, b->extension) != 0) return false;
    if (ead_outputs_collide(path, other)) return true;
    return (!a->extension[0] && ead_output_lies_within(other, path)) ||
           (!b->extension[0] && ead_output_lies_within(path, other));
}

/* Whether a file would lie where one of the folder's does, or is the folder. */
static bool file_meets(const char *file, const OutputPlace *place, const char *folder) {
    bool alike = place->extension[0] ? ead_path_has_extension(file, place->extension)
                                     : ead_image_has_known_extension(file);
    return ead_outputs_collide(file, folder) || (alike && ead_output_lies_within(file, folder));
}

static EadStatus check_pair(const OutputPlace *a, const char *path, const OutputPlace *b, const char *other) {
    if (!a->what && !b->what)
        return !ead_outputs_collide(path, other)
                   ? EAD_OK
                   : ead_fail(EAD_BAD_ARGUMENT, "%s and %s name the same file: %s", option_name(a),
                              option_name(b), path);
    if (a->what && b->what)
        return !folders_meet(a, path, b, other)
                   ? EAD_OK
                   : ead_fail(EAD_BAD_ARGUMENT,
                              "%s: %s and %s would lie in one folder; name another one for either", other,
                              a->what, b->what);
    bool first = !a->what;
    if (!file_meets(first ? path : other, first ? b : a, first ? other : path)) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "%s: the file of %s and the %s of %s would meet; name another place",
                    first ? path : other, option_name(first ? a : b), first ? b->what : a->what,
                    option_name(first ? b : a));
}

/* What an output would be taken for the next time, where it lies in a folder of images. */
static EadStatus check_inputs(const EadArguments *arguments, const OutputPlace *place, const char *path) {
    if (!place->what && !ead_image_has_known_extension(path)) return EAD_OK;
    for (int i = 0; i < arguments->path_count; i++) {
        const char *input = arguments->paths[i];
        if (!ead_path_is_folder(input) || !ead_output_lies_within(path, input)) continue;
        if (place->what) return ead_fail_output_within(input, path, place->what);
        return ead_fail(EAD_BAD_ARGUMENT, "%s: %s lies in this folder of images; write it elsewhere", input,
                        path);
    }
    return EAD_OK;
}

static void check_thresholds(const EadPredictOutputs *outputs, const EadModel *model, EadProblems *problems) {
    if (outputs->folders[EAD_OUTPUT_MASKS] && isnan(model->pixel_threshold))
        ead_problems_add(problems,
                         ead_fail(EAD_BAD_ARGUMENT,
                                  "--masks: the model has no pixel threshold for these maps; train it "
                                  "again with this version, or give --pixel-threshold"));
    if (outputs->folders[EAD_OUTPUT_COPIES] && isnan(model->threshold))
        ead_problems_add(problems,
                         ead_fail(EAD_BAD_ARGUMENT,
                                  "--copy-to: the model has no threshold for these maps, by which images "
                                  "could be sorted; give --threshold"));
}

void ead_predict_outputs_check(const EadArguments *arguments, const EadModel *model,
                               EadPredictOutputs *outputs, EadProblems *problems) {
    for (int i = 0; i < PLACES; i++) {
        const char **path = path_of(outputs, &places[i]);
        EadStatus status = *path ? check_alone(&places[i], *path) : EAD_OK;
        if (status == EAD_OK && *path) status = check_inputs(arguments, &places[i], *path);
        ead_problems_add(problems, status);
        if (status != EAD_OK) *path = NULL;
        for (int k = 0; k < i && *path; k++) {
            const char *other = *path_of(outputs, &places[k]);
            if (other) ead_problems_add(problems, check_pair(&places[k], other, &places[i], *path));
        }
    }
    if (model) check_thresholds(outputs, model, problems);
}
