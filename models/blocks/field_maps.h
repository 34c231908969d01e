/* The maps of a model that describes patches of several sizes (S-T, GCAD): two of each size, which its statistics on good images take
 * to mean 0 and standard deviation 1, so that they add up. */
#pragma once

#include "models/blocks/patch_descriptor.h"
#include "models/method.h"

enum {
    EAD_FIELD_MAPS = 2,
    EAD_FIELD_MAP_HIGH =
        8, /* standard deviations that a map of good images hardly reaches, for EadModel.color_high */
};

/* Of one size of patches. */
typedef struct EadFieldMaps {
    real statistics[EAD_FIELD_MAPS][2]; /* mean, standard deviation */
    real scale[EAD_FIELD_MAPS], shift[EAD_FIELD_MAPS];
} EadFieldMaps;

/* Leaves maps as they are. */
EadFieldMaps ead_field_maps(void);

/* Sets the statistics of the first `count` and what follows from them. field: pixels; names: "local map", for the message. Errors:
 * EAD_BAD_ARGUMENT if they are not finite or a map has no spread. */
EadStatus ead_field_maps_set(EadFieldMaps *maps, int field, const char *const names[EAD_FIELD_MAPS],
                             int count, double statistics[EAD_FIELD_MAPS][2]);

/* Their tensor in model files, map.pP [4]. The reading one gives the numbers alone. */
EadStatus ead_field_maps_read(const EadSafetensors *file, int field, double statistics[EAD_FIELD_MAPS][2]);
EadStatus ead_field_maps_write(EadSafetensorsWriter *writer, int field, const EadFieldMaps *maps);

/* Adds the standardised maps of one size, [N,H,W,1] or NULL, to the sums over sizes, NULL at first. maps is read in place. */
void ead_field_maps_add(EadGraph *graph, const EadFieldMaps *maps, EadNode *const raw[EAD_FIELD_MAPS],
                        EadNode *sums[EAD_FIELD_MAPS]);

/* The means of the sums over so many sizes as parts of an anomaly map, which is their sum; names: of the parts. */
EadDetection ead_field_maps_detection(EadGraph *graph, EadNode *const sums[EAD_FIELD_MAPS], int fields,
                                      const char *const names[EAD_FIELD_MAPS]);
