/* Many images through a model: on a CPU several side by side, each on a share of the threads, since decoding and writing
 * keep one thread alone busy and a network's layers end with a wait for the slowest; on a device, which has one
 * detector, images are decoded and written while it works. A few images, or a list that comes in one by one, have all
 * threads to themselves. Numbers do not depend on it. */
#pragma once

#include "train/evaluate/scoring.h"

typedef struct EadScorer EadScorer;

/* images: how many there will be; -1: not known. parts: the maps that an anomaly map is made of are wanted, too. model must
 * outlive it. Errors: those of ead_detector_new(). */
EadStatus ead_scorer_new(const EadModel *model, const EadPlanOptions *plan, int64_t images, bool parts,
                         EadScorer **out);

/* Bytes of all detectors that there would be on the CPU where so much memory is free. */
EadStatus ead_scorer_measure(const EadModel *model, const EadPlanOptions *plan, int64_t images,
                             size_t free_memory, size_t *bytes);

/* Threads that may call ead_scorer_score_file() at once, for ead_work_in_order(). */
int ead_scorer_threads(const EadScorer *scorer);

/* Maps that each anomaly map comes with, of those that it is made of. */
int ead_scorer_parts(const EadScorer *scorer);

/* Bytes of all detectors. */
size_t ead_scorer_bytes(const EadScorer *scorer);

/* As ead_score_file(); limits the calling thread's OpenMP threads to its share. */
EadStatus ead_scorer_score_file(EadScorer *scorer, const char *path, const EadImageRules *rules,
                                EadScored *out);

/* Harmless on NULL. */
void ead_scorer_free(EadScorer *scorer);
