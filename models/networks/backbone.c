/* The table of families, taps by name, and backbones inside model files. */
#include "models/networks/backbone.h"

#include "core/file/file_role.h"
#include "core/ops/avg_pool2d/avg_pool2d.h"
#include "models/networks/params_file.h"

#include <stdio.h>
#include <string.h>

#define EAD_BACKBONE(name) extern const EadBackboneFamily ead_backbone_##name;
#include "models/networks/backbones.def"
#undef EAD_BACKBONE

static const EadBackboneFamily *const families[] = {
#define EAD_BACKBONE(name) &ead_backbone_##name,
#include "models/networks/backbones.def"
#undef EAD_BACKBONE
};

enum { FAMILIES = sizeof families / sizeof *families };

const EadBackboneFamily *ead_backbone_family(int index) {
    return index < FAMILIES ? families[index] : NULL;
}

void ead_backbone_networks(char *out, size_t size) {
    out[0] = '\0';
    for (int i = 0; i < FAMILIES; i++) {
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s", i ? ", " : "", families[i]->networks);
    }
}

static EadStatus read_weights(const EadSafetensors *file, bool whole, EadBackbone *out) {
    for (int i = 0; i < FAMILIES; i++) {
        if (ead_safetensors_find(file, families[i]->mark)) {
            out->whole = whole && families[i]->end && ead_safetensors_find(file, families[i]->end);
            EAD_TRY(families[i]->read(file, out));
            out->family = families[i];
            return ead_check_all_used(file, out->family->beyond, out->name);
        }
    }
    char known[512];
    ead_backbone_networks(known, sizeof known);
    return ead_fail(EAD_BAD_FILE,
                    "%s: holds no backbone that is known, which are %s; efficientad import makes "
                    "such files of others' weights",
                    ead_safetensors_path(file), known);
}

EadStatus ead_backbone_check(const char *path) {
    EadSafetensors *file;
    EAD_TRY(ead_file_expect(path, EAD_ROLE(BACKBONE) | EAD_ROLE(TEACHER), "a backbone or teacher"));
    EAD_TRY(ead_safetensors_open_header(path, &file));
    ead_safetensors_close(file);
    return EAD_OK;
}

static EadStatus open_file(const char *path, bool whole, EadBackbone *out) {
    EadSafetensors *file;
    *out = (EadBackbone){0};
    EAD_TRY(ead_backbone_check(path));
    EAD_TRY(ead_safetensors_open(path, &file));
    EadStatus status = read_weights(file, whole, out);
    ead_safetensors_close(file);
    if (status != EAD_OK) ead_backbone_free(out);
    return status;
}

EadStatus ead_backbone_open(const char *path, EadBackbone *out) {
    return open_file(path, false, out);
}

EadStatus ead_backbone_open_whole(const char *path, EadBackbone *out) {
    return open_file(path, true, out);
}

/* Sets name, family, kind and variant. */
static bool find_network(const char *name, EadBackbone *out) {
    *out = (EadBackbone){0};
    if (strlen(name) >= sizeof out->name) return false;
    strcpy(out->name, name);
    for (int i = 0; i < FAMILIES && !out->family; i++)
        if (families[i]->find(out)) out->family = families[i];
    return out->family != NULL;
}

bool ead_backbone_is_known(const char *name) {
    EadBackbone backbone;
    return find_network(name, &backbone);
}

EadStatus ead_backbone_new(const char *name, EadBackbone *out) {
    if (!find_network(name, out)) return ead_fail(EAD_BAD_ARGUMENT, "there is no backbone '%.80s'", name);
    EadStatus status = out->family->declare(out);
    if (status != EAD_OK) ead_backbone_free(out);
    return status;
}

void ead_backbone_free(EadBackbone *backbone) {
    ead_params_free(&backbone->params);
    *backbone = (EadBackbone){0};
}

/* ---- taps ---- */

/* The number of a word of `length` bytes in "a|b|c", or -1. */
static int find_word(const char *words, const char *word, size_t length) {
    for (int i = 0;; i++) {
        size_t size = strcspn(words, "|");
        if (size == length && strncmp(words, word, length) == 0) return i;
        if (words[size] == '\0') return -1;
        words += size + 1;
    }
}

