/* Making the scene, and starting the program in it. */
#include "test/torture/scene.h"

#include "core/base/philox.h"
#include "core/file/safetensors.h"
#include "models/networks/resnet.h"
#include "test/torture/results_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRAIN   "train -q -c ../train.yaml -o run"
#define DISTILL "distill -q -c ../distill.yaml -o run"

const TriedCommand tried_commands[COMMANDS] = {
    {"train", TRAIN, TRAIN " --resume", 1, false, 2},
    {"eval", "eval -q -m ../model.safetensors --set dataset.path=../data --maps --overlays -o results", NULL,
     1, false, 4},
    {"predict", "predict -q -m ../model.safetensors --maps maps --overlays heat ../data/gasket/test", NULL, 7,
     false, 6},
    {"sweep", "sweep ../sweep.yaml -o runs --jobs 2", NULL, 1, false, 1},
    {"distill", DISTILL, DISTILL " --resume", 1, false, 1},
    {"import", "import -o imported.safetensors ../model.safetensors", NULL, 1, false, 6},
    {"synth", "synth -o drawn --size 64 --train 3 --test-good 1 --test-defect 1 --textures 2", NULL, 1, true,
     5},
};

void scene_fail(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    exit(2);
}

void scene_path(const TortureScene *scene, const char *name, char path[SCENE_PATH]) {
    if (snprintf(path, SCENE_PATH, "%s/%s", scene->folder, name) >= SCENE_PATH)
        scene_fail("%s: too long", name);
}

double scene_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- the program ---- */

static void redirect(const char *streams, const char *ending, int descriptor) {
    char path[SCENE_PATH + 16];
    snprintf(path, sizeof path, "%s%s", streams, ending);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file < 0 || dup2(file, descriptor) < 0) _exit(125);
    close(file);
}

static void become(const TortureScene *scene, const char *folder, const char *words) {
    enum { WORDS = 32 };
    char copy[512], *arguments[WORDS] = {"efficientad"};
    int count = 1;
    sigset_t none;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok(copy, " "); word && count < WORDS - 1; word = strtok(NULL, " "))
        arguments[count++] = word;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it ends with the driver */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (chdir(folder) == 0) execv(scene->program, arguments);
    _exit(125);
}

pid_t scene_start(const TortureScene *scene, const char *folder, const char *streams, const char *words,
                  const char *fault, const char *calls) {
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) scene_fail("cannot start a process: %s", strerror(errno));
    if (child == 0) {
        redirect(streams, ".out", STDOUT_FILENO);
        redirect(streams, ".err", STDERR_FILENO);
        if (fault) setenv("TORTURE_FAULT", fault, 1);
        if (calls) setenv("TORTURE_CALLS", calls, 1);
        if (fault || calls) setenv("LD_PRELOAD", scene->preload, 1);
        become(scene, folder, words);
    }
    setpgid(child, child);
    return child;
}

static void run_well(const TortureScene *scene, const char *folder, const char *words, const char *calls) {
    int status;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) scene_fail("%s: %s", folder, strerror(errno));
    pid_t child = scene_start(scene, folder, folder, words, NULL, calls);
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        scene_fail("%s failed undisturbed; see %s.err", words, folder);
}

/* ---- its inputs ---- */

static void write_text(const TortureScene *scene, const char *name, const char *text) {
    char path[SCENE_PATH];
    scene_path(scene, name, path);
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) == EOF || fclose(file) != 0) scene_fail("%s: %s", path, strerror(errno));
}

static void need(EadStatus status) {
    if (status != EAD_OK) scene_fail("%s", ead_error_message());
}

/* A ResNet-18 with random weights, its batch norms folded. */
static void write_backbone(const char *path) {
    EadResnet resnet;
    EadSafetensorsWriter *writer;
    need(ead_resnet_new(ead_resnet_kind(0), EAD_RESNET_TORCHVISION, EAD_RESNET_STAGES, &resnet));
    need(ead_safetensors_writer_new(&writer));
    for (int p = 0; p < resnet.params.count; p++) {
        const EadParam *param = &resnet.params.items[p];
        int64_t shape[4] = {param->n, param->c, param->h, param->w},
                count = shape[0] * shape[1] * shape[2] * shape[3];
        int dims = strstr(param->name, ".weight") ? 4 : 1;
        if (dims == 1) shape[0] = count;
        float *values = ead_safetensors_writer_memory(writer, (size_t)count * sizeof *values);
        if (!values) need(EAD_NO_MEMORY);
        for (int64_t i = 0; i < count; i++)
            values[i] = ((float)(ead_philox_word(1, (uint64_t)p, (uint64_t)i) >> 8) / 16777216 - 0.5f) / 16;
        need(ead_safetensors_writer_tensor(writer, param->name, EAD_FILE_F32, dims, shape, values));
    }
    need(ead_safetensors_writer_write(writer, path));
    ead_safetensors_writer_free(writer);
    ead_resnet_free(&resnet);
}

