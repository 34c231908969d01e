/* Sweeps before they run: the file format, the matrix, what is skipped, resumed and shared. The paper's tables
 * are in test_sweep_paper.c, what sweeps do and report in test_sweep_runs.c. */
#define S "build/scratch/test_sweep/"
#include "test/support/runs.h"
#include "test/support/sample_models.h"

#include "train/fit.h"
#include "train/sweep/job_array.h"
#include "train/sweep/sweep_report.h"
#include "train/sweep/sweep_results.h"
#include "train/sweep/sweep.h"

#define BASE                                                                                                 \
    "output: " S "runs\n"                                                                                    \
    "config: {loss.penalty: false, dataset.path: data}\n"                                                    \
    "collections: {c: {categories: [a, b]}}\n"                                                               \
    "variants: {v: {}}\n"                                                                                    \
    "seeds: [1]\n"

static EadStatus load_text(const char *text, EadSweep *sweep) {
    write_text(S "sweep.yaml", text);
    return ead_sweep_load(S "sweep.yaml", sweep);
}

/* ---- the file ---- */

START_TEST(expands_variants_scenarios_and_seeds) {
    static const char *const names[] = {"plain/x/a/seed-1", "plain/x/a/seed-7", "plain/x/b/seed-1",
                                        "plain/x/b/seed-7", "plain/y/seed-1",   "plain/y/seed-7",
                                        "soft/x/a/seed-1",  "soft/x/a/seed-7",  "soft/x/b/seed-1",
                                        "soft/x/b/seed-7",  "soft/y/seed-1",    "soft/y/seed-7"};
    static const char *const settings[] = {"train.steps=9"};
    EadSweep sweep;
    write_text(S "base.yaml",
               "train: {steps: 5, lr: 0.5, seed: 3}\nloss.penalty: false\noutput: elsewhere\n");
    ASSERT_OK(load_text("title: Größe\nbase: base.yaml\noutput: o\n"
                        "config:\n  train:\n    lr: 0.25\n"
                        "collections:\n"
                        "  x:\n    categories: [a, b]\n    config:\n      dataset.path: d   # blocks too\n"
                        "  y: {config: {dataset: {type: folder, path: e}}}\n"
                        "variants: {plain: {}, soft: {loss.hard_quantile: 0, train.lr: 0.125}}\n"
                        "seeds: [1, 7]\n",
                        &sweep));
    ASSERT_OK(ead_sweep_expand(&sweep, NULL, settings, 1));
    ck_assert_int_eq(sweep.run_count, 12);
    for (int i = 0; i < 12; i++) ck_assert_str_eq(sweep.runs[i].name, names[i]);
    const EadConfig *first = &sweep.runs[0].config, *last = &sweep.runs[11].config;
    ck_assert_str_eq(first->output, "o/plain/x/a/seed-1");
    ck_assert_str_eq(first->dataset_cache, "o/cache");
    ck_assert_str_eq(first->dataset_path, "d");
    ck_assert_str_eq(first->dataset_category, "a");
    ck_assert(first->train_seed == 1 && first->train_steps == 9 && first->train_lr == 0.25);
    ck_assert(last->train_seed == 7 && last->train_lr == 0.125 && last->loss_hard_quantile == 0);
    ck_assert(last->dataset_type == EAD_DATASET_folder);
    ck_assert_str_eq(last->dataset_path, "e");
    ck_assert_str_eq(last->dataset_category, "");
    ead_sweep_free(&sweep);
}
END_TEST

