/* What the suites of one method's runs share: a small data set and a config, the run that all of them look at, and what
 * every method must do. A suite defines S, its folder with a slash at the end, before it includes this. Nothing is made
 * where $PROGRAM is not set. */
#pragma once

#include "test/support/runs.h"

#include <stdio.h>
#include <stdlib.h>

#define TRAIN       "train -q -c " S "base.yaml --output " S
#define PHOTOGRAPHS S "photographs/gasket/train/good"

/* S data/gasket with so many training images, and S base.yaml, which `yaml` ends. False: nothing is made. */
static inline bool make_method_scene(int images, const char *yaml) {
    char text[1024];
    if (!getenv("PROGRAM")) return false;
    shell_ok("rm -rf " S " && mkdir -p " S);
    snprintf(text, sizeof text,
             "dataset: {path: " S "data, category: gasket, cache: " S "cache}\ntrain.keep: all\n%s", yaml);
    write_text(S "base.yaml", text);
    snprintf(text, sizeof text,
             "synth --output " S "data --category gasket --size 128 --train %d --test-good 2 --test-defect 1",
             images);
    run_well(text);
    return true;
}

/* PHOTOGRAPHS: five, for what a method learns from others than those of the data set. */
static inline void make_photographs(void) {
    run_well("synth --output " S "photographs --category gasket --size 96 --seed 7 --train 5 --test-good 0 "
             "--test-defect 0");
}

static inline void remove_scene(void) {
    shell_ok("rm -rf " S);
}

/* The model of a run gives the run's metrics once more, and scores good images. */
static inline void check_use(const char *run_name, Outcome *predicted) {
    char words[512], metrics[256];
    snprintf(words, sizeof words, "eval -q --model " S "%s/model.safetensors --output " S "eval --maps",
             run_name);
    run_well(words);
    snprintf(metrics, sizeof metrics, S "%s/metrics.json", run_name);
    ck_assert(same_files(S "eval/metrics.json", metrics));
    ck_assert(exists(S "eval/maps/good/000.tiff"));
    snprintf(words, sizeof words, "predict -q --model " S "%s/model.safetensors " S "data/gasket/test/good",
             run_name);
    run(words, 0, predicted);
    ck_assert_int_eq(predicted->code, 0);
    ck_assert(strstr(predicted->out, "\"score\":") && strstr(predicted->out, "\"anomalous\":"));
}

/* S first, of four epochs: the same bits on other threads, in two parts, and where nothing is left to do.
 * method: what its keys begin with; epoch: its steps; said: what a run says of its features. */
static inline void check_same_bits(const char *method, int epoch, const char *said) {
    char words[512], resumed[64];
    Outcome outcome;
    run(TRAIN "again --threads 3", 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    assert_contains(outcome.err, said);
    ck_assert(!strstr(outcome.err, "are computed into")); /* they are there */
    ck_assert(same_tensors(S "first/model.safetensors", S "again/model.safetensors"));
    snprintf(words, sizeof words, TRAIN "parts --set %s.epochs=1", method);
    run_well(words);
    snprintf(words, sizeof words, "train -q --resume --output " S "parts --set %s.epochs=4", method);
    run(words, 0, &outcome);
    ck_assert_int_eq(outcome.code, 0);
    snprintf(resumed, sizeof resumed, "resuming after step %d\n", epoch);
    assert_contains(outcome.err, resumed);
    ck_assert(same_runs(S "first/", S "parts/"));
    ck_assert(same_tensors(S "first/checkpoint.safetensors", S "parts/checkpoint.safetensors"));
    run_well("train -q --resume --output " S "parts");
    ck_assert(same_runs(S "first/", S "parts/"));
    ck_assert(same_files(S "first/metrics.json", S "parts/metrics.json"));
}

/* What follows TRAIN "wrong", and what the one line says. */
typedef struct RefusedRun {
    const char *settings, *words;
} RefusedRun;

/* None of them leaves a folder. */
static inline void check_refused(const RefusedRun *refused, int count) {
    char words[512];
    Outcome outcome;
    for (int i = 0; i < count; i++) {
        snprintf(words, sizeof words, TRAIN "wrong %s", refused[i].settings);
        run(words, 0, &outcome);
        ck_assert_msg(outcome.code != 0 && outcome.complaints == 1, "%s: exit %d: %s", words, outcome.code,
                      outcome.err);
        assert_contains(outcome.err, refused[i].words);
        ck_assert_msg(!exists(S "wrong"), "%s", words);
    }
}

/* With so many kilobytes of address space, a training that says in one line what is too large and what it takes. */
static inline void check_too_large(int kilobytes, const char *settings, const char *words) {
    char line[1024], text[TEXT_SIZE];
    snprintf(line, sizeof line,
             "ulimit -v %d; OMP_STACKSIZE=1M $PROGRAM " TRAIN "large %s --threads 2 2>" S
             "err; [ $? = 1 ] && "
             "[ $(grep -c ^efficientad: " S "err) = 1 ]",
             kilobytes, settings);
    shell_ok(line);
    read_into(S "err", text);
    assert_contains(text, words);
    ck_assert(!exists(S "large"));
}

/* A run that cannot go on, or a command that is refused: one line that holds the words. */
static inline void check_fails(const char *command, const char *words) {
    Outcome outcome;
    run(command, 0, &outcome);
    ck_assert_msg(outcome.code == 1 && outcome.complaints == 1 && strstr(outcome.err, words),
                  "%s: exit %d: %s", command, outcome.code, outcome.err);
}
