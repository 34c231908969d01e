/* Images of callers through a detector: every view is checked, resized into the network's input, and its map brought
 * where the caller wants it. */
#include "models/detector_state.h"

#include "core/base/minmax.h"
#include "core/image/image.h"
#include "models/caller_struct.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* By EadPixelFormat. */
static const struct {
    int channels, step, sample; /* that count; bytes of a pixel and of a sample */
    bool reversed;
} formats[] = {[EAD_PIXELS_RGB8] = {3, 3, 1, false},  [EAD_PIXELS_BGR8] = {3, 3, 1, true},
               [EAD_PIXELS_RGBA8] = {3, 4, 1, false}, [EAD_PIXELS_BGRA8] = {3, 4, 1, true},
               [EAD_PIXELS_GRAY8] = {1, 1, 1, false}, [EAD_PIXELS_GRAY16] = {1, 2, 2, false}};

enum { FORMATS = sizeof formats / sizeof *formats, MOST_WHITE = 65535 };

/* What is asked of a call. */
typedef struct Request {
    const char *views; /* [count] of view_size bytes each */
    size_t view_size;
    int count;
    EadRunOptions options;
    EadRegionPart part; /* of the options */
    float *const *maps; /* NULL or [count] */
    float *scores;      /* NULL or [count] */
} Request;

/* ---- checks ---- */

/* Rows may go from the last to the first, with a negative stride, but not into each other. */
static EadStatus check_sizes(const EadDetector *d, const EadImageView *view) {
    int width = view->width, height = view->height;
    ptrdiff_t stride = view->stride;
    if ((int64_t)width * height > d->max_pixels)
        return ead_fail(
            EAD_BAD_SHAPE,
            "an image of %d x %d pixels; at most %lld in all are scored (max_pixels of the options)", width,
            height, (long long)d->max_pixels);
    if (width < 1 || height < 2)
        return EAD_OK; /* no second row; sizes are checked where images are resized */
    ptrdiff_t row = (ptrdiff_t)formats[view->format].step * width;
    if (!ead_stride_fits(stride, row, height))
        return ead_fail(EAD_BAD_ARGUMENT,
                        "a stride of %td bytes from row to row; a row of %d pixels has %td bytes", stride,
                        width, row);
    return EAD_OK;
}

/* *white: 0 where samples have 8 bits. */
static EadStatus find_white(const EadDetector *d, const EadImageView *view, int *white) {
    int bits = d->model->image_bits;
    *white = view->white;
    if (formats[view->format].sample == 1) {
        if (view->white)
            return ead_fail(EAD_BAD_ARGUMENT, "white is %d of an image with 8 bits; it is for gray16",
                            view->white);
        return EAD_OK;
    }
    if (*white == 0) *white = bits ? (1 << bits) - 1 : d->model->image_white;
    if (*white == 0)
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "white is 0 of an image of gray16, and the model does not say what white was in training; "
            "set it, to 4095 for 12 bits");
    if (*white > 0 && *white <= MOST_WHITE) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT, "white is %d; it must be 1 to %d", view->white, MOST_WHITE);
}

/* A view of the caller as the resize takes it. */
static EadStatus read_view(const EadDetector *d, const Request *r, int index, EadPixelRows *out) {
    EadImageView view;
    int white;
    EAD_TRY(EAD_COPY_CALLER_STRUCT(EadImageView, r->views + (size_t)index * r->view_size, &view));
    if (view.size != r->view_size)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "size is %zu, and that of the first view %zu; they must be the same", view.size,
                        r->view_size);
    if (!view.pixels) return ead_fail(EAD_BAD_ARGUMENT, "no image was given: its pixels are NULL");
    if ((int)view.format < 0 || (int)view.format >= FORMATS)
        return ead_fail(EAD_BAD_ARGUMENT, "pixel format %d; there are 0 to %d", (int)view.format,
                        FORMATS - 1);
    EAD_TRY(check_sizes(d, &view));
    EAD_TRY(find_white(d, &view, &white));
    *out = (EadPixelRows){.pixels = view.pixels,
                          .width = view.width,
                          .height = view.height,
                          .stride = view.stride,
                          .channels = formats[view.format].channels,
                          .step = formats[view.format].step,
                          .reversed = formats[view.format].reversed,
                          .white = white};
    /* What is no size at all is told by the resize. */
    if (view.width < 1 || view.height < 1) return EAD_OK;
    EAD_TRY(ead_region_check(&d->model->region, view.width, view.height));
    return ead_region_check_part(&r->part, view.width, view.height);
}

static EadStatus name_image(const Request *r, int index, EadStatus status) {
    return status == EAD_OK || r->count == 1 ? status : ead_fail_prefix(status, "image %d: ", index + 1);
}

