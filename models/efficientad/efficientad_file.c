/* EfficientAD's part of model files, and teachers alone. No file is believed before it is checked. */
#include "models/efficientad/model.h"

#include "core/base/text.h"
#include "core/file/file_role.h"
#include "models/networks/params_file.h"

#include <stdio.h>
#include <string.h>

static const char *const normalizations[] = {"quantile", "gaussian", "none", NULL};
static const char *const statistics_names[][EAD_LOOKS] = {
    [EAD_MAPS_QUANTILE] = {"quantiles", "whole_quantiles"},
    [EAD_MAPS_GAUSSIAN] = {"gaussian", "whole_gaussian"},
    [EAD_MAPS_NONE] = {NULL, NULL}};

/* ---- reading ---- */

static EadStatus read_size(const EadSafetensors *file, EadPdnSize *out) {
    int size;
    EAD_TRY(ead_metadata_choice(file, "model", (const char *const[]){"small", "medium", NULL},
                                "small or medium", &size));
    *out = (EadPdnSize)size;
    return EAD_OK;
}

static EadStatus read_teacher_statistics(const EadSafetensors *file, EadEfficientad *model) {
    double mean[EAD_FEATURES], std[EAD_FEATURES];
    EAD_TRY(ead_statistics_read(file, "teacher_mean", "teacher_std", EAD_FEATURES, mean, std));
    ead_efficientad_set_teacher_statistics(model, mean, std);
    return EAD_OK;
}

static EadStatus read_map_statistics(const EadSafetensors *file, EadEfficientad *model) {
    int normalization;
    double statistics[EAD_MAP_COUNT][2] = {{0}};
    EAD_TRY(ead_metadata_choice(file, "map_normalization", normalizations, "quantile, gaussian or none",
                                &normalization));
    bool whole = ead_safetensors_metadata(file, EAD_TILES_WHOLE_IMAGE) != NULL;
    const char *const *tensors = statistics_names[normalization];
    if (tensors[0])
        EAD_TRY(ead_vector_read(file, tensors[EAD_LOOK_USUAL], 2 * EAD_MAP_COUNT, &statistics[0][0]));
    EadStatus status =
        ead_efficientad_set_map_statistics(model, (EadMapNormalization)normalization, statistics);
    if (status == EAD_OK && whole && tensors[0]) {
        EAD_TRY(ead_vector_read(file, tensors[EAD_LOOK_WHOLE], 2 * EAD_MAP_COUNT, &statistics[0][0]));
        status = ead_efficientad_set_whole_statistics(model, statistics);
    }
    return status == EAD_OK ? EAD_OK : ead_fail_prefix(EAD_BAD_FILE, "%s: ", ead_safetensors_path(file));
}

static EadStatus read(const EadSafetensors *file, int height, int width, EadModel **out) {
    EadEfficientadSpec spec = {.height = height, .width = width};
    EadEfficientad *model;
    int padding;
    EAD_TRY(read_size(file, &spec.size));
    EAD_TRY(ead_metadata_choice(file, "padding", (const char *const[]){"false", "true", NULL},
                                "true or false", &padding));
    spec.padding = padding == 1;
    spec.autoencoder = ead_safetensors_find(file, "autoencoder.enc_conv1.weight") != NULL;
    EadStatus status = ead_efficientad_check_image_size(height, width);
    if (status != EAD_OK) return ead_fail_prefix(EAD_BAD_FILE, "%s: ", ead_safetensors_path(file));
    EAD_TRY(ead_efficientad_new(&spec, &model));
    status = ead_params_read_all(file, &model->teacher);
    if (status == EAD_OK) status = ead_params_read_all(file, &model->trained);
    if (status == EAD_OK) status = read_teacher_statistics(file, model);
    if (status == EAD_OK) status = read_map_statistics(file, model);
    if (status == EAD_OK)
        *out = &model->base;
    else
        ead_efficientad_free(model);
    return status;
}

static EadStatus check_part(const EadSafetensors *file, const char *what, EadPdnSize wanted) {
    EadPdnSize size;
    const char *path = ead_safetensors_path(file), *method = ead_safetensors_metadata(file, "method");
    EAD_TRY(ead_check_format(file));
    if (method && strcmp(method, "efficientad") != 0)
        return ead_fail(EAD_BAD_FILE,
                        "%s: is of the method %s, not %s; one of the method efficientad is wanted", path,
                        method, what);
    EAD_TRY(read_size(file, &size));
    if (size == wanted) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s: holds a %s network, the configuration asks for model.size %s", path,
                    ead_pdn_size_name(size), ead_pdn_size_name(wanted));
}

