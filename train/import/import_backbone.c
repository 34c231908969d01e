/* Backbones by the tensor that their family is known by; which member of it they are, its reader finds out. */
#include "train/import/import.h"

#include "core/base/memory.h"
#include "core/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a tensor of the publisher is called in a backbone file; one that has no place there keeps its name. */
static void name_here(const EadImportBackbone *backbone, const char *theirs, char *out, size_t size) {
    static const char *const dotted[] = {".norm.", ".conv."};
    char renamed[EAD_NAME_SIZE];
    bool other = backbone->other && backbone->family->rename(theirs, renamed);
    snprintf(out, size, "%s", other ? renamed : theirs);
    for (size_t i = 0; i < sizeof dotted / sizeof *dotted; i++) {
        char *part = strstr(out, dotted[i]), *dot = part ? part + strlen(dotted[i]) - 1 : NULL;
        if (dot && dot[1] >= '1' && dot[1] <= '2' && dot[2] == '.') memmove(dot, dot + 1, strlen(dot));
    }
}

static EadStatus collect(EadImportBackbone *backbone, EadImportSource *source, const EadImportTensor *first) {
    const EadBackboneFamily *family = backbone->family;
    int length = backbone->prefix_length;
    backbone->tensors = ead_new(source->count, sizeof *backbone->tensors, "a list of tensors");
    if (!backbone->tensors) return EAD_NO_MEMORY;
    for (int i = 0; i < source->count; i++) {
        EadImportTensor *tensor = &source->tensors[i];
        const char *theirs = tensor->view->name;
        char name[512];
        if (tensor->file != first->file || strncmp(theirs, first->view->name, (size_t)length) != 0) continue;
        name_here(backbone, theirs + length, name, sizeof name);
        if (ead_begins_like_one(name, family->parts) && !strstr(name, "num_batches_tracked"))
            backbone->tensors[backbone->count++] = tensor;
        tensor->used = ead_begins_like_one(name, family->parts) || ead_begins_like_one(name, family->beyond);
    }
    return EAD_OK;
}

/* Whether a tensor is the one that a publisher's files are known by. */
static bool is_mark(EadImportBackbone *backbone, const EadImportTensor *tensor, const char *mark) {
    if (mark) backbone->prefix_length = ead_import_prefix(tensor->view->name, mark);
    return mark && backbone->prefix_length >= 0;
}

EadStatus ead_import_backbone_find(EadImportBackbone *backbone, EadImportSource *source) {
    *backbone = (EadImportBackbone){0};
    for (int f = 0; (backbone->family = ead_backbone_family(f)) != NULL; f++) {
        if (!backbone->family->parts) continue;
        for (int i = 0; i < source->count; i++) {
            const EadImportTensor *tensor = &source->tensors[i];
            bool own = is_mark(backbone, tensor, backbone->family->mark);
            backbone->other = !own && is_mark(backbone, tensor, backbone->family->other_mark);
            if (own || backbone->other) return collect(backbone, source, tensor);
        }
    }
    return EAD_OK;
}

void ead_import_backbone_name(const EadImportBackbone *backbone, int index, char *out, size_t size) {
    name_here(backbone, backbone->tensors[index]->view->name + backbone->prefix_length, out, size);
}

void ead_import_backbone_free(EadImportBackbone *backbone) {
    free(backbone->tensors);
    *backbone = (EadImportBackbone){0};
}
