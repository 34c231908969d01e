/* A pass over images with sums of what comes out. */
#include "train/loop/channel_measure.h"

#include "core/plan/plan.h"
#include "train/support/channel_sums.h"
#include "train/support/progress.h"

typedef struct ChannelPass {
    const EadChannelMeasure *measure;
    EadNode *images, *output;
    EadPlan *plan;
    EadChannelSums sums;
} ChannelPass;

static EadStatus add_image(void *context, int index) {
    ChannelPass *pass = context;
    const EadChannelMeasure *m = pass->measure;
    int64_t pixels = (int64_t)m->height * m->width;
    const void *value;
    void *image = ead_plan_input_buffer(pass->plan, pass->images);
    EAD_TRY(ead_image_cache_read(m->images, index, image));
    ead_plan_write(pass->plan, pass->images, image);
    ead_plan_run(pass->plan);
    EAD_TRY(ead_plan_fetch(pass->plan, pass->output, &value));
    if (!m->inside) ead_channel_sums_add(&pass->sums, value, pixels);
    for (int64_t i = 0; i < pixels && m->inside; i++)
        if (m->inside[i]) ead_channel_sums_add(&pass->sums, (const real *)value + i * m->channels, 1);
    return EAD_OK;
}

static EadStatus run(ChannelPass *pass, EadGraph *graph) {
    const EadChannelMeasure *m = pass->measure;
    EadPlanOptions options = {.backend = m->backend};
    EadWalk walk = {.what = m->what, .count = ead_image_cache_count(m->images), .quiet = m->quiet};
    pass->images = ead_leaf(graph, "images", EAD_U8, 1, m->height, m->width, 3, NULL);
    pass->output = ead_keep(m->build(m->context, graph, pass->images));
    EAD_TRY(ead_plan_new(graph, &options, &pass->plan));
    return ead_walk(&walk, add_image, pass);
}

EadStatus ead_measure_channels(const EadChannelMeasure *measure, double *mean, double *std) {
    ChannelPass pass = {.measure = measure};
    EadGraph *graph = ead_graph_new();
    if (!graph) return ead_fail(EAD_NO_MEMORY, "no memory for a graph");
    EadStatus status = ead_channel_sums_new(measure->channels, &pass.sums);
    if (status == EAD_OK) status = run(&pass, graph);
    if (status == EAD_OK) ead_channel_sums_result(&pass.sums, mean, std);
    ead_channel_sums_free(&pass.sums);
    ead_plan_free(pass.plan);
    ead_graph_free(graph);
    return status;
}