/* What a call cannot ask of a model with tiles. */
static EadStatus check_of_tiles(const Request *r) {
    if (r->options.map_size == EAD_MAP_OF_MODEL)
        return ead_fail(
            EAD_UNSUPPORTED,
            "a model with tiles gives maps at the image's size; set map_size to EAD_MAP_OF_IMAGE");
    if (!r->part.width && !r->part.mask) return EAD_OK;
    return ead_fail(EAD_UNSUPPORTED, "a model with tiles takes no region of a call; give a view of a part of "
                                     "the image, or train with roi.box");
}

static EadStatus check_request(const EadDetector *d, const Request *r) {
    EadPixelRows rows;
    if (d->process && d->process != getpid())
        return ead_fail(EAD_UNSUPPORTED,
                        "a detector on a GPU works in the process that opened it, not in its "
                        "children; fork() before a detector is opened");
    if ((int)r->options.map_size < EAD_MAP_OF_IMAGE || (int)r->options.map_size > EAD_MAP_OF_MODEL)
        return ead_fail(EAD_BAD_ARGUMENT, "map_size is %d; it must be EAD_MAP_OF_IMAGE or EAD_MAP_OF_MODEL",
                        (int)r->options.map_size);
    if (ead_detector_has_tiles(d)) EAD_TRY(check_of_tiles(r));
    for (int i = 0; i < r->count; i++) EAD_TRY(name_image(r, i, read_view(d, r, i, &rows)));
    return EAD_OK;
}

/* A maximum passes over what is not a number, and damaged weights would look like a good image. */
static EadStatus check_map(const float *map, int64_t count) {
    bool finite = true;
    for (int64_t i = 0; i < count; i++) finite &= fabsf(map[i]) <= FLT_MAX;
    if (finite) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "the anomaly map holds values that are not numbers: the model is damaged");
}

/* ---- the work ---- */

/* Resizes `count` images from number `first` on into the network's input. */
static EadStatus take_in(EadDetector *d, const Request *r, int first, int count, uint8_t **input) {
    size_t bytes = (size_t)d->model->height * (size_t)d->model->width * 3;
    *input = ead_detector_image_buffer(d);
    for (int i = 0; i < count; i++) {
        EadPixelRows rows;
        EadStatus status = read_view(d, r, first + i, &rows);
        if (status == EAD_OK)
            status = ead_region_resize(d->region, &rows, *input + (size_t)i * bytes, d->model->width,
                                       d->model->height);
        EAD_TRY(name_image(r, first + i, status));
    }
    memset(*input + (size_t)count * bytes, 0, (size_t)(d->batch - count) * bytes);
    return EAD_OK;
}

/* Of a view that was checked before. */
static void copy_view(const Request *r, int index, EadImageView *view) {
    EAD_COPY_CALLER_STRUCT(EadImageView, r->views + (size_t)index * r->view_size, view);
}

/* Whether the network itself gives scores that are asked for. */
static bool network_scores(const EadDetector *d) {
    return d->network->result.score && d->model->score.method == EAD_SCORE_MAX;
}

/* map: at the size at which the image was looked at. Gives the score that follows from it, where anyone asks for it. */
static float give_map(const EadDetector *d, const Request *r, int index, const float *map, int height,
                      int width) {
    bool at_image = r->options.map_size == EAD_MAP_OF_IMAGE;
    float *out = r->maps ? r->maps[index] : NULL;
    EadImageView view;
    copy_view(r, index, &view);
    if (out && !at_image) memcpy(out, map, (size_t)height * (size_t)width * sizeof *out);
    bool by_map = r->scores && d->model->score.method != EAD_SCORE_MAX,
         by_peak = r->scores && !by_map && !network_scores(d);
    float score = 0;
    if ((out && at_image) || by_peak)
        score = ead_region_map_resize(d->region, map, height, width, at_image ? out : NULL, view.height,
                                      view.width);
    if (!by_map) return score;
    return ead_map_score(map, d->region->mask, (int64_t)height * width, d->model->score, d->top);
}

static EadStatus run_in_tiles(EadDetector *d, const Request *r, int index) {
    EadPixelRows rows;
    EadMap map;
    EAD_TRY(read_view(d, r, index, &rows));
    EAD_TRY(ead_detector_run_tiles(d, &rows, &map));
    EadStatus status = check_map(map.values, (int64_t)map.width * map.height);
    if (status == EAD_OK) {
        float score = give_map(d, r, index, map.values, map.height, map.width);
        if (r->scores) r->scores[index] = score;
    }
    ead_map_free(&map);
    return status;
}

