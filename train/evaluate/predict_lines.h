/* The inputs of predict, one after another (files, the images below folders, lists of paths on stdin), and
 * the line of JSON that it prints for each. */
#pragma once

#include "core/base/text.h"
#include "data/source/image_list.h"
#include "train/evaluate/map_output.h"
#include "train/metrics/map_regions.h"
#include "train/support/json_writer.h"

#include <stdint.h>
#include <stdio.h>

/* One input; texts are borrowed until the next call of ead_predict_inputs_next(). */
typedef struct EadPredictInput {
    const char *path;
    const char *folder; /* subfolder below the folder that was named, "" for none */
    EadStatus status;   /* not EAD_OK: it cannot be used; ead_error_message() says why */
} EadPredictInput;

typedef struct EadPredictInputs {
    const char *const *paths; /* [count] as given, borrowed */
    int count, next;
    EadNameList list;          /* for "-" */
    const EadMapOutput *apart; /* whose folders must not lie in one of the inputs, borrowed; or NULL */
    bool listing;              /* reading from list */
    int listed;                /* paths in it */
    char *path;                /* the input's, expanded */
    EadStringList images;      /* of the present folder */
    EadLeftOut left_out;       /* what else it holds */
    EadStringList notes;       /* of all folders so far, for people; the caller may take them out */
    int64_t missed;            /* pictures in all folders so far that get no line */
    int image, unreadable;
    size_t prefix; /* bytes of its paths up to the part below it */
    char *folder;  /* storage of EadPredictInput.folder */
} EadPredictInputs;

/* Begins. list: where "-" reads paths from (stdin), or NULL: from nowhere. apart: what pictures are written into, which
 * must not be found among the inputs; or NULL. */
void ead_predict_inputs_start(EadPredictInputs *inputs, const char *const *paths, int count, FILE *list,
                              const EadMapOutput *apart);
void ead_predict_inputs_free(EadPredictInputs *inputs);

/* Gives the next input; *found is false at the end. A folder is searched with its subfolders, in order of
 * name, when its turn comes, without what this program wrote about images, and behind its images comes what of it
 * could not be read; a list is read line by line as it comes in. Errors: EAD_NO_MEMORY; EAD_IO and EAD_BAD_FILE of the list. A
 * list with nothing in it is an input that cannot be used. */
EadStatus ead_predict_inputs_next(EadPredictInputs *inputs, EadPredictInput *input, bool *found);

/* The number of inputs, -1 where a list makes that unknowable. */
int64_t ead_predict_inputs_count(const char *const *paths, int count);

/* The JSON line that predict prints for an input. */
typedef struct EadPrediction {
    const char *path;
    const char *error;                   /* why there is no score, or no picture; or NULL */
    float score;                         /* NAN: none; the rest is then omitted */
    float threshold;                     /* score >= threshold is anomalous; NAN: not known */
    const char *map_path, *overlay_path; /* files written, or NULL */
    const EadMapRegions *regions;        /* NULL, or without a threshold: not known */
    const char *mask_path, *copy_path;   /* files too, or NULL */
} EadPrediction;

/* Prints {"path":...,"score":...,"anomalous":...,"regions":[{"area":...,"box":[x,y,width,height],"peak":[x,y],
 * "score":...},...],"regions_left_out":...,"map":...,"overlay":...,"mask":...,"copy":...,"error":...}, of which those that are not known are
 * missing, as one line and flushes, so that a program at the other end of a pipe gets it at once. Scores are read back
 * as the same float; the regions are those of EadMapRegions.items, regions_left_out says how many more
 * there are, if any. Errors: EAD_IO. */
EadStatus ead_prediction_print(FILE *stream, const EadPrediction *prediction);

/* Those members, into an object that is open. */
void ead_prediction_write(EadJson *json, const EadPrediction *prediction);

/* The first line of a table of predictions for spreadsheets. */
#define EAD_PREDICTIONS_HEAD                                                                                 \
    "path,decision,score,threshold,regions,area,peak_x,peak_y,box_x,box_y,box_width,box_height,error"

/* Writes a row: decision ok, ng or error, or nothing without a threshold; regions and area of all of them; the place of the
 * map's largest value; the box of the strongest region; why there is no score, or no picture. What is not known is empty.
 * Fields are quoted, and formulas neutralised, by ead_csv_write_text(). Errors show in ferror(). */
void ead_prediction_write_row(FILE *stream, const EadPrediction *prediction);

/* The same and flushes; on a terminal made printable (core/base/printing.h). Errors: EAD_IO, EAD_NO_MEMORY. */
EadStatus ead_prediction_print_row(FILE *stream, const EadPrediction *prediction);