START_TEST(names_the_line_of_what_is_wrong) {
    static const char *const cases[][2] = {
        {"seeds: [1]\n", "sweep.yaml:1: collections is missing"},
        {"seed: [1]\n", "sweep.yaml:1: a sweep has no field 'seed'; did you mean 'seeds'?"},
        {"- 1\n", "sweep.yaml:1: a sweep takes a mapping"},
        {"", "is empty"},
        {"a: [1\n", "sweep.yaml:"},
        {BASE "seeds: [2]\n", "sweep.yaml:6: 'seeds' is given twice"},
        {"collections: {c: {}}\nvariants: {v: {}}\nseeds: [1, 1]\n", "sweep.yaml:3: seed 1 is given twice"},
        {"collections: {c: {}}\nvariants: {v: {}}\nseeds: [-1]\n", "sweep.yaml:3: '-1' is not a seed"},
        {"collections: {c: {}}\nvariants: {v: {}}\nseeds: []\n", "sweep.yaml:3: seeds is empty"},
        {"collections: {c: {}}\nvariants: {../v: {}}\nseeds: [1]\n",
         "sweep.yaml:2: '../v' is not a valid name"},
        {"collections: {c: {}}\nvariants: {v: 3}\nseeds: [1]\n", "sweep.yaml:2: expected config keys"},
        {"collections: {c: {path: x}}\nvariants: {v: {}}\nseeds: [1]\n",
         "sweep.yaml:1: c has no field 'path'"},
        {"collections: {c: {categories: [a, a]}}\nvariants: {v: {}}\nseeds: [1]\n",
         "category a is given twice"},
        {"collections: none.yaml\nvariants: {v: {}}\nseeds: [1]\n", S "none.yaml: cannot open"},
        {"collections: {c: &x {}}\nvariants: {v: *x}\nseeds: [1]\n", "sweep.yaml:1: anchors (&name)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EadSweep sweep;
        EadStatus status = load_text(cases[i][0], &sweep);
        ck_assert_msg(status != EAD_OK && strstr(ead_error_message(), cases[i][1]), "%s: %s", cases[i][0],
                      ead_error_message());
        ead_sweep_free(&sweep);
    }
}
END_TEST

/* Config keys are read when the runs are made; their lines are those of the sweep file. */
START_TEST(names_the_line_of_a_wrong_config_key) {
    static const char *const cases[][2] = {
        {"output: o\ncollections:\n  c:\n    config:\n      train.steps: 5\n      train.step: 5\n"
         "      dataset.type: folder\n      dataset.path: d\nvariants: {v: {}}\nseeds: [1]\n",
         "sweep.yaml:6: unknown key 'train.step'"},
        {"output: o\nconfig: {train.lr: 7, dataset.type: folder, dataset.path: d}\ncollections: {c: {}}\n"
         "variants:\n  v: {train.step: 5}\nseeds: [1]\n",
         "sweep.yaml:2: train.lr: 7 is out of the range (0, 1]"},
        {"output: o\ncollections: {c: {}}\nvariants:\n  ä: {}\n  ö: {train.lr: 2}\nseeds: [1]\n",
         "is not a valid name"},
        {"title: ä\noutput: o\nconfig: {loss.penalty: false, dataset.path: d, dataset.type: folder}\n"
         "collections: {c: {}}\nvariants:\n  v: {}\n  w: {train.lr: 2}\nseeds: [1]\n",
         "sweep.yaml:7: train.lr"},
        {BASE "config: {}\n", "'config' is given twice"},
        {"output: o\nconfig: {train.seed: 3}\ncollections: {c: {}}\nvariants: {v: {}}\nseeds: [1]\n",
         "train.seed cannot be set for the runs of a sweep"},
        {"collections: {c: {}}\nvariants: {v: {}}\nseeds: [1]\n", "output is missing"},
        {"output: o\nconfig: {dataset.type: folder}\ncollections: {c: {}}\nvariants: {v: {}}\nseeds: [1]\n",
         "dataset.path is not set"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EadSweep sweep;
        EadStatus status = load_text(cases[i][0], &sweep);
        if (status == EAD_OK) status = ead_sweep_expand(&sweep, NULL, NULL, 0);
        ck_assert_msg(status != EAD_OK && strstr(ead_error_message(), cases[i][1]), "%s: %s", cases[i][0],
                      ead_error_message());
        ead_sweep_free(&sweep);
    }
}
END_TEST

/* Layers of all kinds take old names of keys; a variant may use the new one where the base has the old one */
START_TEST(takes_old_names_of_keys) {
    EadSweep sweep;
    ASSERT_OK(load_text("output: o\nconfig: {loss.penalty: false, dataset.path: d, maps.use: st}\n"
                        "collections: {c: {config: {eval.pro_limit: 0.2}}}\n"
                        "variants: {v: {}, w: {maps.select: ae}}\nseeds: [1]\n",
                        &sweep));
    ck_assert_int_eq(ead_sweep_expand(&sweep, NULL, (const char *const[]){"dataset.type=folder"}, 1), EAD_OK);
    const EadConfig *first = &sweep.runs[0].config, *second = &sweep.runs[1].config;
    ck_assert(first->eval_pro_max_fpr == 0.2 && second->eval_pro_max_fpr == 0.2);
    ck_assert_int_eq(first->maps_select, EAD_SELECT_CHOICE_ST);
    ck_assert_int_eq(second->maps_select, EAD_SELECT_CHOICE_AE);
    ck_assert_int_eq(first->renamed.count, 2);
    ck_assert(strstr(first->renamed.items[0], "sweep.yaml: line 2: maps.use is now maps.select"));
    ead_sweep_free(&sweep);
}
END_TEST

/* Runs that differ only in the map normalisation share a training, and so a shard. */
START_TEST(shares_trainings_and_shards) {
    EadSweep sweep;
    ASSERT_OK(
        load_text("output: o\nconfig: {loss.penalty: false, dataset.path: d}\n"
                  "collections: {c: {categories: [a, b, e]}}\n"
                  "variants: {v: {}, w: {loss.hard_quantile: 0}, x: {maps.normalization: gaussian},\n"
                  "  y: {maps.q_end: 0.99, loss.hard_quantile: 0}, z: {maps.q_end: 0.9, train.steps: 1,\n"
                  "  maps.q_start: 0.1}}\nseeds: [1]\n",
                  &sweep));
    ASSERT_OK(ead_sweep_expand(&sweep, "p", NULL, 0));
    ck_assert_str_eq(sweep.runs[0].config.output, "p/v/c/a/seed-1");
    ck_assert_int_eq(sweep.run_count, 15);
    for (int i = 0; i < 15; i++) {
        static const int source_variant[] = {-1, -1, 0, 1, -1};
        int variant = i / 3,
            expected = source_variant[variant] < 0 ? -1 : 3 * source_variant[variant] + i % 3;
        ck_assert_int_eq(sweep.runs[i].source, expected);
    }
    for (int parts = 1; parts <= 4; parts++) {
        int members[15] = {0};
        for (int part = 1; part <= parts; part++) {
            EadSweepWork work = {.jobs = 1, .shard = {part, parts}, .sweep = &sweep};
            for (int i = 0; i < 15; i++) {
                bool in = ead_sweep_in_shard(&work, i);
                int source = sweep.runs[i].source;
                members[i] += in;
                if (source >= 0) ck_assert_int_eq(in, ead_sweep_in_shard(&work, source));
            }
        }
        for (int i = 0; i < 15; i++) ck_assert_int_eq(members[i], 1);
    }
    ead_sweep_free(&sweep);
}
END_TEST

typedef struct ArrayCase {
    const char *environment[6]; /* "NAME=value" */
    EadShard asked, part;       /* part.parts 0: an error */
    const char *message;
    int begun_in;
} ArrayCase;

#define SLURM(id, first, last, count)                                                                        \
    "SLURM_ARRAY_TASK_ID=" id, "SLURM_ARRAY_TASK_MIN=" first, "SLURM_ARRAY_TASK_MAX=" last,                  \
        "SLURM_ARRAY_TASK_COUNT=" count
#define SGE(id, first, last, step)                                                                           \
    "SGE_TASK_ID=" id, "SGE_TASK_FIRST=" first, "SGE_TASK_LAST=" last, "SGE_TASK_STEPSIZE=" step

static const ArrayCase array_cases[] = {
    {{NULL}, {2, 8}, {2, 8}, NULL, 0},
    {{SLURM("3", "1", "4", "4")}, {0, 0}, {3, 4}, NULL, 0},
    {{SLURM("3", "1", "4", "4"), "SLURM_ARRAY_TASK_STEP=1"}, {0, 0}, {3, 4}, NULL, 0},
    {{SLURM("3", "1", "4", "4")}, {2, 8}, {2, 8}, NULL, 0},
    {{SLURM("3", "3", "3", "1")}, {0, 0}, {0, 0}, "Slurm array of job 3 is not seen to go from 1 to N", 0},
    {{SLURM("3", "3", "3", "1")}, {0, 4}, {3, 4}, NULL, 0},
    {{SLURM("2", "2", "3", "2")}, {0, 0}, {0, 0}, "PARTS=N sbatch", 0},
    {{SLURM("1", "1", "5", "2")}, {0, 0}, {0, 0}, "array/N", 0}, /* --array=1,5 */
    {{SLURM("3", "1", "7", "4"), "SLURM_ARRAY_TASK_STEP=2"}, {0, 0}, {0, 0}, "steps of 1", 0},
    {{SLURM("0", "0", "3", "4")}, {0, 0}, {0, 0}, "from 1 to N", 0},
    {{SLURM("0", "0", "3", "4")}, {0, 4}, {0, 0}, "no part 0 of 4", 0},
    {{SLURM("5", "5", "5", "1")}, {0, 4}, {0, 0}, "no part 5 of 4", 0},
    {{SGE("2", "1", "6", "1")}, {0, 0}, {2, 6}, NULL, 0},
    {{SGE("3", "1", "5", "2")}, {0, 0}, {0, 0}, "SGE array", 0},
    {{SGE("undefined", "undefined", "undefined", "undefined")}, {0, 0}, {0, 0}, "not a job of an array", 0},
    {{"LSB_JOBINDEX=4"}, {0, 8}, {4, 8}, NULL, 0},
    {{"LSB_JOBINDEX=4"}, {0, 0}, {0, 0}, "LSF array", 0},
    {{"PBS_ARRAY_INDEX=1"}, {0, 2}, {1, 2}, NULL, 0},
    {{"PBS_ARRAYID=2"}, {0, 0}, {0, 0}, "Torque array", 0},
    {{NULL}, {0, 0}, {0, 0}, "not a job of an array", 0},
    {{NULL}, {0, 4}, {0, 0}, "--shard 2/8", 0},
    {{"LSB_JOBINDEX=0"}, {0, 0}, {0, 0}, "not a job of an array", 0},
    /* The sweep was begun before. */
    {{SLURM("2", "1", "3", "3")}, {0, 0}, {0, 0}, "begun in 8 parts, and this Slurm array has 3", 8},
    {{SLURM("1", "1", "1", "1")}, {0, 0}, {0, 0}, "PARTS=8 sbatch", 8},
    {{SLURM("2", "1", "3", "3")}, {0, 3}, {2, 3}, NULL, 8},
    {{SLURM("2", "1", "3", "3")}, {0, 0}, {2, 3}, NULL, 1},
    {{SLURM("2", "1", "8", "8")}, {0, 0}, {2, 8}, NULL, 8},
    {{SLURM("3", "3", "3", "1")}, {0, 0}, {3, 8}, NULL, 8},
    {{SLURM("5", "2", "5", "2")}, {0, 0}, {5, 8}, NULL, 8},
    {{SLURM("9", "9", "9", "1")}, {0, 0}, {0, 0}, "no part 9 of 8", 8},
    {{"PBS_ARRAY_INDEX=3"}, {0, 0}, {3, 8}, NULL, 8},
};

START_TEST(takes_its_part_of_a_job_array) {
    const ArrayCase *c = &array_cases[_i];
    char name[64];
    EadShard shard = c->asked;
    for (int i = 0; c->environment[i]; i++) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(c->environment[i], "="), c->environment[i]);
        ck_assert_int_eq(setenv(name, strchr(c->environment[i], '=') + 1, 1), 0);
    }
    EadStatus status = ead_job_array_shard(c->begun_in, &shard);
    for (int i = 0; c->environment[i]; i++) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(c->environment[i], "="), c->environment[i]);
        unsetenv(name);
    }
    if (c->message) {
        ASSERT_FAILS(status, EAD_BAD_ARGUMENT, c->message);
        return;
    }
    ASSERT_OK(status);
    ck_assert(shard.part == c->part.part && shard.parts == c->part.parts);
}
END_TEST