/* What else files with networks of this method hold: statistics of models and of distillations, state. */
#define OTHER_TENSORS                                                                                        \
    "teacher_mean|teacher_std|quantiles|gaussian|whole_quantiles|whole_gaussian|feature_"                    \
    "|" EAD_TENSORS_BESIDE

/* Declares the teacher, or what is trained: names and shapes alone. */
static EadStatus declare(const EadEfficientadSpec *spec, bool teacher, EadParams *params) {
    EadEfficientad model = {.spec = *spec};
    EadPdn pdn = teacher ? ead_efficientad_teacher(&model) : ead_efficientad_student(&model, true);
    EAD_TRY(ead_pdn_declare(&pdn, params));
    bool also = !teacher && spec->autoencoder;
    return also ? ead_autoencoder_declare(params, spec->height, spec->width) : EAD_OK;
}

static EadStatus check_networks(const EadSafetensors *file, const EadEfficientadSpec *spec, bool teacher) {
    EadParams params = {0};
    EadStatus status = declare(spec, teacher, &params);
    if (status == EAD_OK) status = ead_params_check_all(file, &params);
    ead_params_free(&params);
    return status;
}

static bool has_network(const EadSafetensors *file, const char *beginnings) {
    for (int i = 0; i < ead_safetensors_count(file); i++)
        if (ead_begins_like_one(ead_safetensors_at(file, i)->name, beginnings)) return true;
    return false;
}

/* What of a file is not read need not be there; but if it is, it fits, or the file is not what it seems to be. */
static EadStatus check_others(const EadSafetensors *file, EadPdnSize size, bool teacher) {
    EadEfficientadSpec spec = {.size = size, .autoencoder = has_network(file, "autoencoder.")};
    if (!has_network(file, teacher ? "teacher." : "student.|autoencoder.")) return EAD_OK;
    EAD_TRY(ead_image_size_read(file, &spec.height, &spec.width));
    return check_networks(file, &spec, teacher);
}

/* params: what is read, or NULL: the file is only checked, as far as its header tells. teacher: whether that is the
 * teacher. */
static EadStatus read_part(const EadEfficientadSpec *spec, const char *path, unsigned roles, const char *what,
                           bool teacher, EadParams *params) {
    EadSafetensors *file;
    EAD_TRY(ead_file_expect(path, roles, what));
    EAD_TRY(params ? ead_safetensors_open(path, &file) : ead_safetensors_open_header(path, &file));
    EadStatus status = check_part(file, what, spec->size);
    if (status == EAD_OK) status = check_networks(file, spec, teacher);
    if (status == EAD_OK) status = check_others(file, spec->size, !teacher);
    if (status == EAD_OK) status = ead_check_all_used(file, OTHER_TENSORS, what);
    if (status == EAD_OK && params) status = ead_params_read_all(file, params);
    ead_safetensors_close(file);
    return status;
}

EadStatus ead_teacher_read(EadPdnSize size, const char *path, EadParams *params) {
    const EadEfficientadSpec spec = {.size = size};
    return read_part(&spec, path, EAD_ROLES_TRAINED | EAD_ROLE(TEACHER) | EAD_ROLE(DISTILL_CHECKPOINT),
                     "a teacher", true, params);
}

static EadStatus read_trained(const EadEfficientadSpec *spec, const char *path, EadParams *params) {
    return read_part(spec, path, EAD_ROLES_TRAINED, "a model to start from", false, params);
}

EadStatus ead_efficientad_read_teacher(EadEfficientad *model, const char *path) {
    return ead_teacher_read(model->spec.size, path, &model->teacher);
}

EadStatus ead_efficientad_read_trained(EadEfficientad *model, const char *path) {
    return read_trained(&model->spec, path, &model->trained);
}

EadStatus ead_efficientad_check_trained(const EadEfficientadSpec *spec, const char *path) {
    return read_trained(spec, path, NULL);
}

/* ---- writing ---- */

