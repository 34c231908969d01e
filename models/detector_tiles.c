/* A large image through a detector in tiles: cut, run, blended, and brought to one map. */
#include "models/detector_state.h"

#include "core/base/memory.h"
#include "core/base/minmax.h"

#include <stdlib.h>
#include <string.h>

enum { SUMS = 1 + EAD_MAP_PARTS }; /* maps that tiles add to: the anomaly map, and its parts */

typedef struct Look {
    EadDetector *detector;
    const EadPixelRows *image;
    uint8_t *pixels; /* [height][width][3], as it is looked at */
    EadTiling grid;
    int unseen;           /* cells on each side */
    EadNode *nodes[SUMS]; /* NULL: no such part */
    real *sums[SUMS];     /* of the grid's cells */
    EadMap whole;         /* of the whole image as one tile, with its border; empty: not asked for */
} Look;

static void free_look(Look *look) {
    free(look->pixels);
    ead_tiling_free(&look->grid);
    for (int s = 0; s < SUMS; s++) free(look->sums[s]);
    ead_map_free(&look->whole);
}

static void run_batch(Look *look, const uint8_t *tiles) {
    EadDetectorNetwork *network = look->detector->network;
    ead_plan_write(network->plan, network->images, tiles);
    ead_plan_run(network->plan);
}

/* The size of what is looked at: of the region's box, or the image. */
static void find_size(const Look *look, int *width, int *height) {
    const EadRegion *region = look->detector->region;
    bool boxed = region->width > 0;
    ead_tiles_look_at(&look->detector->model->tiles, boxed ? region->width : look->image->width,
                      boxed ? region->height : look->image->height, width, height);
}

static EadStatus start_look(Look *look) {
    const EadDetection *result = &look->detector->network->result;
    const EadTiles *tiles = &look->detector->model->tiles;
    int width, height;
    find_size(look, &width, &height);
    look->unseen = (tiles->size / EAD_TILE_STEP - result->map->y.w) / 2;
    EAD_TRY(ead_tiling_new(&look->grid, tiles, look->unseen, width, height));
    look->pixels = ead_new((int64_t)height * width, 3, "an image in tiles");
    if (!look->pixels) return EAD_NO_MEMORY;
    look->nodes[0] = result->map;
    for (int i = 0; i < EAD_MAP_PARTS; i++) look->nodes[1 + i] = result->parts[i].map;
    for (int s = 0; s < SUMS; s++) {
        if (!look->nodes[s]) continue;
        look->sums[s] = ead_new(ead_tiling_cells(&look->grid), sizeof(real), "the map of an image in tiles");
        if (!look->sums[s]) return EAD_NO_MEMORY;
    }
    return ead_region_resize(look->detector->region, look->image, look->pixels, width, height);
}

/* Adds the maps of tiles first .. first + count - 1, which went through the network together. */
static EadStatus add_tiles(Look *look, int first, int count) {
    int64_t cells = (int64_t)look->grid.x.each * look->grid.y.each;
    for (int s = 0; s < SUMS; s++) {
        const void *value;
        if (!look->nodes[s]) continue;
        EAD_TRY(ead_plan_fetch(look->detector->network->plan, look->nodes[s], &value));
        for (int i = 0; i < count; i++)
            ead_tiling_add(&look->grid, first + i, (const real *)value + i * cells, look->sums[s]);
    }
    return EAD_OK;
}

static EadStatus look_at_tiles(Look *look) {
    EadDetector *d = look->detector;
    uint8_t *buffer = ead_detector_image_buffer(d);
    size_t bytes = (size_t)look->grid.size * (size_t)look->grid.size * 3;
    for (int first = 0, count; first < ead_tiling_count(&look->grid); first += count) {
        count = ead_min(ead_tiling_count(&look->grid) - first, d->batch);
        for (int i = 0; i < count; i++)
            ead_tiling_cut(&look->grid, look->pixels, first + i, buffer + (size_t)i * bytes);
        memset(buffer + (size_t)count * bytes, 0, (size_t)(d->batch - count) * bytes);
        run_batch(look, buffer);
        EAD_TRY(add_tiles(look, first, count));
    }
    return EAD_OK;
}

