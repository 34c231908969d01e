/* A live page without a server: images are added, replies come out. */
#pragma once

#include "test/serve/serve_scene.h"
#include "train/page/live_page.h"

enum { SHOWN_WIDTH = 40, SHOWN_HEIGHT = 30, MAP_SIDE = 16, MEGABYTE = 1 << 20 };

/* A model of that many cells, with this threshold of scores and pixels. */
static inline EadModel shown_model(float threshold) {
    EadModel model = ead_model_new("efficientad", MAP_SIDE, MAP_SIDE);
    model.threshold = model.pixel_threshold = threshold;
    return model;
}

static inline void write_no_models(void *context, EadJson *json) {
    (void)context;
    (void)json;
}

/* decisions: their file. */
static inline EadLivePageOptions page_options(const char *decisions) {
    return (EadLivePageOptions){
        .memory = MEGABYTE, .decisions = decisions, .may_decide = true, .write_models = write_no_models};
}

#define SHOWN_MODEL  "made"
#define SHOWN_SHA256 "0123456789abcdef"

/* Adds an image that a model of that name scored, with its score all over its map. */
static inline void add_image_of(EadLivePage *page, const EadModel *model, const char *name,
                                const char *source, float score) {
    uint8_t pixels[SHOWN_WIDTH * SHOWN_HEIGHT * 3];
    float map[MAP_SIDE * MAP_SIDE];
    fill_noise(pixels, sizeof pixels, 3);
    for (int i = 0; i < MAP_SIDE * MAP_SIDE; i++) map[i] = score;
    ead_live_page_add(page, &(EadLiveImage){.source = source,
                                            .name = name,
                                            .sha256 = SHOWN_SHA256,
                                            .model = model,
                                            .pixels = pixels,
                                            .width = SHOWN_WIDTH,
                                            .height = SHOWN_HEIGHT,
                                            .channels = 3,
                                            .map = map,
                                            .score = score,
                                            .seconds = 0.05,
                                            .network = 0.04});
}

static inline void add_image(EadLivePage *page, const EadModel *model, const char *source, float score) {
    add_image_of(page, model, SHOWN_MODEL, source, score);
}

static inline json_t *news_of(EadLivePage *page, const char *after) {
    EadServeReply reply = {0};
    ead_live_page_tell_news(page, after, &reply);
    return json_of(&reply, EAD_HTTP_OK);
}

static inline json_int_t whole(const json_t *object, const char *key) {
    return json_integer_value(json_object_get(object, key));
}

static inline const json_t *image_of(const json_t *news, size_t index) {
    return json_array_get(json_object_get(news, "images"), index);
}
