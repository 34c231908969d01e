/* From the matrix to the list of runs, each with its complete config. */
#include "train/sweep/sweep.h"

#include "core/base/memory.h"
#include "core/base/paths.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RUNS = 100000 };

/* The keys that the sweep sets; set anywhere else but in the base they are a mistake. */
static EadStatus set_identity(const EadSweep *sweep, EadSweepRun *run) {
    EadConfig *config = &run->config;
    const EadSweepGroup *collection = &sweep->collections[run->collection];
    const struct {
        bool set;
        const char *key, *hint;
    } own[] = {{config->train_seed != 0, "train.seed", "seeds"},
               {config->dataset_category[0], "dataset.category", "the categories of its collections"},
               {config->output[0], "output", "output, or --output"}};
    for (int i = 0; i < 3; i++)
        if (own[i].set)
            ead_problems_add(&config->problems,
                             ead_fail(EAD_BAD_ARGUMENT,
                                      "%s cannot be set for the runs of a sweep; use its %s", own[i].key,
                                      own[i].hint));
    config->train_seed = run->seed;
    if (run->category >= 0)
        EAD_TRY(ead_config_set_key(config, EAD_KEY_dataset_category,
                                   collection->categories.items[run->category]));
    EadPath path;
    EAD_TRY(ead_path_in(path, sweep->output ? sweep->output : "", run->name));
    EAD_TRY(ead_config_set_key(config, EAD_KEY_output, path));
    if (config->dataset_cache[0]) return EAD_OK;
    /* Most runs read the same images. */
    EAD_TRY(ead_path_in(path, sweep->output ? sweep->output : "", "cache"));
    return ead_config_set_key(config, EAD_KEY_dataset_cache, path);
}

/* What is wrong with it stays in its problems. */
static EadStatus make_config(const EadSweep *sweep, EadSweepRun *run) {
    EadConfig *config = &run->config;
    EAD_TRY(ead_config_defaults(config));
    if (sweep->base) (void)ead_config_load(sweep->base, config);
    config->train_seed = 0;
    EAD_TRY(ead_config_set_key(config, EAD_KEY_dataset_category, ""));
    EAD_TRY(ead_config_set_key(config, EAD_KEY_output, ""));
    const EadYamlNode *const layers[] = {sweep->keys, sweep->collections[run->collection].keys,
                                         sweep->variants[run->variant].keys};
    for (int i = 0; i < 3; i++)
        if (layers[i]) (void)ead_config_apply(layers[i], config);
    for (int i = 0; i < sweep->setting_count; i++) (void)ead_config_set(config, sweep->settings[i], "--set");
    run->placed = config->problems.lines.count; /* with a line of a file, or --set */
    config->unread = config->unread || sweep->unread || sweep->collections[run->collection].unread ||
                     sweep->variants[run->variant].unread;
    ead_problems_add(&config->problems, set_identity(sweep, run));
    (void)(sweep->check ? sweep->check(config) : ead_config_check(config));
    return config->problems.status == EAD_NO_MEMORY ? EAD_NO_MEMORY : EAD_OK;
}

static int count_runs(const EadSweep *sweep) {
    int64_t scenarios = 0;
    for (int i = 0; i < sweep->collection_count; i++) {
        int categories = sweep->collections[i].categories.count;
        scenarios += categories > 0 ? categories : 1;
    }
    int64_t runs = scenarios * sweep->variant_count * sweep->seed_count;
    return runs <= MAX_RUNS ? (int)runs : MAX_RUNS + 1;
}

/* The first earlier run of the same scenario and seed that trains the same weights: then only what follows
 * the training differs. Runs are in the same order in every variant. */
static int find_source(const EadSweep *sweep, int index) {
    int of_a_variant = count_runs(sweep) / sweep->variant_count;
    for (int i = index % of_a_variant; i < index; i += of_a_variant) {
        const EadSweepRun *other = &sweep->runs[i];
        if (other->source >= 0) continue;
        if (ead_config_difference(&other->config, &sweep->runs[index].config, EAD_SAME_TRAINING) < 0)
            return i;
    }
    return -1;
}

/* The runs of a variant on a scenario, one a seed. */
static EadStatus add_runs(EadSweep *sweep, int variant, int collection, int category) {
    const EadSweepGroup *group = &sweep->collections[collection];
    const char *name = category < 0 ? "" : group->categories.items[category];
    for (int i = 0; i < sweep->seed_count; i++) {
        char text[512];
        EadSweepRun *run = &sweep->runs[sweep->run_count++];
        *run = (EadSweepRun){variant, collection, category, sweep->seeds[i], .source = -1};
        snprintf(text, sizeof text, "%s/%s/%s%sseed-%" PRIu64, sweep->variants[variant].name, group->name,
                 name, *name ? "/" : "", run->seed);
        run->name = ead_strdup(text);
        if (!run->name) return EAD_NO_MEMORY;
        EAD_TRY(make_config(sweep, run));
        run->source = find_source(sweep, sweep->run_count - 1);
    }
    return EAD_OK;
}

EadStatus ead_sweep_expand(EadSweep *sweep, const char *output, const char *const *settings,
                           int setting_count) {
    if (output) {
        free(sweep->output);
        sweep->output = ead_strdup(output);
        if (!sweep->output) return EAD_NO_MEMORY;
    }
    if (!sweep->output && sweep->collection_count > 0 && !ead_sweep_mentions(sweep, "output"))
        ead_problems_add(
            &sweep->problems,
            ead_fail(EAD_BAD_ARGUMENT, "%s: output is missing; set it there, or by --output", sweep->path));
    sweep->settings = settings;
    sweep->setting_count = setting_count;
    int count = count_runs(sweep);
    if (count > MAX_RUNS) {
        ead_problems_add(&sweep->problems, ead_fail(EAD_BAD_ARGUMENT, "%s: more than %d runs; split it",
                                                    sweep->path, (int)MAX_RUNS));
        return ead_problems_since(&sweep->problems, 0);
    }
    sweep->runs = ead_new(count, sizeof *sweep->runs, "the runs of a sweep");
    if (!sweep->runs) return EAD_NO_MEMORY;
    for (int v = 0; v < sweep->variant_count; v++)
        for (int c = 0; c < sweep->collection_count; c++) {
            int categories = sweep->collections[c].categories.count;
            for (int i = categories > 0 ? 0 : -1; i < categories; i++) EAD_TRY(add_runs(sweep, v, c, i));
        }
    EAD_TRY(ead_sweep_gather(sweep));
    return ead_problems_since(&sweep->problems, 0);
}
