/* efficientad synth: writes a generated data set in the layout of MVTec AD. */
#include "train/cli/arguments.h"

#include "core/file/output_check.h"
#include "core/base/printing.h"
#include "core/base/paths.h"
#include "core/system/file_lock.h"
#include "data/codec/codec.h"
#include "data/drawn/drawn_image.h"
#include "train/support/progress.h"
#include "train/synth/synth.h"

#include <inttypes.h>

static const char category[] = "gasket";

/* What the options say. */
typedef struct Plan {
    const char *output;
    uint64_t seed;
    EadSize size;
    int train, test_good, test_defect, textures;
} Plan;

/* OUTPUT/FOLDER/NNN<suffix>, the folder made if need be. */
static EadStatus write_picture(const Plan *plan, const char *folder, int index, const char *suffix,
                               const EadImage *image) {
    char name[32];
    EadPath directory, path;
    snprintf(name, sizeof name, "%03d%s", index, suffix);
    if (ead_interrupted())
        return ead_fail(EAD_INTERRUPTED, "%s: stopped before %s/%s; remove what is there, and start again",
                        plan->output, folder, name);
    EAD_TRY(ead_path_in(directory, plan->output, folder));
    EAD_TRY(ead_path_in(path, directory, name));
    EAD_TRY(ead_make_directories(directory));
    return ead_png_write(path, image);
}

/* A folder of pictures with one kind of defect, from number `first` on, so that no two folders share one. */
static EadStatus write_parts(const Plan *plan, const char *set, EadSynthDefect defect, uint32_t first,
                             int count) {
    char folder[64], mask_folder[64];
    snprintf(folder, sizeof folder, "%s/%s/%s", category, set, ead_synth_defect_name(defect));
    snprintf(mask_folder, sizeof mask_folder, "%s/ground_truth/%s", category, ead_synth_defect_name(defect));
    for (int i = 0; i < count; i++) {
        EadImage image, mask;
        EadSynthPart part = {defect, plan->seed, first + (uint32_t)i, plan->size.height, plan->size.width};
        EAD_TRY(ead_synth_draw(&part, &image, &mask));
        EadStatus status = write_picture(plan, folder, i, ".png", &image);
        if (status == EAD_OK && defect != EAD_SYNTH_DEFECT_good)
            status = write_picture(plan, mask_folder, i, "_mask.png", &mask);
        ead_image_free(&image);
        ead_image_free(&mask);
        if (status != EAD_OK) return status;
    }
    return EAD_OK;
}

/* Mixing new pictures with old ones would make a data set of unknown content. */
static EadStatus check_empty(const char *output, const char *name) {
    bool holds = false;
    EadPath folder;
    EAD_TRY(ead_path_in(folder, output, name));
    EAD_TRY(ead_directory_holds_files(folder, &holds));
    if (!holds) return ead_check_output_folder(folder, "--output");
    return ead_fail(EAD_BAD_FILE, "%s: not empty; remove it or give another --output", folder);
}

static void check_folders(const Plan *plan, EadProblems *problems) {
    EadStatus status = ead_check_output_folder(plan->output, "--output");
    ead_problems_add(problems, status);
    if (status == EAD_OK) ead_problems_add(problems, check_empty(plan->output, category));
    if (status == EAD_OK && plan->textures > 0)
        ead_problems_add(problems, check_empty(plan->output, "textures"));
}

static EadStatus write_all(const Plan *plan) {
    enum { NUMBERS = 100000 }; /* of the pictures of a folder */
    EAD_TRY(write_parts(plan, "train", EAD_SYNTH_DEFECT_good, 0, plan->train));
    EAD_TRY(write_parts(plan, "test", EAD_SYNTH_DEFECT_good, NUMBERS, plan->test_good));
    for (int defect = EAD_SYNTH_DEFECT_good + 1; defect < EAD_SYNTH_DEFECT_COUNT; defect++)
        EAD_TRY(write_parts(plan, "test", (EadSynthDefect)defect, (uint32_t)(defect + 2) * NUMBERS,
                            plan->test_defect));
    ead_print(stderr, "%s/%s: %d training images, %d good and %d defective test images\n", plan->output,
              category, plan->train, plan->test_good, (EAD_SYNTH_DEFECT_COUNT - 1) * plan->test_defect);
    for (int i = 0; i < plan->textures; i++) {
        EadImage image;
        EAD_TRY(ead_drawn_scene(plan->seed, (uint32_t)i, plan->size.height, plan->size.width, &image));
        EadStatus status = write_picture(plan, "textures", i, ".png", &image);
        ead_image_free(&image);
        if (status != EAD_OK) return status;
    }
    if (plan->textures > 0) ead_print(stderr, "%s/textures: %d images\n", plan->output, plan->textures);
    return EAD_OK;
}

/* Checks and writes where no other process can write meanwhile. */
static EadStatus write_locked(const Plan *plan, EadProblems *problems) {
    EadFileLock lock = {0};
    EAD_TRY(ead_make_directories(plan->output));
    EAD_TRY(ead_folder_lock_take(plan->output, &lock));
    check_folders(plan, problems);
    EadStatus status = ead_problems_tell(problems, stderr);
    if (status == EAD_OK) status = write_all(plan);
    ead_file_lock_release(&lock);
    return status;
}

/* All folders are checked before one is made, and again when it is locked. */
EadStatus ead_command_synth(const EadArguments *arguments) {
    EadProblems problems = {0};
    ead_interrupt_catch();
    Plan plan = {.output = arguments->values[EAD_OPTION_SYNTH_OUTPUT],
                 .seed = ead_arguments_value(arguments, EAD_OPTION_SYNTH_SEED).u64,
                 .size = ead_arguments_value(arguments, EAD_OPTION_SYNTH_SIZE).size,
                 .train = (int)ead_arguments_value(arguments, EAD_OPTION_SYNTH_TRAIN).i64,
                 .test_good = (int)ead_arguments_value(arguments, EAD_OPTION_SYNTH_TEST_GOOD).i64,
                 .test_defect = (int)ead_arguments_value(arguments, EAD_OPTION_SYNTH_TEST_DEFECT).i64,
                 .textures = (int)ead_arguments_value(arguments, EAD_OPTION_SYNTH_TEXTURES).i64};
    ead_problems_add_all(&problems, &arguments->problems);
    if (plan.output) check_folders(&plan, &problems);
    EadStatus status = ead_problems_tell(&problems, stderr);
    if (status == EAD_OK) status = write_locked(&plan, &problems);
    ead_problems_free(&problems);
    return status;
}