/* What a teacher alone has too. */
static EadStatus write_spec(EadSafetensorsWriter *writer, EadPdnSize size, bool padding, int height,
                            int width) {
    char preprocessing[160];
    snprintf(preprocessing, sizeof preprocessing,
             "RGB, antialiased bilinear resize to %dx%d, (x/255 - mean) / std, mean .485 .456 .406, std .229 "
             ".224 .225",
             height, width);
    EAD_TRY(ead_safetensors_writer_metadata(writer, "model", ead_pdn_size_name(size)));
    EAD_TRY(ead_safetensors_writer_metadata(writer, "padding", padding ? "true" : "false"));
    return ead_safetensors_writer_metadata(writer, "preprocessing", preprocessing);
}

static EadStatus write(const EadModel *base, EadSafetensorsWriter *writer) {
    const EadEfficientad *model = (const EadEfficientad *)base;
    const EadEfficientadSpec *spec = &model->spec;
    EAD_TRY(write_spec(writer, spec->size, spec->padding, spec->height, spec->width));
    EAD_TRY(
        ead_safetensors_writer_metadata(writer, "map_normalization", normalizations[model->normalization]));
    EAD_TRY(ead_params_write(writer, &model->teacher, EAD_FILE_F32));
    EAD_TRY(ead_params_write(writer, &model->trained, EAD_FILE_F32));
    EAD_TRY(ead_vector_write(writer, "teacher_mean", EAD_FEATURES, model->teacher_mean));
    EAD_TRY(ead_vector_write(writer, "teacher_std", EAD_FEATURES, model->teacher_std));
    const char *const *tensors = statistics_names[model->normalization];
    int looks = !tensors[0] ? 0 : base->tiles.whole_image ? EAD_LOOKS : 1;
    for (int look = 0; look < looks; look++)
        EAD_TRY(
            ead_vector_write(writer, tensors[look], 2 * EAD_MAP_COUNT, &model->map_statistics[look][0][0]));
    return EAD_OK;
}

EadStatus ead_teacher_write(const EadTeacherFile *teacher, EadSafetensorsWriter *writer) {
    EAD_TRY(ead_image_size_write(writer, teacher->height, teacher->width));
    EAD_TRY(write_spec(writer, teacher->pdn.size, teacher->pdn.padding, teacher->height, teacher->width));
    return ead_params_write(writer, teacher->pdn.params, teacher->weights);
}

EadStatus ead_teacher_save(const EadTeacherFile *teacher, const char *path, const EadFileExtras *extras) {
    EadSafetensorsWriter *writer;
    EAD_TRY(ead_safetensors_writer_new(&writer));
    return ead_file_finish(writer, ead_teacher_write(teacher, writer), extras, path);
}

/* ---- the method ---- */

static EadDetection build(EadGraph *graph, const EadModel *model, EadNode *images) {
    EadMaps maps = ead_build_maps(graph, (const EadEfficientad *)model, images);
    return (EadDetection){.map = maps.combined,
                          .whole = maps.whole,
                          .parts = {{"student–teacher map", maps.normalized[EAD_MAP_ST]},
                                    {"autoencoder map", maps.normalized[EAD_MAP_AE]}}};
}

static EadStatus check_maps(const EadModel *model, int map_choice) {
    if (map_choice != EAD_USE_AE || ((const EadEfficientad *)model)->spec.autoencoder) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "the autoencoder map alone is asked for (maps.select: ae), but the model has "
                    "no autoencoder");
}

static size_t bytes(const EadModel *model) {
    const EadEfficientad *m = (const EadEfficientad *)model;
    return (size_t)(m->teacher.total + m->trained.total) * sizeof(real);
}

static void describe(const EadModel *model, char *text, size_t size) {
    const EadEfficientadSpec *spec = &((const EadEfficientad *)model)->spec;
    snprintf(text, size, "EfficientAD-%s at %dx%d%s, with%s padding%s",
             spec->size == EAD_PDN_SMALL ? "S" : "M", spec->height, spec->width,
             model->tiles.size ? " in tiles" : "", spec->padding ? "" : "out",
             spec->autoencoder ? "" : ", without autoencoder");
}

static void free_model(EadModel *model) {
    ead_efficientad_free((EadEfficientad *)model);
}

static bool is_unpadded(const EadModel *model) {
    return !((const EadEfficientad *)model)->spec.padding;
}

const EadMethodFunctions ead_efficientad_functions = {.read = read,
                                                      .write = write,
                                                      .build = build,
                                                      .takes_gray = is_unpadded,
                                                      .takes_tiles = is_unpadded,
                                                      .check_maps = check_maps,
                                                      .bytes = bytes,
                                                      .describe = describe,
                                                      .free = free_model,
                                                      .scores_by_peak = true};
