/* Finding a ResNet by torchvision's names among the tensors of others: what models/networks/resnet.h reads for
 * distillation. Batch norm stays as it is; it is folded when the file is read. */
#ifndef EAD_TRAIN_IMPORT_BACKBONE_H
#define EAD_TRAIN_IMPORT_BACKBONE_H

#include "train/import/import_source.h"

typedef struct EadImportBackbone {
    EadImportTensor **tensors; /* [count], owned */
    int prefix_length;         /* of their names, which are torchvision's behind it */
    int count;                 /* 0: not found */
} EadImportBackbone;

/* Finds the first file with conv1.weight and layer1.0.conv1.weight under one prefix, and marks what belongs
 * to it up to layer3 as used; layer4, the classifier and counters are of no use. Error: EAD_NO_MEMORY. Free
 * in every case. */
EadStatus ead_import_backbone_find(EadImportBackbone *backbone, EadImportSource *source);
void ead_import_backbone_free(EadImportBackbone *backbone);

#endif
