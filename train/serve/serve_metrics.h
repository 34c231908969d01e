/* What a server counts, as Prometheus reads it: requests, errors by kind, how long each stage took, scores, anomalies. */
#pragma once

#include "train/serve/served_model.h"

#include <stdint.h>
#include <stdio.h>

/* The stages of a request that scores images. */
#define EAD_SERVE_STAGES(X) X(QUEUE, "queue") X(DECODE, "decode") X(DETECTOR, "detector") X(REPLY, "reply")
typedef enum EadServeStage {
#define X(id, name) EAD_STAGE_##id,
    EAD_SERVE_STAGES(X)
#undef X
        EAD_STAGES
} EadServeStage;

/* What a request has taken, in seconds by stage, and found. */
typedef struct EadServeCourse {
    const char *model; /* its name */
    double seconds[EAD_STAGES];
    const EadPoolImage *images; /* [count], scored */
    int count;
    float threshold;
} EadServeCourse;

/* Counts and sums of a model since the start. */
typedef struct EadServeTotals {
    uint64_t requests, failures, images, anomalous;
    double seconds[EAD_STAGES]; /* of the requests that succeeded */
    double last;                /* seconds since 1970 of the last that succeeded; 0: none */
} EadServeTotals;

typedef struct EadServeMetrics EadServeMetrics;

/* For models of these names, which must outlive it. Errors: EAD_NO_MEMORY. */
EadStatus ead_serve_metrics_new(const EadStringList *models, EadServeMetrics **out);
void ead_serve_metrics_free(EadServeMetrics *metrics); /* harmless on NULL */

/* A reply that goes out: route by its name, code of HTTP, seconds since the request came; NAN: they do not count. */
void ead_serve_metrics_answered(EadServeMetrics *metrics, const char *route, int code, double seconds);

/* A request that was scored, or failed on the way. */
void ead_serve_metrics_scored(EadServeMetrics *metrics, const EadServeCourse *course);
void ead_serve_metrics_failed(EadServeMetrics *metrics, const char *model);

/* Images that came and could not be inspected, by reason, a text that lasts; a count of 0 makes the reason known. */
void ead_serve_metrics_missed(EadServeMetrics *metrics, const char *reason, int64_t count);

EadServeTotals ead_serve_metrics_totals(EadServeMetrics *metrics, const char *model);

/* Writes all that is counted in Prometheus' text format. */
void ead_serve_metrics_write(EadServeMetrics *metrics, FILE *stream);
