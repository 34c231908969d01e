/* JSON and text about what is served. */
#include "train/serve/serve_documents.h"

#include "core/base/memory.h"
#include "core/base/printing.h"
#include "train/page/live_page.h"
#include "train/serve/inference.h"
#include "train/support/version.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A document that is being written; its stream is NULL without memory, of which the reply tells. */
static EadJson begin(EadServeReply *reply) {
    return (EadJson){.stream = ead_reply_begin(reply, EAD_HTTP_OK, "application/json"), .compact = true};
}

static void write_text_list(EadJson *json, const char *key, const char *only) {
    ead_json_open(json, key, '[');
    ead_json_string(json, NULL, only);
    ead_json_close(json, ']');
}

void ead_serve_tell_server(EadServeReply *reply) {
    EadJson json = begin(reply);
    if (!json.stream) return;
    ead_json_open(&json, NULL, '{');
    ead_json_string(&json, "name", "efficientad");
    ead_json_string(&json, "version", ead_version());
    write_text_list(&json, "extensions", "binary_tensor_data");
    ead_json_close(&json, '}');
    ead_reply_end(reply, json.stream);
}

/* ---- a model ---- */

/* Names, types and sizes in the protocol's metadata and in Triton's configuration. */
typedef struct TensorWords {
    const char *type, *type_prefix, *sizes;
} TensorWords;

static const TensorWords of_protocol = {"datatype", "", "shape"}, of_config = {"data_type", "TYPE_", "dims"};

/* Sizes that are free are -1; `last` is that of the channels, 0: none. */
static void write_tensor(EadJson *json, const TensorWords *words, const char *name, const char *type,
                         int free_sizes, int last) {
    char text[32];
    snprintf(text, sizeof text, "%s%s", words->type_prefix, type);
    ead_json_open(json, NULL, '{');
    ead_json_string(json, "name", name);
    ead_json_string(json, words->type, text);
    ead_json_open(json, words->sizes, '[');
    for (int i = 0; i < free_sizes; i++) ead_json_integer(json, NULL, -1);
    if (last) ead_json_integer(json, NULL, last);
    ead_json_close(json, ']');
    ead_json_close(json, '}');
}

static void write_tensors(EadJson *json, const TensorWords *words, const EadServedModel *model,
                          const char *inputs, const char *outputs) {
    ead_json_open(json, inputs, '[');
    write_tensor(json, words, "image", "UINT8", 3, 3);
    ead_json_close(json, ']');
    ead_json_open(json, outputs, '[');
    for (int i = 0; ead_infer_output(i); i++) {
        const EadInferOutputKind *output = ead_infer_output(i);
        if (i == EAD_INFER_ANOMALOUS && isnan(model->model->threshold)) continue;
        write_tensor(json, words, output->name, output->type, output->dims, 0);
    }
    ead_json_close(json, ']');
}

void ead_serve_tell_model(const EadServedModel *model, EadServeReply *reply) {
    EadJson json = begin(reply);
    if (!json.stream) return;
    ead_json_open(&json, NULL, '{');
    ead_json_string(&json, "name", model->name);
    write_text_list(&json, "versions", "1");
    ead_json_string(&json, "platform", "efficientad");
    write_tensors(&json, &of_protocol, model, "inputs", "outputs");
    ead_json_close(&json, '}');
    ead_reply_end(reply, json.stream);
}

void ead_serve_tell_config(const EadServedModel *model, EadServeReply *reply) {
    EadJson json = begin(reply);
    if (!json.stream) return;
    ead_json_open(&json, NULL, '{');
    ead_json_string(&json, "name", model->name);
    ead_json_string(&json, "platform", "efficientad");
    ead_json_string(&json, "backend", "efficientad");
    ead_json_integer(&json, "max_batch_size", 0); /* in Triton's sense: sizes are whole shapes */
    write_tensors(&json, &of_config, model, "input", "output");
    ead_json_close(&json, '}');
    ead_reply_end(reply, json.stream);
}

static void write_duration(EadJson *json, const char *key, uint64_t count, double seconds) {
    ead_json_open(json, key, '{');
    ead_json_integer(json, "count", (int64_t)count);
    ead_json_integer(json, "ns", (int64_t)(1e9 * seconds));
    ead_json_close(json, '}');
}

