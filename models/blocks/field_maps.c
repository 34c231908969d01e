/* Maps that are standardised, added up, and kept as four numbers. */
#include "models/blocks/field_maps.h"

#include "core/ops/add/add.h"
#include "core/ops/channel_affine/channel_affine.h"
#include "core/ops/scale/scale.h"
#include "models/networks/params_file.h"

#include <math.h>
#include <stdio.h>

EadFieldMaps ead_field_maps(void) {
    return (EadFieldMaps){.statistics = {{0, 1}, {0, 1}}, .scale = {1, 1}};
}

EadStatus ead_field_maps_set(EadFieldMaps *maps, int field, const char *const names[EAD_FIELD_MAPS],
                             int count, double statistics[EAD_FIELD_MAPS][2]) {
    for (int m = 0; m < count; m++) {
        double mean = statistics[m][0], std = statistics[m][1];
        if (!isfinite(mean) || !isfinite(std) || !(std > 0))
            return ead_fail(EAD_BAD_ARGUMENT,
                            "the %s of patches of %d pixels cannot be normalised: mean %g and standard "
                            "deviation %g of the validation maps; train longer or use more validation images",
                            names[m], field, mean, std);
        EadStandardizing s = ead_standardizing(mean, std);
        maps->statistics[m][0] = s.mean;
        maps->statistics[m][1] = s.std;
        maps->scale[m] = s.scale;
        maps->shift[m] = s.shift;
    }
    return EAD_OK;
}

/* ---- files ---- */

static const char *tensor_name(int field, char out[EAD_NAME_SIZE]) {
    snprintf(out, EAD_NAME_SIZE, "map.p%d", field);
    return out;
}

EadStatus ead_field_maps_read(const EadSafetensors *file, int field, double statistics[EAD_FIELD_MAPS][2]) {
    char name[EAD_NAME_SIZE];
    return ead_vector_read(file, tensor_name(field, name), 2 * EAD_FIELD_MAPS, &statistics[0][0]);
}

EadStatus ead_field_maps_write(EadSafetensorsWriter *writer, int field, const EadFieldMaps *maps) {
    char name[EAD_NAME_SIZE];
    return ead_vector_write(writer, tensor_name(field, name), 2 * EAD_FIELD_MAPS, &maps->statistics[0][0]);
}

/* ---- graphs ---- */

static EadNode *standardized(EadGraph *graph, EadNode *map, const real *scale, const real *shift) {
    return ead_channel_affine(graph, map, ead_leaf(graph, "scale", EAD_REAL, 1, 1, 1, 1, (void *)scale),
                              ead_leaf(graph, "shift", EAD_REAL, 1, 1, 1, 1, (void *)shift));
}

void ead_field_maps_add(EadGraph *graph, const EadFieldMaps *maps, EadNode *const raw[EAD_FIELD_MAPS],
                        EadNode *sums[EAD_FIELD_MAPS]) {
    for (int m = 0; m < EAD_FIELD_MAPS; m++) {
        if (!raw[m]) continue;
        EadNode *map = standardized(graph, raw[m], &maps->scale[m], &maps->shift[m]);
        sums[m] = sums[m] ? ead_add(graph, sums[m], map) : map;
    }
}

EadDetection ead_field_maps_detection(EadGraph *graph, EadNode *const sums[EAD_FIELD_MAPS], int fields,
                                      const char *const names[EAD_FIELD_MAPS]) {
    EadDetection detection = {.map = NULL};
    for (int m = 0; m < EAD_FIELD_MAPS && sums[m]; m++) {
        EadNode *map = fields > 1 ? ead_scale(graph, sums[m], 1.0 / fields) : sums[m];
        detection.parts[m] = (EadMapPart){names[m], map};
        detection.map = detection.map ? ead_add(graph, detection.map, map) : map;
    }
    ead_keep(detection.map);
    return detection;
}
