/* Graph, outputs, metadata; then the file, which gets its name when it has been read back. */
#include "train/export/export.h"

#include "core/base/file_bytes.h"
#include "core/base/minmax.h"
#include "core/file/output_check.h"
#include "train/export/export_metadata.h"
#include "train/export/onnx_graph.h"
#include "train/export/onnx_image.h"
#include "train/export/onnx_region.h"

#include <stdlib.h>
#include <string.h>

#define MAP_NAME   "anomaly_map"
#define SCORE_NAME "pred_score"

/* What protobuf can hold, less all that is no constant. */
static const uint64_t MOST_BYTES = (UINT64_C(1) << 31) - (1 << 24);

/* ---- the graph ---- */

static EadStatus add_value(EadOnnxTensors *list, const char *name, EadOnnxType type, int dims,
                           const int64_t *shape) {
    EadOnnxTensor value = {.name = name, .type = type, .dims = dims};
    memcpy(value.shape, shape, (size_t)dims * sizeof *shape);
    return ead_onnx_tensor_add(list, &value);
}

/* The image as the graph's nodes want it: [N,3,H,W]. */
static const char *write_input(EadOnnxGraph *g, const EadExportSpec *spec) {
    const EadModel *model = spec->model;
    int64_t n = spec->batch ? spec->batch : EAD_ONNX_ANY;
    bool camera = spec->input == EAD_EXPORT_CAMERA;
    const char *name = ead_onnx_new_name(g, camera ? "image" : "input");
    if (camera)
        ead_onnx_fail(g, add_value(&g->file.inputs, name, EAD_ONNX_UINT8, 4,
                                   (int64_t[]){n, spec->height, spec->width, 3}));
    else
        ead_onnx_fail(g, add_value(&g->file.inputs, name, EAD_ONNX_FLOAT, 4,
                                   (int64_t[]){n, 3, model->height, model->width}));
    g->scaled = !camera;
    if (camera) name = ead_onnx_resize_image(g, name, spec->height, spec->width, model);
    return ead_onnx_blank_outside(g, model, name, camera ? 255 : 1);
}

/* The score by the largest values of a map at the model's size, whose values outside are its least: [N,1]. */
static const char *score_by_map(EadOnnxGraph *g, const EadModel *model, const char *map) {
    const uint8_t *mask = model->region.mask;
    int64_t pixels = (int64_t)model->height * model->width, inside = mask ? 0 : pixels;
    for (int64_t i = 0; mask && i < pixels; i++) inside += mask[i];
    bool mean = model->score.method == EAD_SCORE_TOP_MEAN;
    map = ead_onnx_emit(
        g, (EadOnnxNode){.op = "Flatten", .inputs = {map}, .attributes = {EAD_WITH_INT("axis", 1)}});
    int64_t cells = ead_min64(model->score.cells, inside);
    EadOnnxNode top = ead_onnx_emit_all(g,
                                        (EadOnnxNode){.op = "TopK",
                                                      .inputs = {map, ead_onnx_indices(g, 1, &cells)},
                                                      .attributes = {EAD_WITH_INT("axis", 1)}},
                                        2);
    return ead_onnx_emit(
        g, (EadOnnxNode){.op = mean ? "ReduceMean" : "ReduceMin",
                         .inputs = {top.outputs[0]},
                         .attributes = {EAD_WITH_INTS("axes", 1), EAD_WITH_INT("keepdims", 1)}});
}

/* map at the model's size; score: NULL where it follows from the map. */
static void write_outputs(EadOnnxGraph *g, const EadExportSpec *spec, const char *map, const char *score) {
    const EadModel *model = spec->model;
    int64_t n = spec->batch ? spec->batch : EAD_ONNX_ANY;
    map = ead_onnx_fill_outside(g, model, map);
    if (model->score.method != EAD_SCORE_MAX && !spec->map_only) score = score_by_map(g, model, map);
    if (model->region.width && spec->input == EAD_EXPORT_CAMERA) {
        map = ead_onnx_resize(g, map, model->height, model->width, model->region.height, model->region.width);
        map = ead_onnx_around_box(g, &model->region, map, spec->height, spec->width);
    } else {
        map = ead_onnx_resize(g, map, model->height, model->width, spec->height, spec->width);
    }
    ead_onnx_emit(g, (EadOnnxNode){.op = "Identity", .inputs = {map}, .outputs = {MAP_NAME}});
    ead_onnx_fail(g, add_value(&g->file.outputs, MAP_NAME, EAD_ONNX_FLOAT, 4,
                               (int64_t[]){n, 1, spec->height, spec->width}));
    if (spec->map_only) return;
    if (!score) score = ead_onnx_of(g, "GlobalMaxPool", map);
    ead_onnx_emit(g, (EadOnnxNode){.op = "Flatten",
                                   .inputs = {score},
                                   .attributes = {EAD_WITH_INT("axis", 1)},
                                   .outputs = {SCORE_NAME}});
    ead_onnx_fail(g, add_value(&g->file.outputs, SCORE_NAME, EAD_ONNX_FLOAT, 2, (int64_t[]){n, 1}));
}

