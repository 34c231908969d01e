/* Frozen networks whose features a method works on: one interface for all of them, one row a family in
 * models/networks/backbones.def. A backbone is read from a file of weights, its features are tapped by name, and it
 * becomes a part of the model file of the method that uses it. */
#pragma once

#include "core/file/safetensors.h"
#include "core/graph/params.h"

#include <stdbool.h>

enum { EAD_BACKBONE_TAPS = 16, EAD_TAPS_CHOSEN = 4, EAD_BACKBONE_NAME = 32 };

typedef struct EadBackboneFamily EadBackboneFamily;

typedef struct EadBackbone {
    const EadBackboneFamily *family;
    char name[EAD_BACKBONE_NAME]; /* "resnet50", "resnet50_caffe", "pdn_small": says which network it is */
    const void *kind;             /* which one, for the family */
    int variant;
    bool whole; /* opened with what lies behind its features, as far as ead_backbone_vector() needs that */
    EadParams params; /* constants, owned */
} EadBackbone;

/* A row of models/networks/backbones.def. */
struct EadBackboneFamily {
    const char *networks;     /* for people: "ResNet-18/34/50/101" */
    const char *taps;         /* the names of its features, "layer1|layer2|layer3", fine ones first */
    const char *default_taps; /* of them what methods take by default: "layer2,layer3" */
    const char *flow_taps;    /* and what FastFlow takes; NULL: the first three */
    int patch_length;         /* numbers that a patch of these is averaged to by default */
    double patch_noise; /* standard deviation of the noise that SimpleNet's paper puts on them; 0: unknown */
    const char *mark;   /* a tensor that its files are known by */
    /* Of its publisher's files, beginnings of names: what the network needs (NULL: import has another way), and what may be
     * there besides, since it lies behind the features, "fc.|…". */
    const char *parts, *beyond;
    /* A tensor of files that hold a whole network, whose build() then gives one feature behind the taps; NULL: the last of the
     * taps is the end. */
    const char *end;
    /* Of another publisher's files, which import renames: a tensor that they are known by, and what a name in them is here;
     * false: it is no part. NULL: there are none. */
    const char *other_mark;
    bool (*rename)(const char *theirs, char out[EAD_NAME_SIZE]);
    const char
        *variant; /* metadata "variant" that import gives a file that says none; NULL: there are none */
    /* Reads the network of such a file: everything but family. Errors: EAD_BAD_FILE, naming file and tensor. */
    EadStatus (*read)(const EadSafetensors *file, EadBackbone *out);
    /* Sets kind and variant of the network with out->name; false if the family has none of that name. */
    bool (*find)(EadBackbone *out);
    /* Declares and allocates the parameters of out->kind and out->variant, zeroed. Errors: EAD_NO_MEMORY. */
    EadStatus (*declare)(EadBackbone *out);
    /* images: U8 [N,H,W,3]. Sets every node of taps, in their order; those not used are not computed. */
    void (*build)(EadGraph *graph, const EadBackbone *backbone, EadNode *images,
                  EadNode *taps[EAD_BACKBONE_TAPS]);
};

/* The families, index 0..; NULL behind the last. */
const EadBackboneFamily *ead_backbone_family(int index);

/* Their networks, for people, parted by commas; cut to size - 1 bytes. */
void ead_backbone_networks(char *out, size_t size);

/* Whether a file may hold a backbone, as far as its header tells. Errors: those of opening. */
EadStatus ead_backbone_check(const char *path);

/* Reads the backbone of a file of weights, as `import` writes them, or of a teacher. Errors: those of opening;
 * EAD_BAD_FILE, naming the file, for none that is known, and those of its family. Free with ead_backbone_free(). */
EadStatus ead_backbone_open(const char *path, EadBackbone *out);

/* The same, whole where the file holds what lies behind the features: for its vector alone, never for model files. */
EadStatus ead_backbone_open_whole(const char *path, EadBackbone *out);

/* Whether there is a network of that name. */
bool ead_backbone_is_known(const char *name);

/* A network by its name with zeroed parameters. Errors: EAD_BAD_ARGUMENT for a name that is unknown;
 * EAD_NO_MEMORY. */
EadStatus ead_backbone_new(const char *name, EadBackbone *out);

/* Harmless on a zeroed struct. */
void ead_backbone_free(EadBackbone *backbone);

/* Whether two are the same network with the same parameters, bit for bit. */
bool ead_backbone_same(const EadBackbone *a, const EadBackbone *b);

/* ---- taps ---- */

/* Chosen features, in the order chosen. */
typedef struct EadTaps {
    int count;
    int at[EAD_TAPS_CHOSEN]; /* numbers in the family's list */
} EadTaps;

/* Finds the taps of "layer2,layer3", each once; "": the default. Errors: EAD_BAD_ARGUMENT, with the names there are. */
EadStatus ead_backbone_find_taps(const EadBackbone *backbone, const char *names, EadTaps *out);

/* The names of taps, "layer2,layer3". */
void ead_backbone_taps_text(const EadBackbone *backbone, const EadTaps *taps, char *text, size_t size);

/* images: U8 [N,H,W,3], any size that leaves features of 1x1 and more -> features[i] [N,h,w,c] of taps->at[i]. How
 * pixels become numbers is the backbone's matter. */
void ead_backbone_build(EadGraph *graph, const EadBackbone *backbone, EadNode *images, const EadTaps *taps,
                        EadNode *features[EAD_TAPS_CHOSEN]);

/* Feature number `tap` of the family's list, averaged over the positions of each image: [N,1,1,C]; of square images, whose
 * features are square, too. Errors stick to the graph: EAD_BAD_SHAPE. */
EadNode *ead_backbone_pooled(EadGraph *graph, const EadBackbone *backbone, int tap, EadNode *images);

/* The same of the network's end, the vector that says what an image as a whole shows: of a ResNet that was opened whole
 * layer4, else of its last feature. */
EadNode *ead_backbone_vector(EadGraph *graph, const EadBackbone *backbone, EadNode *images);

/* shapes[i]: of features[i] of one image of height x width. Errors: EAD_BAD_ARGUMENT, where that is too small for the network;
 * EAD_NO_MEMORY. */
EadStatus ead_backbone_shapes(const EadBackbone *backbone, const EadTaps *taps, int height, int width,
                              EadTensor shapes[]);

/* ---- as a part of a model file ----
 *   metadata  PREFIX ("backbone"): its name
 *   tensors   PREFIX.conv1.weight ...: its parameters, batch norm folded */

/* weights: EAD_FILE_F32, or EAD_FILE_F16 for half the size. Errors: EAD_NO_MEMORY. */
EadStatus ead_backbone_write(const EadBackbone *backbone, const char *prefix, EadFileType weights,
                             EadSafetensorsWriter *writer);

/* Errors: EAD_BAD_FILE, naming file and tensor or metadata; EAD_NO_MEMORY. */
EadStatus ead_backbone_read(const EadSafetensors *file, const char *prefix, EadBackbone *out);

/* Moves a backbone into a model, which saves it with such weights: its parameters are rounded to what the file gives back,
 * so that the model is the same before and after saving. *from is empty then. */
void ead_backbone_move(EadBackbone *to, EadBackbone *from, EadFileType weights);