/* What the list of runs says; 0 where it says nothing. */
static int parts_of(const EadSweep *sweep) {
    int parts;
    ASSERT_OK(ead_sweep_begun_in(sweep, &parts));
    return parts;
}

START_TEST(remembers_its_number_of_parts) {
    EadSweep sweep = {.name = (char *)"s", .output = (char *)S "parts"};
    ck_assert_int_eq(parts_of(&sweep), 0);
    ASSERT_OK(ead_sweep_write_manifest(&sweep, 8));
    ck_assert_int_eq(parts_of(&sweep), 8);
    ASSERT_OK(ead_sweep_write_manifest(&sweep, 1));
    ck_assert_int_eq(parts_of(&sweep), 1);
    write_text(S "parts/s.sweep.json", "{\"runs\": []}");
    ck_assert_int_eq(parts_of(&sweep), 0);
    write_text(S "parts/s.sweep.json", "{\"parts\": -3}");
    ck_assert_int_eq(parts_of(&sweep), 0);
    write_text(S "parts/s.sweep.json", "{");
    ck_assert_int_eq(parts_of(&sweep), 0);
}
END_TEST

START_TEST(shards_are_parsed) {
    const EadValueRule rule = {"--shard", EAD_KIND_SHARD, ""};
    EadValue value;
    ASSERT_OK(ead_value_parse(&rule, "array", &value));
    ck_assert(value.shard.part == 0 && value.shard.parts == 0);
    ASSERT_OK(ead_value_parse(&rule, "array/7", &value));
    ck_assert(value.shard.part == 0 && value.shard.parts == 7);
    ASSERT_FAILS(ead_value_parse(&rule, "array/", &value), EAD_BAD_ARGUMENT, "--shard");
    ASSERT_FAILS(ead_value_parse(&rule, "arrays", &value), EAD_BAD_ARGUMENT, "--shard");
    ASSERT_FAILS(ead_value_parse(&rule, "0/3", &value), EAD_BAD_ARGUMENT, "--shard");
}
END_TEST