EadStatus ead_backbone_find_taps(const EadBackbone *backbone, const char *names, EadTaps *out) {
    const EadBackboneFamily *family = backbone->family;
    *out = (EadTaps){0};
    if (!names[0]) names = family->default_taps;
    for (const char *at = names;; at++) {
        at += strspn(at, " ");
        size_t length = strcspn(at, ","), size = length;
        while (size > 0 && at[size - 1] == ' ') size--;
        int tap = find_word(family->taps, at, size);
        if (tap < 0)
            return ead_fail(EAD_BAD_ARGUMENT,
                            "'%.80s' names features that %s does not have; it has %s, to be "
                            "joined by commas",
                            names, backbone->name, family->taps);
        if (out->count == EAD_TAPS_CHOSEN)
            return ead_fail(EAD_BAD_ARGUMENT, "'%.80s': at most %d features can be joined", names,
                            EAD_TAPS_CHOSEN);
        for (int i = 0; i < out->count; i++)
            if (out->at[i] == tap)
                return ead_fail(EAD_BAD_ARGUMENT, "'%.80s' names %.*s twice", names, (int)size, at);
        out->at[out->count++] = tap;
        at += length;
        if (*at == '\0') return EAD_OK;
    }
}

void ead_backbone_taps_text(const EadBackbone *backbone, const EadTaps *taps, char *text, size_t size) {
    text[0] = '\0';
    for (int i = 0; i < taps->count; i++) {
        const char *name = backbone->family->taps;
        size_t used = strlen(text);
        for (int k = 0; k < taps->at[i]; k++) name = strchr(name, '|') + 1;
        snprintf(text + used, size - used, "%s%.*s", i ? "," : "", (int)strcspn(name, "|"), name);
    }
}

void ead_backbone_build(EadGraph *graph, const EadBackbone *backbone, EadNode *images, const EadTaps *taps,
                        EadNode *features[EAD_TAPS_CHOSEN]) {
    EadNode *all[EAD_BACKBONE_TAPS];
    backbone->family->build(graph, backbone, images, all);
    for (int i = 0; i < taps->count; i++) features[i] = all[taps->at[i]];
}

EadNode *ead_backbone_pooled(EadGraph *graph, const EadBackbone *backbone, int tap, EadNode *images) {
    EadTaps one = {1, {tap}};
    EadNode *features[EAD_TAPS_CHOSEN];
    ead_backbone_build(graph, backbone, images, &one, features);
    const EadTensor *shape = &features[0]->y;
    if (ead_graph_status(graph) == EAD_OK && shape->h != shape->w)
        ead_graph_fail(graph, ead_fail(EAD_BAD_SHAPE, "features of %dx%d: only square ones are averaged",
                                       shape->h, shape->w));
    return ead_avg_pool2d(graph, features[0], shape->h, shape->h, 0);
}

EadNode *ead_backbone_vector(EadGraph *graph, const EadBackbone *backbone, EadNode *images) {
    int end = backbone->whole;
    for (const char *name = backbone->family->taps; (name = strchr(name, '|')) != NULL; name++) end++;
    return ead_backbone_pooled(graph, backbone, end, images);
}

EadStatus ead_backbone_shapes(const EadBackbone *backbone, const EadTaps *taps, int height, int width,
                              EadTensor shapes[]) {
    EadNode *features[EAD_TAPS_CHOSEN];
    EadGraph *graph = ead_graph_new();
    if (!graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    EadNode *images = ead_leaf(graph, "images", EAD_U8, 1, height, width, 3, NULL);
    ead_backbone_build(graph, backbone, images, taps, features);
    for (int t = 0; t < taps->count; t++) shapes[t] = features[t]->y;
    EadStatus status = ead_graph_status(graph);
    ead_graph_free(graph);
    if (status == EAD_OK) return status;
    return ead_fail_prefix(EAD_BAD_ARGUMENT, "images of %dx%d do not go through %s: ", height, width,
                           backbone->name);
}

bool ead_backbone_same(const EadBackbone *a, const EadBackbone *b) {
    return strcmp(a->name, b->name) == 0 && a->params.total == b->params.total &&
           memcmp(a->params.values, b->params.values, (size_t)a->params.total * sizeof(real)) == 0;
}

/* ---- model files ---- */

EadStatus ead_backbone_write(const EadBackbone *backbone, const char *prefix, EadFileType weights,
                             EadSafetensorsWriter *writer) {
    EAD_TRY(ead_safetensors_writer_metadata(writer, prefix, backbone->name));
    return ead_params_write_part(writer, prefix, &backbone->params, weights);
}

EadStatus ead_backbone_read(const EadSafetensors *file, const char *prefix, EadBackbone *out) {
    const char *name = ead_safetensors_metadata(file, prefix);
    *out = (EadBackbone){0};
    if (!name || !ead_backbone_is_known(name))
        return ead_bad_metadata(file, prefix, name, "the name of a backbone of this program");
    EAD_TRY(ead_backbone_new(name, out));
    EadStatus status = ead_params_read_part(file, prefix, &out->params);
    if (status != EAD_OK) ead_backbone_free(out);
    return status;
}

void ead_backbone_move(EadBackbone *to, EadBackbone *from, EadFileType weights) {
    *to = *from;
    *from = (EadBackbone){0};
    ead_params_round(&to->params, weights);
}
