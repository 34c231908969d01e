/* What a detector needs of a method of anomaly detection: one row in models/methods.def, one folder under
 * models/. Detector, evaluation, prediction, threshold, report and bench see an EadModel and know no method;
 * how a method is fitted stands apart, in train/fit.h. */
#pragma once

#include "core/file/safetensors.h"
#include "core/graph/graph.h"
#include "core/image/map_score.h"
#include "core/image/region.h"
#include "core/image/tiles.h"

typedef struct EadMethod EadMethod;

/* What a model of any method begins with. */
typedef struct EadModel {
    const EadMethod *method;
    int height, width; /* of the images that it looks at */
    int map_choice;    /* which of the method's maps make the anomaly map: number in EadMethod.maps */
    EadRegion region;  /* the part of images that it looks at, at its size; the whole image unless set */
    EadTiles
        tiles; /* of its size, in which it looks at the region; size 0: the region is brought to its size */
    EadScoreRule score; /* of its map at its size, which the threshold is for */
    /* How the training images with more than 8 bits a sample were read: bits that counted (dataset.bits), or the value that
     * was white (dataset.white); both 0: as they said. */
    int image_bits, image_white;
    bool image_gray;       /* all training images were gray */
    float threshold;       /* of the image score; NAN while not set */
    float pixel_threshold; /* of the map: pixels from it on belong to a region; NAN while not set */
    float map_level;       /* what maps of good images are on average; NAN: not known */
    /* Map value that good images hardly reach, where the colours of a heat map end; NAN: no common scale. */
    float color_high;
} EadModel;

enum { EAD_MAP_PARTS = 2 }; /* most of them */

/* One of several maps that the anomaly map is made of. */
typedef struct EadMapPart {
    const char *name; /* for people: "student–teacher map" */
    EadNode *map; /* [N,H',W',1], on the scale of the anomaly map and covering the whole image; NULL: none */
} EadMapPart;

/* What a detector computes for a batch of N images. */
typedef struct EadDetection {
    /* Of both, larger is more anomalous; they are kept. */
    EadNode *
        map; /* [N,H,W,1] at the model's size; outside of the region anything. Of tiles their cells that are seen */
    EadNode *whole; /* the same of a whole image seen as one tile, with tiles.whole_image; else NULL */
    /* [N,1,1,1], of what is inside, for EAD_SCORE_MAX; NULL: the maximum of an image's map at its size */
    EadNode *score;
    EadMapPart parts[EAD_MAP_PARTS]; /* not kept, so that they cost nothing unless they are asked for */
} EadDetection;

typedef struct EadMethodFunctions {
    /* Reads the method's part of a model file: metadata and tensors of its own. Everything in EadModel but
     * method, height and width is set by the caller afterwards, except what follows from that part. Errors:
     * EAD_BAD_FILE, naming file and tensor. */
    EadStatus (*read)(const EadSafetensors *file, int height, int width, EadModel **out);
    /* Adds that part to a file. */
    EadStatus (*write)(const EadModel *model, EadSafetensorsWriter *writer);
    /* images: U8 leaf [N,H,W,3] of the model's size. The model's values are read in place. Of a model that takes_gray()
     * images may be a real leaf [N,H,W,1] instead: channel EAD_GRAY_CHANNEL of gray images, normalised. */
    EadDetection (*build)(EadGraph *graph, const EadModel *model, EadNode *images);
    bool (*takes_gray)(const EadModel *model); /* NULL: none does */
    /* Whether its networks see in tiles what they see in the whole image, so that the model may have some: build() then gives
     * maps of cells. NULL: none may. */
    bool (*takes_tiles)(const EadModel *model);
    /* Whether this model has the maps of choice `map_choice`; NULL: there is no choice. Errors:
     * EAD_BAD_ARGUMENT, with the reason. */
    EadStatus (*check_maps)(const EadModel *model, int map_choice);
    size_t (*bytes)(const EadModel *model);                           /* of its parameters */
    void (*describe)(const EadModel *model, char *text, size_t size); /* "EfficientAD-S at 256x256" */
    void (*free)(EadModel *model);
    bool scores_by_peak; /* EAD_SCORE_MAX is the maximum of the map: EadDetection.score is NULL */
} EadMethodFunctions;

/* A row of models/methods.def. */
struct EadMethod {
    const char *name; /* model.method, and metadata "method" of model files (absent: efficientad) */
    const char *maps; /* what --select chooses from, "both|st|ae", the usual first; "": no choice */
    const EadMethodFunctions *functions;
};

/* The method of that name, or NULL; row number `index`, NULL behind the last. */
const EadMethod *ead_method_find(const char *name);
const EadMethod *ead_method_at(int index);

/* ---- models of any method (models/model_file.c) ---- */