void ead_serve_tell_stats(const EadServedModel *model, EadServeMetrics *metrics, EadServeReply *reply) {
    EadServeTotals totals = ead_serve_metrics_totals(metrics, model->name);
    double all = 0;
    EadJson json = begin(reply);
    if (!json.stream) return;
    for (int i = 0; i < EAD_STAGES; i++) all += totals.seconds[i];
    ead_json_open(&json, NULL, '{');
    ead_json_open(&json, "model_stats", '[');
    ead_json_open(&json, NULL, '{');
    ead_json_string(&json, "name", model->name);
    ead_json_string(&json, "version", "1");
    ead_json_integer(&json, "last_inference", (int64_t)(1e3 * totals.last));
    ead_json_integer(&json, "inference_count", (int64_t)totals.images);
    ead_json_integer(&json, "execution_count", (int64_t)totals.requests);
    ead_json_open(&json, "inference_stats", '{');
    write_duration(&json, "success", totals.requests, all);
    write_duration(&json, "fail", totals.failures, 0);
    write_duration(&json, "queue", totals.requests, totals.seconds[EAD_STAGE_QUEUE]);
    write_duration(&json, "compute_input", totals.requests, totals.seconds[EAD_STAGE_DECODE]);
    write_duration(&json, "compute_infer", totals.requests, totals.seconds[EAD_STAGE_DETECTOR]);
    write_duration(&json, "compute_output", totals.requests, totals.seconds[EAD_STAGE_REPLY]);
    ead_json_close(&json, '}');
    ead_json_open(&json, "batch_stats", '[');
    ead_json_close(&json, ']');
    ead_json_close(&json, '}');
    ead_json_close(&json, ']');
    ead_json_close(&json, '}');
    ead_reply_end(reply, json.stream);
}

/* ---- all models ---- */

void ead_serve_tell_index(EadModelRegistry *models, EadServeReply *reply) {
    const EadStringList *names = ead_model_registry_names(models);
    EadJson json = begin(reply);
    if (!json.stream) return;
    ead_json_open(&json, NULL, '[');
    for (int i = 0; i < names->count; i++) {
        ead_json_open(&json, NULL, '{');
        ead_json_string(&json, "name", names->items[i]);
        ead_json_string(&json, "version", "1");
        ead_json_string(&json, "state", "READY");
        ead_json_string(&json, "reason", "");
        ead_json_close(&json, '}');
    }
    ead_json_close(&json, ']');
    ead_reply_end(reply, json.stream);
}

void ead_serve_write_models(void *registry, EadJson *json) {
    const EadStringList *names = ead_model_registry_names(registry);
    for (int i = 0; i < names->count; i++) {
        EadServedModel *model = ead_model_registry_take(registry, names->items[i]);
        int count = model->validation_count;
        float *scores = ead_new(count, sizeof *scores, "validation scores"); /* without memory, none */
        if (scores && count > 0) memcpy(scores, model->validation, (size_t)count * sizeof *scores);
        ead_live_page_write_model(json, model->name, model->sha256, model->description, model->model, scores,
                                  scores ? count : 0);
        free(scores);
        ead_model_registry_release(registry, model);
    }
}

static void write_model_info(EadModelRegistry *models, FILE *stream) {
    char text[EAD_NUMBER_TEXT];
    const EadStringList *names = ead_model_registry_names(models);
    fputs("# HELP efficientad_model_info Which model file is served.\n# TYPE efficientad_model_info gauge\n",
          stream);
    for (int i = 0; i < names->count; i++) {
        EadServedModel *model = ead_model_registry_take(models, names->items[i]);
        fprintf(stream, "efficientad_model_info{model=\"%s\",method=\"%s\",sha256=\"%s\",version=\"%s\"} 1\n",
                model->name, model->model->method->name, model->sha256, ead_version());
        ead_model_registry_release(models, model);
    }
    fputs("# HELP efficientad_model_threshold Score from which on an image is anomalous.\n"
          "# TYPE efficientad_model_threshold gauge\n",
          stream);
    for (int i = 0; i < names->count; i++) {
        EadServedModel *model = ead_model_registry_take(models, names->items[i]);
        float threshold = model->model->threshold;
        if (!isnan(threshold))
            fprintf(stream, "efficientad_model_threshold{model=\"%s\"} %s\n", model->name,
                    ead_float_text(threshold, text));
        ead_model_registry_release(models, model);
    }
}

void ead_serve_tell_metrics(EadModelRegistry *models, EadServeMetrics *metrics, int waiting, bool ready,
                            EadServeReply *reply) {
    FILE *stream = ead_reply_begin(reply, EAD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8");
    if (!stream) return;
    ead_serve_metrics_write(metrics, stream);
    fprintf(stream,
            "# HELP efficientad_queue_length Requests that wait for a worker.\n# TYPE "
            "efficientad_queue_length gauge\n"
            "efficientad_queue_length %d\n"
            "# HELP efficientad_ready Whether requests are taken.\n# TYPE efficientad_ready "
            "gauge\nefficientad_ready %d\n",
            waiting, ready);
    write_model_info(models, stream);
    ead_reply_end(reply, stream);
}