static EadStatus run_some(EadDetector *d, const Request *r, int first, int count) {
    int64_t cells = (int64_t)d->model->height * d->model->width;
    uint8_t *input;
    const float *maps;
    const void *value;
    for (int i = 0; i < count && ead_detector_has_tiles(d); i++)
        EAD_TRY(name_image(r, first + i, run_in_tiles(d, r, first + i)));
    if (ead_detector_has_tiles(d)) return EAD_OK;
    EAD_TRY(take_in(d, r, first, count, &input));
    EAD_TRY(ead_detector_run_batch(d, input, &maps));
    for (int i = 0; i < count; i++) {
        EAD_TRY(name_image(r, first + i, check_map(maps + i * cells, cells)));
        float score = give_map(d, r, first + i, maps + i * cells, d->model->height, d->model->width);
        if (r->scores) r->scores[first + i] = score;
    }
    const EadDetectorNetwork *network = d->network;
    if (!r->scores || !network_scores(d)) return EAD_OK;
    EAD_TRY(ead_plan_fetch(network->plan, network->result.score, &value));
    for (int i = 0; i < count; i++) r->scores[first + i] = (float)((const real *)value)[i];
    return EAD_OK;
}

/* Of the images from number `first` on, most of `most`, those of one size: they have one region. */
static int same_sized(const Request *r, int first, int most) {
    EadImageView view, next;
    int count = 1;
    copy_view(r, first, &view);
    for (; count < most; count++) {
        copy_view(r, first + count, &next);
        if (next.width != view.width || next.height != view.height) break;
    }
    return count;
}

/* The same with a region of the call, which is left again. */
static EadStatus run_narrowed(EadDetector *d, const Request *r, int first, int count) {
    EadImageView view;
    EadRegion region;
    copy_view(r, first, &view);
    EadStatus status = ead_region_narrow(&d->model->region, &r->part, view.width, view.height, &region);
    EAD_TRY(name_image(r, first, status));
    status = ead_detector_look_at(d, &region);
    if (status == EAD_OK) status = run_some(d, r, first, count);
    (void)ead_detector_look_at(d, &d->model->region); /* for which there was memory */
    ead_region_free(&region);
    return status;
}

static EadStatus run_all(EadDetector *d, const Request *r) {
    bool narrowed = r->part.width || r->part.mask;
    EAD_TRY(check_request(d, r));
    for (int first = 0, some; first < r->count; first += some) {
        some = ead_min(r->count - first, d->batch);
        if (narrowed) some = same_sized(r, first, some);
        EAD_TRY(narrowed ? run_narrowed(d, r, first, some) : run_some(d, r, first, some));
    }
    return EAD_OK;
}

static int run_as_guest(EadDetector *detector, const Request *request) {
    if (!detector) return ead_fail(EAD_BAD_ARGUMENT, "no detector was given: it is NULL");
    if (atomic_exchange(&detector->busy, true))
        return ead_fail(EAD_BUSY, "another thread works with this detector; open one for each thread");
    EadHostState host = ead_host_enter(detector->threads);
    EadStatus status = run_all(detector, request);
    ead_host_leave(host);
    atomic_store(&detector->busy, false);
    return (int)status;
}

static EadRegionPart part_of(const EadRunOptions *options) {
    return (EadRegionPart){
        options->box_x,       options->box_y,
        options->box_width,   options->box_height,
        options->mask,        options->mask_width,
        options->mask_height, options->mask_stride ? options->mask_stride : options->mask_width};
}

int ead_detector_run_images(EadDetector *detector, const EadImageView *images, int count,
                            const EadRunOptions *options, float *const *maps, float *scores) {
    Request request = {.views = (const char *)images, .count = count, .maps = maps, .scores = scores};
    if (!images || count < 1)
        return ead_fail(EAD_BAD_ARGUMENT, "no images were given: %d, at %s", count,
                        images ? "an address" : "NULL");
    memcpy(&request.view_size, images, sizeof request.view_size);
    if (options) EAD_TRY(EAD_COPY_CALLER_STRUCT(EadRunOptions, options, &request.options));
    request.part = part_of(&request.options);
    return run_as_guest(detector, &request);
}

int ead_detector_run(EadDetector *detector, const uint8_t *rgb, int width, int height, ptrdiff_t stride,
                     float *map, float *score) {
    EadImageView view = {.size = sizeof view,
                         .pixels = rgb,
                         .width = width,
                         .height = height,
                         .stride = stride,
                         .format = EAD_PIXELS_RGB8};
    Request request = {
        .views = (const char *)&view, .view_size = sizeof view, .count = 1, .maps = &map, .scores = score};
    return run_as_guest(detector, &request);
}
