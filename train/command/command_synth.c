/* The command synth: writes a generated data set in the layout of MVTec AD. */
#include "train/cli/commands.h"

#include "data/codec/codec.h"
#include "core/base/paths.h"
#include "train/synth/synth.h"

#include <inttypes.h>
#include <stdlib.h>

/* What the options say. */
typedef struct Plan {
    const char *output;
    uint64_t seed;
    EadSize size;
    int train, test_good, test_defect, textures;
} Plan;

/* One folder of pictures to fill. */
typedef struct Batch {
    EadSynthCategory category;
    EadSynthDefect defect;
    const char *folder, *mask_folder; /* below the output; no masks: NULL */
    uint32_t first_number;            /* of its pictures, so that no two folders share one */
    int count;
} Batch;

/* "output/folder/NNN<suffix>", the folder made if need be; NULL on failure. */
static EadStatus picture_path(const char *output, const char *folder, int index, const char *suffix,
                              char **path) {
    char name[32];
    snprintf(name, sizeof name, "%03d%s", index, suffix);
    char *directory = ead_path_join(output, folder);
    *path = directory ? ead_path_join(directory, name) : NULL;
    EadStatus status = *path ? ead_make_directories(directory) : EAD_NO_MEMORY;
    free(directory);
    if (status == EAD_OK) return EAD_OK;
    free(*path);
    *path = NULL;
    return status;
}

static EadStatus write_picture(const char *output, const char *folder, int index, const char *suffix,
                               const EadImage *image) {
    char *path;
    EAD_TRY(picture_path(output, folder, index, suffix, &path));
    EadStatus status = ead_png_write(path, image);
    free(path);
    return status;
}

static EadStatus write_part(const Plan *plan, const Batch *batch, int index) {
    EadImage image, mask;
    EadSynthPart part = {batch->category,   batch->defect,
                         plan->seed,        batch->first_number + (uint32_t)index,
                         plan->size.height, plan->size.width};
    EAD_TRY(ead_synth_draw(&part, &image, &mask));
    EadStatus status = write_picture(plan->output, batch->folder, index, ".png", &image);
    if (status == EAD_OK && batch->mask_folder)
        status = write_picture(plan->output, batch->mask_folder, index, "_mask.png", &mask);
    ead_image_free(&image);
    ead_image_free(&mask);
    return status;
}

static EadStatus write_batch(const Plan *plan, const Batch *batch) {
    for (int i = 0; i < batch->count; i++) EAD_TRY(write_part(plan, batch, i));
    return EAD_OK;
}

static EadStatus write_defects(const Plan *plan, EadSynthCategory category) {
    const char *name = ead_synth_category_name(category);
    for (int defect = EAD_SYNTH_DEFECT_good + 1; defect < EAD_SYNTH_DEFECT_COUNT; defect++) {
        char folder[64], mask_folder[64];
        const char *kind = ead_synth_defect_name((EadSynthDefect)defect);
        snprintf(folder, sizeof folder, "%s/test/%s", name, kind);
        snprintf(mask_folder, sizeof mask_folder, "%s/ground_truth/%s", name, kind);
        uint32_t first = (uint32_t)(defect + 2) * 100000u;
        EAD_TRY(write_batch(
            plan, &(Batch){category, (EadSynthDefect)defect, folder, mask_folder, first, plan->test_defect}));
    }
    return EAD_OK;
}

/* Mixing new pictures with old ones would make a data set of unknown content. */
static EadStatus check_empty(const char *output, const char *name) {
    bool holds = false;
    char *folder = ead_path_join(output, name);
    if (!folder) return EAD_NO_MEMORY;
    EadStatus status = ead_directory_holds_files(folder, &holds);
    if (status == EAD_OK && holds)
        status = ead_fail(EAD_BAD_FILE, "%s: not empty; remove it or give another --output", folder);
    free(folder);
    return status;
}

static EadStatus write_category(const Plan *plan, EadSynthCategory category) {
    char train[64], good[64];
    const char *name = ead_synth_category_name(category);
    snprintf(train, sizeof train, "%s/train/good", name);
    snprintf(good, sizeof good, "%s/test/good", name);
    EAD_TRY(write_batch(plan, &(Batch){category, EAD_SYNTH_DEFECT_good, train, NULL, 0, plan->train}));
    EAD_TRY(
        write_batch(plan, &(Batch){category, EAD_SYNTH_DEFECT_good, good, NULL, 100000u, plan->test_good}));
    EAD_TRY(write_defects(plan, category));
    int defects = (EAD_SYNTH_DEFECT_COUNT - 1) * plan->test_defect;
    fprintf(stderr, "%s/%s: %d training pictures, %d flawless and %d defective test pictures\n", plan->output,
            name, plan->train, plan->test_good, defects);
    return EAD_OK;
}

static EadStatus write_textures(const Plan *plan) {
    for (int i = 0; i < plan->textures; i++) {
        EadImage image;
        EAD_TRY(ead_synth_draw_texture(plan->seed, (uint32_t)i, plan->size.height, plan->size.width, &image));
        EadStatus status = write_picture(plan->output, "textures", i, ".png", &image);
        ead_image_free(&image);
        if (status != EAD_OK) return status;
    }
    if (plan->textures > 0) fprintf(stderr, "%s/textures: %d pictures\n", plan->output, plan->textures);
    return EAD_OK;
}

static Plan read_plan(const EadArguments *arguments) {
    return (Plan){.output = ead_arguments_text(arguments, EAD_OPTION_SYNTH_OUTPUT),
                  .seed = ead_arguments_value(arguments, EAD_OPTION_SYNTH_SEED).u64,
                  .size = ead_arguments_value(arguments, EAD_OPTION_SYNTH_SIZE).size,
                  .train = (int)ead_arguments_value(arguments, EAD_OPTION_SYNTH_TRAIN).i64,
                  .test_good = (int)ead_arguments_value(arguments, EAD_OPTION_SYNTH_TEST_GOOD).i64,
                  .test_defect = (int)ead_arguments_value(arguments, EAD_OPTION_SYNTH_TEST_DEFECT).i64,
                  .textures = (int)ead_arguments_value(arguments, EAD_OPTION_SYNTH_TEXTURES).i64};
}

/* All folders are checked before the first picture is written. */
EadStatus ead_command_synth(const EadArguments *arguments) {
    Plan plan = read_plan(arguments);
    int chosen = (int)ead_arguments_value(arguments, EAD_OPTION_SYNTH_CATEGORY).i64 - 1; /* -1: all */
    int first = chosen < 0 ? 0 : chosen, last = chosen < 0 ? EAD_SYNTH_CATEGORY_COUNT - 1 : chosen;
    for (int i = first; i <= last; i++)
        EAD_TRY(check_empty(plan.output, ead_synth_category_name((EadSynthCategory)i)));
    if (plan.textures > 0) EAD_TRY(check_empty(plan.output, "textures"));
    for (int i = first; i <= last; i++) EAD_TRY(write_category(&plan, (EadSynthCategory)i));
    return write_textures(&plan);
}