START_TEST(configs_differ_by_what_matters) {
    static const struct {
        const char *setting;
        bool steps, training, result; /* whether a difference matters for it */
    } cases[] = {{"output=x", false, false, false},
                 {"train.threads=3", false, false, false},
                 {"train.tensorboard=false", false, false, false},
                 {"train.teacher_cache=true", false, false, false},
                 {"maps.q_end=0.99", false, false, true},
                 {"maps.normalization=none", false, false, true},
                 {"train.steps=3", false, true, true},
                 {"train.lr=0.5", true, true, true},
                 {"train.seed=1", true, true, true},
                 {"loss.penalty=false", true, true, true},
                 {"model.image_size=128", true, true, true},
                 {"dataset.category=x", true, true, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        EadConfig a, b;
        ASSERT_OK(ead_config_defaults(&a));
        ASSERT_OK(ead_config_defaults(&b));
        ck_assert_int_lt(ead_config_difference(&a, &b, EAD_SAME_RESULT), 0);
        ASSERT_OK(ead_config_set(&b, cases[i].setting, "--set"));
        ck_assert_int_eq(ead_config_difference(&a, &b, EAD_SAME_STEPS) >= 0, cases[i].steps);
        ck_assert_int_eq(ead_config_difference(&a, &b, EAD_SAME_TRAINING) >= 0, cases[i].training);
        ck_assert_int_eq(ead_config_difference(&a, &b, EAD_SAME_RESULT) >= 0, cases[i].result);
        ead_config_free(&a);
        ead_config_free(&b);
    }
}
END_TEST

/* ---- states ---- */

static EadRunState state_of(const EadSweep *sweep, int run) {
    EadRunState state;
    ASSERT_OK(ead_sweep_state(sweep->runs[run].config.output, &sweep->runs[run].config, &state));
    return state;
}

START_TEST(tells_new_started_finished_and_changed) {
    EadSweep sweep;
    char *yaml;
    shell_ok("rm -rf " S "runs");
    ASSERT_OK(load_text(BASE, &sweep));
    ASSERT_OK(ead_sweep_expand(&sweep, NULL, NULL, 0));
    ck_assert_int_eq(state_of(&sweep, 0), EAD_RUN_NEW);
    ASSERT_OK(ead_config_to_yaml(&sweep.runs[0].config, &yaml));
    write_text(S "runs/v/c/a/seed-1/config.yaml", yaml);
    ck_assert_int_eq(state_of(&sweep, 0), EAD_RUN_NEW);
    write_text(S "runs/v/c/a/seed-1/checkpoint.safetensors", "");
    ck_assert_int_eq(state_of(&sweep, 0), EAD_RUN_STARTED);
    write_text(S "runs/v/c/a/seed-1/metrics.json", "{\"image_auroc\": null}");
    ck_assert_int_eq(state_of(&sweep, 0), EAD_RUN_STARTED);
    write_text(S "runs/v/c/a/seed-1/report.html", "");
    ck_assert_int_eq(state_of(&sweep, 0), EAD_RUN_DAMAGED);
    assert_contains(ead_error_message(), "seed-1/model.safetensors: is not there any more");
    EadRunState state; /* by a list that does not say how its runs were made */
    ASSERT_OK(ead_sweep_state(S "runs/v/c/a/seed-1", NULL, &state));
    ck_assert_int_eq(state, EAD_RUN_FINISHED);
    save_tiny_model(S "runs/v/c/a/seed-1/model.safetensors", NAN, NULL);
    ck_assert_int_eq(state_of(&sweep, 0), EAD_RUN_FINISHED);
    /* Cut, empty, of another kind: damaged, whichever file it is; the run can go on. */
    static const char *const damaged[] = {
        "metrics.json",      "",
        "metrics.json",      "{\"image_auroc\": 1",
        "metrics.json",      "[]",
        "model.safetensors", "",
        "model.safetensors", "\x10\0\0\0",
        "model.safetensors", "a text",
        "metrics.json",      "{}",
        "metrics.json",      "{\"image_auroc\": 7.5}",
        "metrics.json",      "{\"image_auroc\": \"0.5\"}",
        "metrics.json",      "{\"image_auroc\": true}",
        "metrics.json",      "{\"image_auroc\": -0.01}",
        "metrics.json",      "{\"image_auroc\": 1, \"au_pro_0.30\": 1.5}",
        "metrics.json",      "{\"image_auroc\": 1, \"au_pro_0.1\": []}",
        "metrics.json",      "{\"image_auroc\": 1, \"defects\": []}",
        "metrics.json",      "{\"image_auroc\": 1, \"defects\": {\"scratch\": 0.5}}",
        "metrics.json",      "{\"image_auroc\": 1, \"defects\": {\"mean\": {\"image_auroc\": 90}}}"};
    for (int i = 0; i < 32; i += 2) {
        char path[128];
        snprintf(path, sizeof path, S "runs/v/c/a/seed-1/%s", damaged[i]);
        write_text(path, damaged[i + 1]);
        ck_assert_int_eq(state_of(&sweep, 0), EAD_RUN_DAMAGED);
        assert_contains(ead_error_message(), path);
        ck_assert(!strstr(ead_error_message(), ":-1"));
        write_text(S "runs/v/c/a/seed-1/metrics.json", "{\"image_auroc\": null}");
        save_tiny_model(S "runs/v/c/a/seed-1/model.safetensors", NAN, NULL);
    }
    ck_assert_int_eq(state_of(&sweep, 0), EAD_RUN_FINISHED);
    /* A mistake in its config costs this run alone. */
    write_text(S "runs/v/c/a/seed-1/config.yaml", "train.steps: many\nno.key: 1\n");
    ck_assert_int_eq(state_of(&sweep, 0), EAD_RUN_DAMAGED);
    assert_contains(ead_error_message(), "seed-1/config.yaml:1: train.steps: expected ");
    assert_contains(ead_error_message(), " (and 1 more)");
    remove(S "runs/v/c/a/seed-1/metrics.json");
    ck_assert_int_eq(state_of(&sweep, 0), EAD_RUN_DAMAGED);
    write_text(S "runs/v/c/a/seed-1/metrics.json",
               "{\"image_auroc\": 0.5, \"au_pro_0.30\": null, \"images\": 83, "
               "\"threshold\": 2.5, \"defects\": {\"a\": {\"image_auroc\": 1.0, \"images\": 3}}}");
    write_text(S "runs/v/c/a/seed-1/config.yaml", yaml);
    ck_assert_int_eq(state_of(&sweep, 0), EAD_RUN_FINISHED);
    sweep.runs[0].config.train_threads = 3;
    ck_assert_int_eq(state_of(&sweep, 0), EAD_RUN_FINISHED);
    sweep.runs[0].config.train_steps = 3;
    ck_assert_int_eq(state_of(&sweep, 0), EAD_RUN_CHANGED);
    ck_assert(strstr(ead_error_message(), "train.steps: 70000, the config now says 3"));
    ck_assert_int_eq(state_of(&sweep, 1), EAD_RUN_NEW);
    free(yaml);
    ead_sweep_free(&sweep);
}
END_TEST

/* ---- what was trained ---- */

/* Not every method has steps; the report names what each has. */
START_TEST(tells_what_each_method_trains) {
    EadSweep sweep;
    EadSweepResults results;
    char notes[1024];
    shell_ok("rm -rf " S "trained");
    ASSERT_OK(
        load_text("output: " S "trained\npaper: table4\n"
                  "config: {train.steps: 7, simplenet.epochs: 3, fastflow.epochs: 1, loss.penalty: false}\n"
                  "collections: {c: {categories: [a], config: {dataset.type: mvtec_ad, dataset.path: d}}}\n"
                  "seeds: [1, 2]\n"
                  "variants:\n"
                  "  bank: {model.method: patchcore}\n"
                  "  several: {model.method: patchcore_ensemble}\n"
                  "  simple: {model.method: simplenet}\n"
                  "  flow: {model.method: fastflow}\n"
                  "  steps: {}\n",
                  &sweep));
    ASSERT_OK(ead_sweep_expand(&sweep, NULL, NULL, 0));
    sweep.trained = ead_fit_trained;
    ASSERT_OK(ead_sweep_write_manifest(&sweep, 1));
    ASSERT_OK(ead_sweep_results_read(S "trained/sweep.sweep.json", &results));
    ead_sweep_notes(&results, notes, sizeof notes);
    assert_contains(notes,
                    "0 of 10 runs are finished, 2 seeds. Training: one pass, 3 epochs, 1 epoch, 7 steps "
                    "(EfficientAD in the paper: 70000 steps). Percent;");
    ead_sweep_results_free(&results);
    ead_sweep_free(&sweep);
}
END_TEST

/* Of a log: our own error; else, of a run that failed, how it ended and its last line. */
START_TEST(a_failed_run_is_told_by_its_log) {
    static const struct {
        const char *log;
        int status; /* of waitpid() */
        const char *reason;
    } cases[] = {
        {"training 3/3\nefficientad: a.png: is damaged\n12 skipped\n", 1 << 8, "a.png: is damaged"},
        {"efficientad: no x\nefficientad: no y\nefficientad: 2 mistakes; nothing was started\n", 1 << 8,
         "no x; no y"},
        {"training 3/3\n\nlibgomp: Out of memory\n\n", 1 << 8,
         "ended with exit code 1; its log ends: libgomp: Out of memory"},
        {"", 1 << 8, "ended with exit code 1"},
        {"training 1/3\n", 9, "ended by signal 9 (Killed)"},
        {"done\n", 0, "ended without metrics; has the data set test images?"},
        {NULL, 1 << 8, "ended with exit code 1; its log.txt cannot be read: No such file or directory"},
    };
    EadSweepRun run = {.name = NULL};
    shell_ok("mkdir -p " S "told");
    run.config.output = S "told";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char reason[900];
        FILE *log = fopen(S "told/log.txt", "w");
        ck_assert(log && fputs(cases[i].log ? cases[i].log : "", log) >= 0 && fclose(log) == 0);
        if (!cases[i].log) ck_assert_int_eq(unlink(S "told/log.txt"), 0);
        ead_sweep_log_reason(&run, 0, cases[i].status, reason, sizeof reason);
        ck_assert_str_eq(reason, cases[i].reason);
    }
}
END_TEST

