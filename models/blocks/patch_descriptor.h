/* The networks of S-T (Bergmann et al. 2020, Tables 5 to 7): 128 numbers that describe the patch around a pixel, of
 * 17, 33 or 65 pixels a side. A patch by itself gives one vector; a whole image gives one for each pixel, at far less than
 * the patches' work: where a patch is pooled with a stride of 2, all four places of the windows are kept, as so many
 * pictures (core/ops/space_to_batch). */
#pragma once

#include "core/file/safetensors.h"
#include "core/graph/params.h"

enum {
    EAD_DESCRIPTOR_FEATURES = 128,
    EAD_DESCRIPTOR_FIELDS = 3, /* sizes that there are: 17, 33, 65 */
};

/* Sizes of patches, which the networks of a model describe. */
typedef struct EadDescriptorFields {
    int count, size[EAD_DESCRIPTOR_FIELDS]; /* growing */
} EadDescriptorFields;

/* Sets them from "17,33,65": each once, the least first. Errors: EAD_BAD_ARGUMENT. */
EadStatus ead_descriptor_fields_find(const char *text, EadDescriptorFields *fields);

/* Whether images of that size have whole pictures of what they say. Errors: EAD_BAD_ARGUMENT. */
EadStatus ead_descriptor_fields_check(const EadDescriptorFields *fields, int height, int width);

/* "17,33,65". */
enum { EAD_FIELDS_TEXT = 16 };
void ead_descriptor_fields_text(const EadDescriptorFields *fields, char text[EAD_FIELDS_TEXT]);

/* The same as metadata "fields" of a model file. Errors: EAD_BAD_FILE, naming it; EAD_NO_MEMORY. */
EadStatus ead_descriptor_fields_read(const EadSafetensors *file, EadDescriptorFields *fields);
EadStatus ead_descriptor_fields_write(EadSafetensorsWriter *writer, const EadDescriptorFields *fields);

typedef struct EadPatchDescriptor {
    int field;        /* 17, 33 or 65 */
    const char *name; /* prefix of the parameters: "teacher" */
    const EadParams *params;
    bool trainable;
} EadPatchDescriptor;

/* Height and width of an image must be multiples of it: 2 for each pooling. */
int ead_patch_descriptor_step(int field);

/* Declares <name>.p<field>.conv1.weight ... in params. */
EadStatus ead_patch_descriptor_declare(const EadPatchDescriptor *descriptor, EadParams *params);

/* Takes numbers of that mean and standard deviation, [128] each, to 0 and 1, in the last layer of params; one that never changes
 * keeps its scale. */
void ead_patch_descriptor_standardize(const EadPatchDescriptor *descriptor, EadParams *params,
                                      const double *mean, const double *std);

/* x [N,field,field,3], normalised patches -> [N,1,1,128]. */
EadNode *ead_patch_descriptor_of_patches(EadGraph *graph, const EadPatchDescriptor *descriptor, EadNode *x);

/* x [N,H,W,3], normalised images -> [step² N, H/step, W/step, 128]: of each pixel the descriptor of the patch around it,
 * the outermost pixels repeated outside of the image; pixels in the order of space_to_batch. */
EadNode *ead_patch_descriptor_dense(EadGraph *graph, const EadPatchDescriptor *descriptor, EadNode *x);

/* What was computed of these, [step² N, H/step, W/step, C], as pictures again: [N,H,W,C]. No gradient. */
EadNode *ead_patch_descriptor_picture(EadGraph *graph, int field, EadNode *x);
