/* The choice goes by what is free before the step is planned: half of it is left to the step itself and to
 * the plans of measuring and evaluation. */
#include "train/efficientad/resident_data.h"

#include "train/support/memory_budget.h"
#include "train/support/progress.h"

#include <stdlib.h>

static size_t bytes_of(const EadResidentData *tables, const EadEfficientadSpec *spec,
                       EadResidentImages table) {
    return ead_step_table_bytes(spec, table, tables->rows[table]);
}

static EadStatus check_teacher(const EadResidentData *tables, const EadEfficientadSpec *spec,
                               const EadBackend *backend, size_t available) {
    size_t bytes = bytes_of(tables, spec, EAD_TABLE_TEACHER);
    if (bytes <= available) return EAD_OK;
    return ead_fail(EAD_NO_MEMORY,
                    "train.teacher_cache: the teacher's outputs on %d training images take %.0f MB, but "
                    "%.0f MB are free on %s; set train.teacher_cache=false or lower model.image_size",
                    tables->rows[EAD_TABLE_TEACHER], 1e-6 * (double)bytes, 1e-6 * (double)available,
                    backend->name);
}

/* Adds a table of images if it fits into what is left of the room. */
static bool add_images(EadResidentData *tables, const EadEfficientadSpec *spec, EadResidentImages table,
                       int images, size_t *room) {
    size_t bytes = ead_step_table_bytes(spec, table, images);
    if (images == 0 || bytes > *room) return false;
    *room -= bytes;
    tables->rows[table] = images;
    return true;
}

EadStatus ead_step_tables_choose(const EadConfig *config, const EadBackend *backend,
                                 const EadEfficientadSpec *spec, const EadTrainerData *data,
                                 EadResidentData *out) {
    int images = data->dataset.train.count;
    size_t available = ead_available_memory(backend);
    *out = (EadResidentData){.seed = config->train_seed, .augment = config->augment_enabled};
    if (config->train_teacher_cache) out->rows[EAD_TABLE_TEACHER] = images;
    EAD_TRY(check_teacher(out, spec, backend, available));
    if (!backend->device) return EAD_OK;
    size_t room = (available - bytes_of(out, spec, EAD_TABLE_TEACHER)) / 2;
    if (add_images(out, spec, EAD_TABLE_TRAIN, images, &room))
        add_images(out, spec, EAD_TABLE_PENALTY, data->penalty_list.count, &room);
    return EAD_OK;
}

bool ead_step_tables_drop_images(EadResidentData *tables) {
    bool any = tables->rows[EAD_TABLE_TRAIN] > 0;
    tables->rows[EAD_TABLE_TRAIN] = tables->rows[EAD_TABLE_PENALTY] = 0;
    return any;
}

void ead_step_tables_print(const EadResidentData *tables, const EadEfficientadSpec *spec) {
    static const char *const names[EAD_TABLES] = {"training images", "penalty images",
                                                  "outputs of the teacher"};
    const char *before = "kept in it: ";
    for (int t = 0; t < EAD_TABLES; t++) {
        if (tables->rows[t] == 0) continue;
        fprintf(stderr, "%s%d %s (%.0f MB)", before, tables->rows[t], names[t],
                1e-6 * (double)bytes_of(tables, spec, (EadResidentImages)t));
        before = ", ";
    }
    if (before[0] == ',') fputc('\n', stderr);
}

static EadStatus fill_images(const EadImageCache *cache, EadResidentImages table, const char *what,
                             bool quiet, EadTrainingStep *step) {
    int count = ead_image_cache_count(cache);
    EadProgress progress;
    EadStatus status = EAD_OK;
    uint8_t *image = malloc(ead_image_cache_image_bytes(cache));
    if (!image) return ead_fail(EAD_NO_MEMORY, "no memory for an image");
    ead_progress_start(&progress, what, 0, count, quiet);
    for (int i = 0; i < count && status == EAD_OK; i++) {
        status = ead_image_cache_read(cache, i, image);
        if (status == EAD_OK) ead_training_step_set_row(step, table, i, image);
        ead_progress_update(&progress, i + 1, NULL);
        if (status == EAD_OK && ead_interrupted())
            status = ead_fail(EAD_INTERRUPTED, "stopped while %s", what);
    }
    ead_progress_finish(&progress);
    free(image);
    ead_training_step_draw_from(step, table, count);
    return status;
}

EadStatus ead_step_tables_fill(const EadResidentData *tables, const EadTrainerData *data, bool quiet,
                               EadTrainingStep *step) {
    if (tables->rows[EAD_TABLE_TRAIN])
        EAD_TRY(fill_images(data->train, EAD_TABLE_TRAIN, "bringing the training images to the device", quiet,
                            step));
    if (tables->rows[EAD_TABLE_PENALTY])
        EAD_TRY(fill_images(data->penalty, EAD_TABLE_PENALTY, "bringing the penalty images to the device",
                            quiet, step));
    return EAD_OK;
}