static void remove_scratch(void) {
    shell_ok("rm -rf " S);
}

static Suite *make_suite(void) {
    Suite *suite = suite_create("sweep");
    TCase *tests = tcase_create("sweep");
    tcase_set_timeout(tests, 0);
    tcase_add_unchecked_fixture(tests, NULL, remove_scratch);
    tcase_add_test(tests, expands_variants_scenarios_and_seeds);
    tcase_add_test(tests, names_the_line_of_what_is_wrong);
    tcase_add_test(tests, names_the_line_of_a_wrong_config_key);
    tcase_add_test(tests, takes_old_names_of_keys);
    tcase_add_test(tests, shares_trainings_and_shards);
    tcase_add_test(tests, remembers_its_number_of_parts);
    tcase_add_loop_test(tests, takes_its_part_of_a_job_array, 0,
                        (int)(sizeof array_cases / sizeof *array_cases));
    tcase_add_test(tests, shards_are_parsed);
    tcase_add_test(tests, configs_differ_by_what_matters);
    tcase_add_test(tests, tells_new_started_finished_and_changed);
    tcase_add_test(tests, tells_what_each_method_trains);
    tcase_add_test(tests, a_failed_run_is_told_by_its_log);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void) {
    program_runs_in(S);
    return run_suite(make_suite());
}
