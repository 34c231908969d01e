/* By prefixes and parts of names; which member of the family it is, its reader finds out. */
#include "train/import/import_backbone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK "layer1.0.conv1.weight"

/* Where the prefix of a ResNet ends in the name of its first block's weight; -1 if it is no such name. */
static int prefix_of(const char *name) {
    size_t length = strlen(name), end = sizeof MARK - 1;
    if (length < end || strcmp(name + length - end, MARK) != 0) return -1;
    return length == end || name[length - end - 1] == '.' ? (int)(length - end) : -1;
}

static bool has_stem(const EadImportSource *source, const EadImportTensor *tensor, int prefix_length) {
    char stem[1024];
    int used = snprintf(stem, sizeof stem, "%.*sconv1.weight", prefix_length, tensor->view->name);
    return used < (int)sizeof stem && ead_import_find(source, tensor->file, stem);
}

static bool is_part(const char *name, const char *const *parts) {
    for (; *parts; parts++)
        if (strncmp(name, *parts, strlen(*parts)) == 0) return true;
    return false;
}

static bool is_counter(const char *name) {
    return strstr(name, "num_batches_tracked") != NULL;
}

static EadStatus collect(EadImportBackbone *backbone, EadImportSource *source, const EadImportTensor *first,
                         int prefix_length) {
    static const char *const kept[] = {"conv1.", "bn1.", "layer1.", "layer2.", "layer3.", NULL};
    static const char *const needless[] = {"layer4.", "fc.", NULL};
    backbone->tensors = malloc((size_t)source->count * sizeof *backbone->tensors);
    if (!backbone->tensors) return ead_fail(EAD_NO_MEMORY, "no memory for a list of tensors");
    backbone->prefix_length = prefix_length;
    for (int i = 0; i < source->count; i++) {
        EadImportTensor *tensor = &source->tensors[i];
        const char *name = tensor->view->name;
        if (tensor->file != first->file || strncmp(name, first->view->name, (size_t)prefix_length) != 0)
            continue;
        name += prefix_length;
        if (is_part(name, kept) && !is_counter(name)) backbone->tensors[backbone->count++] = tensor;
        tensor->used = is_part(name, kept) || is_part(name, needless);
    }
    return EAD_OK;
}

EadStatus ead_import_backbone_find(EadImportBackbone *backbone, EadImportSource *source) {
    *backbone = (EadImportBackbone){0};
    for (int i = 0; i < source->count; i++) {
        const EadImportTensor *tensor = &source->tensors[i];
        int prefix_length = prefix_of(tensor->view->name);
        if (prefix_length >= 0 && has_stem(source, tensor, prefix_length))
            return collect(backbone, source, tensor, prefix_length);
    }
    return EAD_OK;
}

void ead_import_backbone_free(EadImportBackbone *backbone) {
    free(backbone->tensors);
    *backbone = (EadImportBackbone){0};
}
