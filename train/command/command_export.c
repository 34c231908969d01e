/* efficientad export. */
#include "train/cli/arguments.h"

#include "core/base/printing.h"
#include "core/file/output_check.h"
#include "train/command/given_options.h"
#include "train/export/export.h"

#include <math.h>

static EadStatus check_output(const char *output, const char *model) {
    if (model && ead_path_same(output, model))
        return ead_fail(EAD_BAD_ARGUMENT, "%s: is the model itself; name another --output", output);
    EAD_TRY(ead_check_output_in_run(output));
    EAD_TRY(ead_check_folder_of(output, "--output"));
    return ead_export_check_replaced(output, "--output");
}

/* What the input is like: by the options, else as large as the model's. */
static EadStatus read_input(const EadArguments *arguments, EadExportSpec *spec) {
    bool sized = ead_arguments_given(arguments, EAD_OPTION_EXPORT_SIZE);
    EadSize size = {spec->model->height, spec->model->width};
    spec->input = (EadExportInput)ead_arguments_value(arguments, EAD_OPTION_EXPORT_INPUT).i64;
    if (sized && spec->input == EAD_EXPORT_TENSOR)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "--size: a tensor has the model's size, %dx%d (width x height); leave it away, or "
                        "--input camera takes images of any size",
                        size.width, size.height);
    if (sized) size = ead_arguments_value(arguments, EAD_OPTION_EXPORT_SIZE).size;
    bool region = !sized && spec->input == EAD_EXPORT_CAMERA && spec->model->region.image_width;
    if (region) /* images can have no other */
        size = (EadSize){spec->model->region.image_height, spec->model->region.image_width};
    spec->height = size.height;
    spec->width = size.width;
    if (spec->input == EAD_EXPORT_TENSOR) return EAD_OK;
    EadStatus status = ead_region_check(&spec->model->region, spec->width, spec->height);
    if (status == EAD_OK || sized)
        return status == EAD_OK ? EAD_OK : ead_fail_prefix(EAD_BAD_ARGUMENT, "--size: ");
    char box[EAD_BOX_SIZE];
    ead_region_box_text(&spec->model->region, box);
    return ead_fail(
        EAD_BAD_ARGUMENT,
        "--size WxH of the camera's images is needed: the model's region of interest is the box %s "
        "(x,y,width,height) in them",
        box);
}

static EadStatus check_all(const EadArguments *arguments, EadModel **model, EadSafetensors **file,
                           EadExportSpec *spec) {
    EadProblems problems = {0};
    const char *output = arguments->values[EAD_OPTION_EXPORT_OUTPUT];
    ead_problems_add_all(&problems, &arguments->problems);
    if (spec->path) ead_problems_add(&problems, ead_model_open_file(spec->path, file, model));
    spec->model = *model;
    spec->file = *file;
    if (*model) ead_problems_add(&problems, ead_model_options_apply(arguments, (*model)->map_choice, *model));
    if (*model) ead_problems_add(&problems, read_input(arguments, spec));
    if (output) ead_problems_add(&problems, check_output(output, spec->path));
    EadStatus status = ead_problems_tell(&problems, stderr);
    ead_problems_free(&problems);
    return status;
}

static void tell(const EadExportSpec *spec, const EadExportResult *result, const char *output) {
    char model[1024];
    bool camera = spec->input == EAD_EXPORT_CAMERA;
    spec->model->method->functions->describe(spec->model, model, sizeof model);
    ead_print(stderr, "%s: %s; %s %d x %d (width x height), %s, %d nodes, %.1f MB\n", output, model,
              camera ? "images of" : "a tensor of", spec->width, spec->height, spec->halves ? "fp16" : "fp32",
              result->nodes, 1e-6 * (double)result->bytes);
    if (camera && spec->height == spec->model->height && spec->width == spec->model->width)
        ead_print(
            stderr,
            "it takes images of the model's own size; --size WxH of your camera puts the resize into the "
            "file, where it is the same as in training\n");
    if (isnan(spec->model->threshold))
        ead_print(
            stderr,
            "the model has no threshold for these maps: the file has none, nor what OpenVINO's Model API "
            "needs; give --threshold\n");
}

EadStatus ead_command_export(const EadArguments *arguments) {
    EadModel *model = NULL;
    EadSafetensors *file = NULL;
    EadExportSpec spec = {.path = arguments->values[EAD_OPTION_MODEL],
                          .halves = ead_arguments_value(arguments, EAD_OPTION_EXPORT_PRECISION).i64 == 1,
                          .map_only = ead_arguments_value(arguments, EAD_OPTION_EXPORT_OUTPUTS).i64 == 1,
                          .batch = (int)ead_arguments_value(arguments, EAD_OPTION_EXPORT_BATCH).i64};
    EadExportResult result;
    const char *output = arguments->values[EAD_OPTION_EXPORT_OUTPUT];
    EadStatus status = check_all(arguments, &model, &file, &spec);
    if (status == EAD_OK) status = ead_export_onnx(&spec, output, &result);
    if (status == EAD_OK) tell(&spec, &result, output);
    ead_safetensors_close(file);
    ead_model_free(model);
    return status;
}
