/* What a server tells of itself and its models, as JSON of the Open Inference Protocol and of what Triton adds to it, and as
 * Prometheus' text. */
#pragma once

#include "train/serve/exchange.h"
#include "train/serve/serve_metrics.h"
#include "train/support/json_writer.h"

/* /v2 */
void ead_serve_tell_server(EadServeReply *reply);

/* /v2/models/NAME, and its /config and /stats */
void ead_serve_tell_model(const EadServedModel *model, EadServeReply *reply);
void ead_serve_tell_config(const EadServedModel *model, EadServeReply *reply);
void ead_serve_tell_stats(const EadServedModel *model, EadServeMetrics *metrics, EadServeReply *reply);

/* /v2/repository/index */
void ead_serve_tell_index(EadModelRegistry *models, EadServeReply *reply);

/* The models of a registry for the live page, items of an array. */
void ead_serve_write_models(void *registry, EadJson *json);

/* /metrics; waiting: requests in the queue. */
void ead_serve_tell_metrics(EadModelRegistry *models, EadServeMetrics *metrics, int waiting, bool ready,
                            EadServeReply *reply);
