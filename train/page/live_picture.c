/* Small pictures, and heat maps out of them. */
#include "train/page/live_picture.h"

#include "core/base/half.h"
#include "core/base/memory.h"
#include "core/base/minmax.h"
#include "core/image/map.h"
#include "data/codec/codec.h"
#include "train/evaluate/map_output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { JPEG_QUALITY = 85 };

void ead_live_picture_free(EadLivePicture *picture) {
    free(picture->jpeg);
    free(picture->map);
    *picture = (EadLivePicture){0};
}

static size_t map_bytes(const EadLivePicture *picture) {
    return sizeof *picture->map * (size_t)picture->map_width * (size_t)picture->map_height;
}

size_t ead_live_picture_bytes(const EadLivePicture *picture) {
    return picture->jpeg ? picture->size + map_bytes(picture) : 0;
}

EadStatus ead_live_picture_copy(const EadLivePicture *picture, EadLivePicture *out) {
    *out = *picture;
    out->jpeg = ead_new((int64_t)picture->size, 1, "a picture of the page");
    out->map = ead_new((int64_t)map_bytes(picture), 1, "a picture of the page");
    if (!out->jpeg || !out->map) {
        ead_live_picture_free(out);
        return EAD_NO_MEMORY;
    }
    memcpy(out->jpeg, picture->jpeg, picture->size);
    memcpy(out->map, picture->map, map_bytes(picture));
    return EAD_OK;
}

/* ---- making ---- */

/* A length of the image on the reduced one. */
static int reduced(int length, int longest) {
    if (longest <= EAD_LIVE_SIDE) return length;
    return ead_max((int)(((int64_t)length * EAD_LIVE_SIDE + longest / 2) / longest), 1);
}

/* The box of the region on the reduced image; ends first, so that neighbours stay neighbours. */
static EadRegion reduced_box(const EadRegion *region, int longest, int width, int height) {
    if (!region->width) return (EadRegion){0};
    EadRegion box = {.x = ead_min(reduced(region->x, longest), width - 1),
                     .y = ead_min(reduced(region->y, longest), height - 1)};
    box.width = ead_max(ead_min(reduced(region->x + region->width, longest), width) - box.x, 1);
    box.height = ead_max(ead_min(reduced(region->y + region->height, longest), height) - box.y, 1);
    return box;
}

static EadStatus reduce_image(const EadLiveImage *image, int width, int height, EadImage *out) {
    EAD_TRY(ead_image_alloc(out, width, height, image->channels));
    return ead_resize_u8(image->pixels, image->width, image->height, image->channels,
                         (ptrdiff_t)image->width * image->channels, out->pixels, width, height);
}

/* The largest of the values of the image's map that a cell stands for. */
static float cell_of(const EadLiveImage *image, const EadLivePicture *picture, int64_t cell) {
    if (!image->model->tiles.size) return image->map[cell];
    int64_t x = cell % picture->map_width, y = cell / picture->map_width;
    int64_t right = (x + 1) * image->width / picture->map_width,
            bottom = (y + 1) * image->height / picture->map_height;
    float most = -INFINITY;
    for (int64_t v = y * image->height / picture->map_height; v < bottom; v++)
        for (int64_t u = x * image->width / picture->map_width; u < right; u++)
            most = fmaxf(most, image->map[v * image->width + u]);
    return most;
}

EadStatus ead_live_picture_make(const EadLiveImage *image, EadLivePicture *out) {
    const EadModel *model = image->model;
    int longest = ead_max(image->width, image->height);
    int width = reduced(image->width, longest), height = reduced(image->height, longest);
    bool tiled = model->tiles.size > 0;
    int map_width = tiled ? width : model->width, map_height = tiled ? height : model->height;
    int64_t cells = (int64_t)map_width * map_height;
    static const EadRegion all;
    EadImage small = {0};
    *out = (EadLivePicture){.width = width,
                            .height = height,
                            .map_width = map_width,
                            .map_height = map_height,
                            .box = reduced_box(tiled ? &all : &model->region, longest, width, height),
                            .heat = ead_heat_of(model, image->score),
                            .map = ead_new(cells, sizeof *out->map, "a picture of the page")};
    EadStatus status = out->map ? reduce_image(image, width, height, &small) : EAD_NO_MEMORY;
    if (status == EAD_OK) status = ead_jpeg_encode(&small, JPEG_QUALITY, &out->jpeg, &out->size);
    ead_image_free(&small);
    for (int64_t i = 0; status == EAD_OK && i < cells; i++)
        out->map[i] = ead_half_from_float(fmaxf(fminf(cell_of(image, out, i), 65504), -65504));
    if (status != EAD_OK) ead_live_picture_free(out);
    return status;
}

/* ---- looking ---- */

static EadStatus draw(const EadLivePicture *picture, const EadImage *rgb, uint8_t **jpeg, size_t *size) {
    EadMap coarse = {0}, map = {0};
    EadImage drawn = {0};
    EadStatus status = ead_map_alloc(&coarse, NULL, picture->map_width, picture->map_height);
    if (status == EAD_OK) status = ead_map_alloc(&map, NULL, rgb->width, rgb->height);
    if (status == EAD_OK) {
        ead_halves_to_floats(picture->map, (int64_t)coarse.width * coarse.height, coarse.values);
        ead_region_map_resize(&picture->box, coarse.values, coarse.height, coarse.width, map.values,
                              rgb->height, rgb->width);
        EadOverlay overlay = {
            .rgb = rgb, .map = map.values, .heat = picture->heat, .regions = !isnan(picture->heat.threshold)};
        status = ead_overlay_render(&overlay, &drawn);
    }
    if (status == EAD_OK) status = ead_jpeg_encode(&drawn, JPEG_QUALITY, jpeg, size);
    ead_image_free(&drawn);
    ead_map_free(&map);
    ead_map_free(&coarse);
    return status;
}

EadStatus ead_live_picture_heat(const EadLivePicture *picture, uint8_t **jpeg, size_t *size) {
    EadImage rgb;
    *jpeg = NULL;
    EAD_TRY(ead_image_decode(picture->jpeg, picture->size, "a picture of the page", &rgb));
    EadStatus status = draw(picture, &rgb, jpeg, size);
    ead_image_free(&rgb);
    return status;
}