/* What a new model of the method of that name begins with: no thresholds and no common scale of colours. */
EadModel ead_model_new(const char *method, int height, int width);

/* Sets map_choice. Thresholds and level of other maps are dropped: they are NAN then. Errors: EAD_BAD_ARGUMENT if the
 * model lacks these maps. */
EadStatus ead_model_choose_maps(EadModel *model, int map_choice);

/* The number of a choice by its name. Errors: EAD_BAD_ARGUMENT, with the names there are. */
EadStatus ead_model_find_maps(const EadModel *model, const char *name, int *map_choice);

/* Whether the model's scores are the maxima of its maps, so that thresholds of both are the same. */
bool ead_model_scores_by_peak(const EadModel *model);

/* The name of what was chosen, "" where there is no choice. */
enum { EAD_MAP_NAME_SIZE = 32 };
void ead_model_map_name(const EadModel *model, char name[EAD_MAP_NAME_SIZE]);

/* The limits of a model's tiles, and the key of a model file that says that whole images are looked at, too. */
#define EAD_TILES_MOST_OVERLAP 0.9
#define EAD_TILES_MOST_SCALE   64.0
#define EAD_TILES_WHOLE_IMAGE  "tiles_whole_image"

/* Whether the model, otherwise complete, may have its tiles. Errors: EAD_UNSUPPORTED, with the reason. */
EadStatus ead_model_check_tiles(const EadModel *model);

/* Harmless on NULL. */
void ead_model_free(EadModel *model);

/* What the program adds to a model file: metadata strings and further tensors. */
typedef struct EadFileMetadata {
    const char *key, *value;
} EadFileMetadata;

typedef struct EadFileArray {
    const char *name;
    EadFileType type;
    int64_t count; /* written as a vector [count] */
    const void *data;
} EadFileArray;

typedef struct EadFileExtras {
    const EadFileMetadata *metadata;
    int metadata_count;
    const EadFileArray *arrays;
    int array_count;
} EadFileExtras;

/* The model file: one .safetensors with all that inference needs, readable by the Python package of that
 * name.
 *   metadata  format "efficientad/1", method, image_size "256" or "HEIGHTxWIDTH", map_use (the name of the
 *             choice; absent: the first), threshold, pixel_threshold, map_level, image_bits or image_white,
 *             tiles_size, tiles_overlap, tiles_scale and tiles_whole_image "1" (of a model with tiles),
 *             score_method top_mean|area with score_cells (absent: max), image_channels "1" (all training images were gray; else absent), roi_box "x,y,width,height" and, with a mask, roi_image "HEIGHTxWIDTH" of the images that it is for (when set), what the method
 *             adds, and what the program adds; a file without pixel_threshold has that of the score where the method
 *             scores by the map's maximum
 *   tensors   the method's, roi_mask [height,width] (U8, 1 inside, 0 outside; when set), and what the program adds: names that begin with validation_
 * A checkpoint is a model file with the optimizer's state besides, names that begin with adam. or step. */

/* Writes the model, complete or not at all. extras may be NULL. Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_model_save(const EadModel *model, const char *path, const EadFileExtras *extras);

/* Adds a model, or extras, to a file being written. */
EadStatus ead_model_write(const EadModel *model, EadSafetensorsWriter *writer);
EadStatus ead_extras_write(const EadFileExtras *extras, EadSafetensorsWriter *writer);

/* Ends a file to which all else was added with `status`: adds extras, or NULL, writes it to path, complete or not at all, and
 * frees the writer. Errors: status; EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_file_finish(EadSafetensorsWriter *writer, EadStatus status, const EadFileExtras *extras,
                          const char *path);

/* Whether a file, of a model of the same size, is for the model's region. Errors: EAD_BAD_ARGUMENT if it is for another;
 * EAD_BAD_FILE, EAD_NO_MEMORY. */
EadStatus ead_model_check_region(const EadModel *model, const EadSafetensors *file);

/* Reads a complete model. Errors, naming file and tensor: EAD_IO; EAD_BAD_FILE for a file that is no model, a
 * checkpoint included, or not of a method that is known, lacks a tensor, or holds one that it
 * has no place for, of other type or shape, or with a value that is not finite. Free with ead_model_free(). */
EadStatus ead_model_open(const char *path, EadModel **out);

/* The same, and leaves the file open for what else it holds; free both. On failure both are NULL. */
EadStatus ead_model_open_file(const char *path, EadSafetensors **file, EadModel **out);

/* The same from `size` bytes in memory, which must outlive *file; messages call them `label`. */
EadStatus ead_model_open_memory(const void *bytes, size_t size, const char *label, EadSafetensors **file,
                                EadModel **out);

/* The same from an open file, which may be a checkpoint. */
EadStatus ead_model_read(const EadSafetensors *file, EadModel **out);
