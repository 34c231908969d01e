/* Means and deviations over seeds. */
#include "train/sweep/sweep_results.h"

#include <math.h>

/* Welford's running mean and sum of squares. */
typedef struct Running {
    int count;
    double mean, squares;
} Running;

static void add(Running *running, double value) {
    double before = value - running->mean;
    running->count++;
    running->mean += before / running->count;
    running->squares += before * (value - running->mean);
}

static double mean_of(const Running *running) {
    return running->count > 0 ? running->mean : NAN;
}

static double deviation_of(const Running *running) {
    return running->count > 1 ? sqrt(running->squares / (running->count - 1)) : NAN;
}

static double percent_at(const EadSweepResults *results, int variant, int scenario, int seed, int metric) {
    return 100 * ead_sweep_results_at(results, variant, scenario, seed)[metric];
}

EadSummary ead_summarize_scenario(const EadSweepResults *results, int variant, int scenario,
                                  EadTableMetric metric) {
    Running running = {0};
    for (int seed = 0; seed < results->seeds.count; seed++) {
        double value = percent_at(results, variant, scenario, seed, (int)metric);
        if (isfinite(value)) add(&running, value);
    }
    return (EadSummary){.mean = mean_of(&running),
                        .deviation = deviation_of(&running),
                        .seeds = running.count,
                        .runs = running.count,
                        .expected = results->seeds.count};
}

/* The scenarios of a collection for one seed; *expected counts them all. */
static Running over_scenarios(const EadSweepResults *results, int variant, int collection, int seed,
                              int metric, int *expected) {
    Running running = {0};
    for (int i = 0; i < results->categories.count; i++) {
        if (results->collection_of[i] != collection) continue;
        double value = percent_at(results, variant, i, seed, metric);
        if (isfinite(value)) add(&running, value);
        (*expected)++;
    }
    return running;
}

/* One collection, or all that have the metric in some run, for one seed. */
static Running over_collections(const EadSweepResults *results, int variant, int collection, int seed,
                                int metric, EadSummary *summary, bool *complete) {
    Running means = {0};
    *complete = true;
    for (int c = 0; c < results->collections.count; c++) {
        int expected = 0;
        if (collection >= 0 && c != collection) continue;
        Running one = over_scenarios(results, variant, c, seed, metric, &expected);
        summary->runs += one.count;
        summary->expected += expected;
        *complete = *complete && one.count == expected;
        if (one.count > 0) add(&means, one.mean);
    }
    return means;
}

EadSummary ead_summarize_collection(const EadSweepResults *results, int variant, int collection,
                                    EadTableMetric metric) {
    EadSummary summary = {0};
    Running complete_seeds = {0}, all_seeds = {0};
    for (int seed = 0; seed < results->seeds.count; seed++) {
        bool complete;
        Running one = over_collections(results, variant, collection, seed, (int)metric, &summary, &complete);
        if (one.count == 0) continue;
        add(&all_seeds, one.mean);
        if (complete) add(&complete_seeds, one.mean);
    }
    summary.seeds = complete_seeds.count;
    summary.mean = mean_of(summary.seeds > 0 ? &complete_seeds : &all_seeds);
    summary.deviation = deviation_of(&complete_seeds);
    return summary;
}

bool ead_sweep_results_have(const EadSweepResults *results, EadTableMetric metric) {
    for (int v = 0; v < results->variants.count; v++)
        if (ead_summarize_collection(results, v, -1, metric).runs > 0) return true;
    return false;
}
