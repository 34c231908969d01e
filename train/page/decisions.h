/* What people decide about images that were scored, and the file that keeps it: a line of JSON each, on the disk before it
 * counts as decided. */
#pragma once

#include "core/base/status.h"
#include "core/file/sha256.h"

#include <stddef.h>
#include <stdint.h>

typedef enum EadDecision {
    EAD_DECISION_NONE, /* nothing, or taken back */
    EAD_DECISION_GOOD,
    EAD_DECISION_DEFECT,
    EAD_DECISIONS
} EadDecision;

/* "none", "good", "defect". */
const char *ead_decision_name(EadDecision decision);

/* Reads {"sequence": 12, "decision": "good"}. Errors: EAD_BAD_ARGUMENT, EAD_NO_MEMORY. */
EadStatus ead_decision_read(const char *text, size_t size, int64_t *sequence, EadDecision *out);

/* A decision and what it is about. */
typedef struct EadDecisionRecord {
    int64_t sequence;
    double scored; /* seconds since 1970 */
    char source[256], sha256[EAD_SHA256_TEXT];
    const char *model;
    float score, threshold; /* NAN: none */
    EadDecision decision;
} EadDecisionRecord;

enum { EAD_DECISION_PATIENCE = 2 };

/* Whether a file may get such lines: nothing is there, or it has them already. Errors: EAD_BAD_ARGUMENT. */
EadStatus ead_decisions_check(const char *path);

/* Adds the line {time, sequence, source, model, sha256, scored, score, threshold, anomalous, decision} to a file, which is made
 * with its folder when it is missing, and waits until it is on the disk; one caller at a time. A line that a crash cut short is ended before.
 * Errors: EAD_BUSY where another process keeps the file locked for EAD_DECISION_PATIENCE seconds; EAD_IO, with the file as it was before; EAD_BAD_ARGUMENT of ead_decisions_check(); EAD_NO_MEMORY. */
EadStatus ead_decisions_append(const char *path, const EadDecisionRecord *record);