static EadStatus write_graph(EadOnnxGraph *g, const EadExportSpec *spec, EadGraph *graph) {
    const EadModel *model = spec->model;
    const char *names[2];
    EadNode *images = ead_leaf(graph, "images", EAD_U8, 1, model->height, model->width, 3, NULL);
    EadDetection found = model->method->functions->build(graph, model, images);
    bool by_network = !spec->map_only && model->score.method == EAD_SCORE_MAX;
    ead_onnx_new_name(g, MAP_NAME);
    ead_onnx_new_name(g, SCORE_NAME);
    const char *input = write_input(g, spec);
    EAD_TRY(ead_onnx_graph_walk(g, graph, images, input, found.map, by_network ? found.score : NULL, names));
    write_outputs(g, spec, names[0], names[1]);
    return g->status;
}

static EadStatus make_graph(EadOnnxGraph *g, const EadExportSpec *spec) {
    if (spec->model->tiles.size)
        return ead_fail(EAD_UNSUPPORTED,
                        "%s: looks at images in tiles (tiles.size), as many as an image needs, which a graph "
                        "of ONNX does "
                        "not say; use the library, predict or serve",
                        spec->path);
    EadGraph *graph = ead_graph_new();
    if (!graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    EadStatus status = write_graph(g, spec, graph);
    ead_graph_free(graph);
    if (status == EAD_UNSUPPORTED)
        return ead_fail_prefix(status, "%s: a model of the method %s cannot be exported: ", spec->path,
                               spec->model->method->name);
    if (status != EAD_OK || ead_onnx_bytes(&g->file) <= MOST_BYTES) return status;
    return ead_fail(EAD_UNSUPPORTED,
                    "%s: its constants take %.2f GB, more than the 2 GB of an ONNX file; take --precision "
                    "fp16, or train it again with a smaller bank (patchcore.coreset_ratio)",
                    spec->path, 1e-9 * (double)ead_onnx_bytes(&g->file));
}

/* ---- the file ---- */

/* Whether what was read is what was written. */
static bool same(const EadOnnxFile *file, const EadOnnxReading *reading) {
    const EadOnnxTensors *read = ead_onnx_constants(reading);
    bool equal = ead_onnx_node_count(reading) == file->node_count && read->count == file->constants.count;
    for (int i = 0; equal && i < read->count; i++) {
        const EadOnnxTensor *a = &read->items[i], *b = &file->constants.items[i];
        equal =
            strcmp(a->name, b->name) == 0 && a->bytes == b->bytes && memcmp(a->data, b->data, a->bytes) == 0;
    }
    return equal;
}

static EadStatus check_written(const EadOnnxFile *file, const char *part, const char *path) {
    EadOnnxReading *reading;
    char *bytes;
    size_t size;
    EAD_TRY(ead_read_file(part, INT32_MAX, &bytes, &size));
    EadStatus status = ead_onnx_read(bytes, size, path, &reading);
    if (status == EAD_OK && !same(file, reading))
        status = ead_fail(EAD_IO, "%s: was read back with other values than were written; is the disk sound?",
                          path);
    ead_onnx_reading_free(reading);
    free(bytes);
    return status;
}

static EadStatus write_file(const EadOnnxFile *file, const char *name, const char *path) {
    EadAtomicFile output;
    EadPath part;
    EAD_TRY(ead_atomic_file_open(&output, path));
    EadStatus status = ead_onnx_write(file, name, output.stream);
    if (status == EAD_OK) status = ead_atomic_file_readable(&output, part);
    if (status == EAD_OK) status = check_written(file, part, path);
    if (status == EAD_OK) return ead_atomic_file_commit(&output);
    ead_atomic_file_discard(&output);
    return status;
}

EadStatus ead_export_onnx(const EadExportSpec *spec, const char *path, EadExportResult *result) {
    EadOnnxGraph g = {.halves = spec->halves};
    EadStatus status = make_graph(&g, spec);
    if (status == EAD_OK) status = ead_export_metadata(&g.file, spec);
    *result = (EadExportResult){g.file.node_count, g.file.constants.count, ead_onnx_bytes(&g.file)};
    if (status == EAD_OK) status = ead_check_room(path, result->bytes, 0);
    if (status == EAD_OK) status = write_file(&g.file, spec->model->method->name, path);
    ead_onnx_graph_free(&g);
    return status;
}

EadStatus ead_export_check_replaced(const char *path, const char *option) {
    /* The version of the format and who made it: the first fields of ead_onnx_write(). */
    return ead_check_replaced(path, option,
                              "\x08\x08\x12\x0b"
                              "efficientad",
                              "\x1a");
}