/* A map of cells [height][width] with the border that was not seen, which is 0. */
static EadStatus with_border(const real *cells, int height, int width, int unseen, const char *name,
                             EadMap *out) {
    EAD_TRY(ead_map_alloc(out, name, width + 2 * unseen, height + 2 * unseen));
    memset(out->values, 0, (size_t)out->width * (size_t)out->height * sizeof *out->values);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            out->values[(int64_t)(y + unseen) * out->width + x + unseen] =
                (float)cells[y * (int64_t)width + x];
    return EAD_OK;
}

static EadStatus look_at_whole(Look *look) {
    EadDetector *d = look->detector;
    const EadTensor *seen = &d->network->result.whole->y;
    uint8_t *buffer = ead_detector_image_buffer(d);
    size_t bytes = (size_t)look->grid.size * (size_t)look->grid.size * 3;
    const void *value;
    EAD_TRY(ead_region_resize(d->region, look->image, buffer, look->grid.size, look->grid.size));
    memset(buffer + bytes, 0, (size_t)(d->batch - 1) * bytes);
    run_batch(look, buffer);
    EAD_TRY(ead_plan_fetch(d->network->plan, d->network->result.whole, &value));
    return with_border(value, seen->h, seen->w, look->unseen, NULL, &look->whole);
}

/* What the whole image says where that is more. */
static EadStatus raise_to_whole(const Look *look, EadMap *cells) {
    EadMap whole;
    if (!look->whole.values) return EAD_OK;
    EAD_TRY(ead_map_alloc(&whole, NULL, cells->width, cells->height));
    ead_map_resize(look->whole.values, look->whole.height, look->whole.width, whole.values, whole.height,
                   whole.width);
    for (int64_t i = 0; i < (int64_t)cells->width * cells->height; i++)
        cells->values[i] = cells->values[i] > whole.values[i] ? cells->values[i] : whole.values[i];
    ead_map_free(&whole);
    return EAD_OK;
}

static EadStatus give_maps(Look *look, EadMap *map) {
    const EadTiling *grid = &look->grid;
    EadDetector *d = look->detector;
    EadMap cells[SUMS] = {{0}};
    EadStatus status = EAD_OK;
    for (int s = 0; s < SUMS && status == EAD_OK; s++)
        if (look->sums[s])
            status = with_border(look->sums[s], grid->y.length, grid->x.length, look->unseen,
                                 s ? d->network->result.parts[s - 1].name : NULL, &cells[s]);
    if (status == EAD_OK) status = raise_to_whole(look, &cells[0]);
    if (status == EAD_OK) status = ead_map_alloc(map, NULL, grid->width, grid->height);
    if (status == EAD_OK)
        ead_map_enlarge(cells[0].values, cells[0].height, cells[0].width, EAD_TILE_STEP, map->values,
                        map->height, map->width);
    for (int i = 0; i < EAD_MAP_PARTS && status == EAD_OK; i++) {
        ead_map_free(&d->part_maps[i]);
        d->part_maps[i] = cells[1 + i];
        cells[1 + i] = (EadMap){0};
    }
    for (int s = 0; s < SUMS; s++) ead_map_free(&cells[s]);
    return status;
}

EadStatus ead_detector_run_tiles(EadDetector *detector, const EadPixelRows *image, EadMap *map) {
    Look look = {.detector = detector, .image = image};
    *map = (EadMap){0};
    EAD_TRY(ead_region_check(detector->region, image->width, image->height));
    EadStatus status = start_look(&look);
    if (status == EAD_OK) status = look_at_tiles(&look);
    if (status == EAD_OK && detector->model->tiles.whole_image) status = look_at_whole(&look);
    if (status == EAD_OK) status = give_maps(&look, map);
    free_look(&look);
    return status;
}
