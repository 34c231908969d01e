/* Choice and pacing of what goes into the log. */
#include "train/training_board.h"

#include "data/codec/codec.h"
#include "train/evaluate/scoring.h"
#include "train/report/overlay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SCALAR_EVENTS = 1000, PICTURE_EVENTS = 10, MAX_SIDE = 320, QUALITY = 85, MAX_SCALARS = 16 };

/* A picture of that size is enough to look at; maps do not depend on it by more than the eye sees. A region of interest is one
 * of images as they are, and tiles are cut out of them. */
static EadStatus load_small(const char *path, const EadImageRules *rules, const EadModel *model,
                            EadImage *out) {
    const EadRegion *region = &model->region;
    EadImage image;
    EAD_TRY(ead_image_load_with(path, rules, &image));
    if (ead_region_check(region, image.width, image.height) != EAD_OK) {
        ead_image_free(&image);
        return EAD_BAD_SHAPE;
    }
    int longest = image.width > image.height ? image.width : image.height;
    if (longest <= MAX_SIDE || !ead_region_is_whole(region) || model->tiles.size) {
        *out = image;
        return EAD_OK;
    }
    int width = (int)((int64_t)image.width * MAX_SIDE / longest);
    int height = (int)((int64_t)image.height * MAX_SIDE / longest);
    EadStatus status = ead_image_alloc(out, width > 0 ? width : 1, height > 0 ? height : 1, 3);
    if (status == EAD_OK)
        status = ead_resize_u8(image.pixels, image.width, image.height, 3, (ptrdiff_t)image.width * 3,
                               out->pixels, out->width, out->height);
    ead_image_free(&image);
    return status;
}

static bool has_tag(const EadTrainingBoard *board, const char *tag) {
    for (int i = 0; i < board->image_count; i++)
        if (strcmp(board->tags[i], tag) == 0) return true;
    return false;
}

EadStatus ead_training_board_open(EadTrainingBoard *board, const char *folder, int64_t steps, int64_t done,
                                  const EadDataset *dataset, const EadImageRules *rules,
                                  const EadModel *model) {
    *board = (EadTrainingBoard){.steps = steps, .pictured = done};
    for (int i = 0; i < dataset->test_count && board->image_count < EAD_BOARD_PICTURES; i++) {
        char tag[256];
        const EadTestSample *sample = &dataset->test[i];
        snprintf(tag, sizeof tag, "map/%s", sample->defect);
        if (!sample->anomalous || has_tag(board, tag)) continue;
        EadStatus status = load_small(sample->path, rules, model, &board->images[board->image_count]);
        if (status == EAD_NO_MEMORY) return status;
        if (status != EAD_OK) continue; /* the evaluation tells it */
        board->tags[board->image_count] = strdup(tag);
        if (!board->tags[board->image_count++])
            return ead_fail(EAD_NO_MEMORY, "no memory for the TensorBoard log");
    }
    return ead_tensorboard_open(&board->file, folder, done);
}

static EadStatus write_map(EadTrainingBoard *board, int64_t step, int index, const float *map) {
    const EadImage *image = &board->images[index];
    int64_t count = (int64_t)image->width * image->height;
    double sum = 0;
    float highest = map[0];
    for (int64_t i = 0; i < count; i++) {
        sum += (double)map[i];
        highest = fmaxf(highest, map[i]);
    }
    EadImage picture;
    uint8_t *bytes = NULL;
    size_t size = 0;
    EadOverlay overlay = {
        .rgb = image, .map = map, .heat = {(float)(sum / (double)count), highest, (float)NAN}};
    EAD_TRY(ead_overlay_render(&overlay, &picture));
    EadStatus status = ead_jpeg_encode(&picture, QUALITY, &bytes, &size);
    if (status == EAD_OK)
        status = ead_tensorboard_picture(&board->file, step, board->tags[index], picture.width,
                                         picture.height, bytes, size);
    free(bytes);
    ead_image_free(&picture);
    return status;
}

EadStatus ead_training_board_maps(EadTrainingBoard *board, int64_t step, const EadModel *model,
                                  const EadBackend *backend) {
    bool due = step == board->steps || step - board->pictured >= board->steps / PICTURE_EVENTS;
    if (!board->file.stream || board->image_count == 0 || !due || step == board->pictured) return EAD_OK;
    EadDetector *detector = NULL;
    EAD_TRY(ead_detector_new(model, &(EadPlanOptions){.backend = backend}, 1, &detector));
    EadStatus status = EAD_OK;
    for (int i = 0; i < board->image_count && status == EAD_OK; i++) {
        float *map, score;
        status = ead_score_image(detector, &board->images[i], &map, &score);
        if (status != EAD_OK) break;
        status = write_map(board, step, i, map);
        free(map);
    }
    ead_detector_close(detector);
    board->pictured = step;
    return status;
}

/* One a column, with `rate` the learning rate behind them. */
static EadStatus write_values(EadTrainingBoard *board, int64_t step, const EadLossColumn *columns,
                              const float *values, bool rate) {
    EadTensorboardScalar scalars[MAX_SCALARS];
    int count = 0;
    for (; columns[count].name && count + 1 < MAX_SCALARS; count++)
        scalars[count] = (EadTensorboardScalar){columns[count].tag, values[count]};
    if (rate) scalars[count] = (EadTensorboardScalar){"learning_rate", values[count]};
    return ead_tensorboard_scalars(&board->file, step, scalars, count + rate);
}

EadStatus ead_training_board_values(EadTrainingBoard *board, int64_t step, const EadLossColumn *columns,
                                    const float *values) {
    return board->file.stream ? write_values(board, step, columns, values, false) : EAD_OK;
}

EadStatus ead_training_board_step(EadTrainingBoard *board, int64_t step, const EadLossColumn *columns,
                                  const float *values) {
    int64_t every = (board->steps + SCALAR_EVENTS - 1) / SCALAR_EVENTS;
    if (!board->file.stream) return EAD_OK; /* and there are no steps */
    return step % every == 0 || step == 1 ? write_values(board, step, columns, values, true) : EAD_OK;
}

void ead_training_board_close(EadTrainingBoard *board) {
    ead_tensorboard_close(&board->file);
    for (int i = 0; i < EAD_BOARD_PICTURES; i++) {
        ead_image_free(&board->images[i]);
        free(board->tags[i]);
    }
    *board = (EadTrainingBoard){0};
}