static void make_inputs(const TortureScene *scene) {
    static const char settings[] = "model.image_size: 64\nloss.penalty: false\nautoencoder.enabled: false\n"
                                   "train: {checkpoint_every: 2, steps: 3}\ndataset.path: ../data\n";
    char text[1024], path[SCENE_PATH], model[SCENE_PATH];
    snprintf(text, sizeof text, "%sdataset.category: gasket\n", settings);
    write_text(scene, "train.yaml", text);
    write_text(
        scene, "distill.yaml",
        "model.image_size: 64\ntrain.checkpoint_every: 1\ndistill: {backbone: ../backbone.safetensors, "
        "images: ../data/textures, batch: 1, steps: 2}\n");
    snprintf(text, sizeof text,
             "output: runs\nseeds: [1, 2]\nvariants: {a: {train.steps: 1}}\nbase: train.yaml\n"
             "collections: {drawn: {categories: [gasket]}}\n");
    write_text(scene, "sweep.yaml", text);
    scene_path(scene, "backbone.safetensors", path);
    write_backbone(path);
    scene_path(scene, "made", path);
    run_well(scene, path, "synth -o ../data --size 64 --train 3 --test-good 1 --test-defect 1 --textures 4",
             NULL);
    run_well(scene, path, TRAIN, NULL);
    scene_path(scene, "made/run/model.safetensors", path);
    scene_path(scene, "model.safetensors", model);
    if (rename(path, model) != 0) scene_fail("%s: %s", path, strerror(errno));
    scene_path(scene, "made", path);
    tree_remove(path);
}

/* ---- what the commands do undisturbed ---- */

static int compare_records(const void *a, const void *b) {
    const FaultRecord *x = a, *y = b;
    if (x->call != y->call) return x->call < y->call ? -1 : 1;
    if (x->site != y->site) return x->site < y->site ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void read_calls(const char *path, CallList *calls) {
    struct stat info;
    int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &info) != 0) scene_fail("%s: %s", path, strerror(errno));
    *calls = (CallList){.count = (size_t)info.st_size / sizeof *calls->items,
                        .items = malloc((size_t)info.st_size)};
    if (!calls->items || read(file, calls->items, (size_t)info.st_size) != info.st_size)
        scene_fail("%s: cannot read", path);
    close(file);
    unlink(path);
    qsort(calls->items, calls->count, sizeof *calls->items, compare_records);
    for (size_t i = 0; i < calls->count; i++) {
        const FaultRecord *item = &calls->items[i];
        calls->sites[item->call] += i == 0 || item->call != item[-1].call || item->site != item[-1].site;
    }
}

const FaultRecord *scene_call(const CallList *calls, FaultCall call, uint32_t site, uint32_t which) {
    size_t begin = 0, end;
    for (uint32_t seen = 0; begin < calls->count; begin = end) {
        const FaultRecord *item = &calls->items[begin];
        for (end = begin; end < calls->count && calls->items[end].call == item->call &&
                          calls->items[end].site == item->site;)
            end++;
        if (item->call == call && seen++ == site) return item + which % (end - begin);
    }
    return NULL;
}

void scene_make(TortureScene *scene) {
    char folder[SCENE_PATH], again[SCENE_PATH], calls[SCENE_PATH];
    make_inputs(scene);
    scene_path(scene, "calls", calls);
    scene_path(scene, "made", again);
    for (int c = 0; c < COMMANDS; c++) {
        const TriedCommand *command = &tried_commands[c];
        scene_path(scene, command->name, folder);
        run_well(scene, again, command->words, calls);
        tree_remove(again);
        read_calls(calls, &scene->calls[c]);
        double start = scene_clock();
        run_well(scene, folder, command->words, NULL);
        scene->seconds[c] = scene_clock() - start;
        scene->bytes[c] = tree_bytes(folder);
    }
}
