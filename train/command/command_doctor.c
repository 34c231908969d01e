/* efficientad doctor: what the program finds on this machine, a line each, and the cure where something is wrong. */
#include "train/cli/arguments.h"

#include "core/base/atomic_file.h"
#include "core/base/memory.h"
#include "core/base/printing.h"
#include "core/file/output_check.h"
#include "core/simd/amx.h"
#include "core/simd/simd.h"
#include "core/system/cpu_facts.h"
#include "core/system/file_lock.h"
#include "core/system/machine.h"
#include "core/system/openmp_threads.h"
#include "data/codec/codec.h"
#include "data/source/image_list.h"
#include "models/networks/backbone.h"
#include "train/camera/camera_device.h"
#include "train/loop/train_backbone.h"
#include "train/ranks/ranks_start.h"
#include "train/support/memory_budget.h"
#include "train/support/json_writer.h"
#include "train/support/shipped_file.h"
#include "train/support/version.h"

#include <fcntl.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum Soundness {
    STATE_OK,
    STATE_NOTE,    /* the program works without it, or worse */
    STATE_MISSING, /* the program needs it */
} Soundness;

/* What a check found. */
typedef struct Finding {
    Soundness state;
    char text[4 * EAD_PATH_SIZE], cure[400]; /* cure: "" where there is nothing to do */
    double value;                            /* in the unit of the check; NAN: none */
} Finding;

#define SAY(finding, ...) snprintf((finding)->text, sizeof(finding)->text, __VA_ARGS__)

static void advise(Finding *finding, Soundness state, const char *cure) {
    finding->state = state;
    snprintf(finding->cure, sizeof finding->cure, "%s", cure);
}

static void add(Finding *finding, const char *text) {
    size_t length = strlen(finding->text);
    snprintf(finding->text + length, sizeof finding->text - length, "%s%s", length > 0 ? "; " : "", text);
}

/* ---- the program ---- */

static void check_version(Finding *f) {
#ifdef __clang__
    SAY(f, "efficientad %s, compiled by clang %d.%d.%d", ead_version(), __clang_major__, __clang_minor__,
        __clang_patchlevel__);
#else
    SAY(f, "efficientad %s, compiled by gcc %s", ead_version(), __VERSION__);
#endif
}

static void check_cuda(Finding *f) {
    EadDeviceFacts facts;
    const EadBackend *backend;
    int count = 0;
    char text[400];
    bool built = strstr(ead_backend_names(), "cuda") != NULL;
    for (; built && ead_backend_cuda(count, &backend) == EAD_OK; count++) {
        if (backend->device->facts(count, &facts) != EAD_OK) break;
        snprintf(text, sizeof text, "cuda:%d %s, capability %d.%d, %.0f of %.0f MB free", count, facts.name,
                 facts.major, facts.minor, 1e-6 * (double)backend->device->free_memory(),
                 1e-6 * (double)facts.memory);
        add(f, text);
    }
    f->value = count;
    if (count > 0) return;
    SAY(f, "%s", built ? ead_error_message() : "not in this build");
    advise(f, STATE_NOTE,
           built ? "everything runs on the CPU (--device cpu)"
                 : "everything runs on the CPU; for GPUs build with nvcc in PATH");
}

static void check_mpi(Finding *f) {
    bool built = strstr(ead_ranks_kind(), "MPI") != NULL;
    SAY(f, "%s", built ? "in this build" : "not in this build");
    if (!built) advise(f, STATE_NOTE, "one process a run; make MPI=1 builds for several");
}

static void check_cameras(Finding *f) {
    const char *library = ead_camera_library();
    SAY(f, "%s", library ? library : "not in this build");
    if (!library)
        advise(f, STATE_NOTE, "watch looks at folders alone; make ARAVIS=1 builds it with --camera");
}

static void check_libraries(Finding *f) {
    ead_codec_versions(f->text, sizeof f->text);
    add(f, "OpenBLAS is not needed: products of matrices are kernels of its own");
}

/* ---- the machine ---- */

static void check_cpu(Finding *f) {
    EadCpuFacts facts = ead_cpu_facts();
    const char *level = ead_simd()->name, *asked = getenv("EFFICIENTAD_CPU");
    SAY(f, "%s; kernels of level %s, %s", facts.model, level, ead_amx() ? "AMX for bf16" : "no AMX");
    if (asked && asked[0])
        advise(f, STATE_NOTE, "EFFICIENTAD_CPU is set; without it the widest level of the CPU is taken");
    else if (strcmp(level, "v2") == 0)
        advise(f, STATE_NOTE, "without AVX2 convolutions take several times as long");
}

static void check_threads(Finding *f) {
    int threads = ead_machine_threads(), affinity = omp_get_num_procs(), possible;
    double quota = ead_cgroup_limits("").cpus;
    char text[160];
    omp_set_num_threads(threads);
    possible = ead_openmp_threads();
    f->value = possible;
    SAY(f, "%d; processors: %ld online, %d by affinity", possible, sysconf(_SC_NPROCESSORS_ONLN), affinity);
    snprintf(text, sizeof text, "CPU quota %.4g", quota);
    add(f, isinf(quota) ? "no CPU quota" : text);
    if (getenv("OMP_NUM_THREADS")) {
        add(f, "OMP_NUM_THREADS is set");
        if (threads != affinity) advise(f, STATE_NOTE, "--threads N, or unset OMP_NUM_THREADS, takes others");
    }
    if (possible < threads)
        advise(f, STATE_NOTE,
               "the system starts no more threads; raise ulimit -u or the container's pids limit");
}

static void check_load(Finding *f) {
    double load = ead_machine_load();
    f->value = load;
    SAY(f, "%.2f processes on average of the last minute", load);
    if (load > 0.5 * ead_machine_cpus())
        advise(
            f, STATE_NOTE,
            "other work takes processor time, so that training, predictions and bench are slower than alone");
}

static void check_memory(Finding *f) {
    double all = (double)ead_machine_memory(), now = (double)ead_machine_available();
    size_t space = ead_machine_address_space();
    char text[160];
    f->value = now;
    SAY(f, "%.1f GB free of %.1f GB%s", 1e-9 * now, 1e-9 * all,
        ead_cgroup_limits("").memory == UINT64_MAX ? "" : ", the limit of the container (cgroup)");
    snprintf(text, sizeof text, "%.1f GB of address space left (ulimit -v)", 1e-9 * (double)space);
    if (space != SIZE_MAX) add(f, text);
    if (now < EAD_INFERENCE_MEMORY)
        advise(f, STATE_MISSING, "inference takes some 250 MB: end other programs, or raise the limit");
    else if (now < EAD_TRAINING_MEMORY)
        advise(f, STATE_NOTE,
               "inference and training of size small fit; for more end other programs or raise the limit");
}

/* ---- files that come with the program ---- */

static void add_file(Finding *f, const char *path) {
    char text[EAD_PATH_SIZE + 40];
    EadPath whole;
    struct stat info;
    if (!ead_path_real(whole, path) || stat(path, &info) != 0) return;
    snprintf(text, sizeof text, "%s (%.1f MB)", whole, 1e-6 * (double)info.st_size);
    add(f, text);
    f->value += 1;
}

static void check_teachers(Finding *f) {
    static const char *const sizes[] = {"small", "medium"};
    EadPath path;
    f->value = 0;
    for (int i = 0; i < 2; i++)
        if (ead_shipped_teacher(sizes[i], path) == EAD_OK) add_file(f, path);
    if (f->value == 2) return;
    if (f->value == 0) SAY(f, "none beside the program");
    advise(f, STATE_MISSING,
           "train needs them: install the program with make install or the package efficientad-data, or set "
           "model.teacher");
}

static bool is_backbone(const char *name) {
    EadPath stem;
    snprintf(stem, sizeof stem, "%.*s", (int)ead_path_stem(name), name);
    return ead_path_has_extension(name, ".safetensors") && ead_backbone_is_known(stem);
}

static void check_backbones(Finding *f) {
    EadStringList files = {0};
    EadPath folder;
    f->value = 0;
    if (ead_shipped_file("models", "", folder) && ead_list_files(&files, folder, is_backbone, NULL) == EAD_OK)
        for (int i = 0; i < files.count; i++) add_file(f, files.items[i]);
    ead_strings_free(&files);
    if (f->value > 0) return;
    SAY(f, "none but the teachers");
    advise(f, STATE_NOTE,
           "PatchCore, SimpleNet and FastFlow then use a teacher's features; make backbones fetches "
           "EfficientNet-Lite");
}

static bool is_config(const char *name) {
    return ead_path_has_extension(name, ".yaml");
}

static void check_configs(Finding *f) {
    EadStringList files = {0};
    EadPath folder;
    if (ead_shipped_file("", "configs", folder)) (void)ead_list_files(&files, folder, is_config, NULL);
    f->value = files.count;
    if (files.count > 0) {
        (void)ead_path_real(folder, folder);
        SAY(f, "%d in %s", files.count, folder);
    } else {
        advise(f, STATE_NOTE, "train needs none: --set, or train --help-config writes a template");
        SAY(f, "none beside the program");
    }
    ead_strings_free(&files);
}

/* ---- the current folder ---- */

static void check_folder(Finding *f) {
    EadPath here;
    double room = (double)ead_room(".");
    f->value = room;
    if (ead_path_absolute(here, "") != EAD_OK) snprintf(here, sizeof here, ".");
    SAY(f, "%s: %.1f GB free", here, 1e-9 * room);
    if (ead_atomic_file_try(".") != EAD_OK) {
        SAY(f, "%s", ead_error_message());
        advise(f, STATE_MISSING,
               "results go here by default: change to another folder, or name one by --output");
    } else if (room < 1e9) {
        advise(f, STATE_NOTE,
               "a run takes some 100 to 500 MB with its cache: make room, or name a folder by --output");
    }
}

/* Takes a lock as a run does; then another open file must not get it by flock(). */
static void check_locks(Finding *f) {
    static const char path[] = ".efficientad-doctor.lock";
    EadFileLock lock = {0};
    EadStatus status = ead_file_lock_take(path, "the trial of locks", &lock);
    if (status != EAD_OK) {
        SAY(f, "%s", ead_error_message());
        advise(f, STATE_MISSING, "two runs must not write into one folder: work on another file system");
        return;
    }
    int other = open(path, O_RDWR | O_CLOEXEC);
    bool held = other >= 0 && flock(other, LOCK_EX | LOCK_NB) != 0;
    if (other >= 0) close(other);
    ead_file_lock_release(&lock);
    SAY(f, "%s", held ? "work here, by flock()" : "work here, by files that name their process");
    if (!held)
        advise(f, STATE_NOTE,
               "flock() does not: a run on another machine may leave a lock to delete by hand");
}

/* ---- all of them ---- */

static const struct {
    const char *name, *unit; /* unit: of the value in JSON; NULL: there is none */
    void (*check)(Finding *finding);
} checks[] = {
    {"version", NULL, check_version},
    {"cuda", "devices", check_cuda},
    {"mpi", NULL, check_mpi},
    {"cameras", NULL, check_cameras},
    {"libraries", NULL, check_libraries},
    {"cpu", NULL, check_cpu},
    {"threads", "threads", check_threads},
    {"load", "processes", check_load},
    {"memory", "bytes", check_memory},
    {"teachers", "files", check_teachers},
    {"backbones", "files", check_backbones},
    {"configs", "files", check_configs},
    {"folder", "bytes", check_folder},
    {"locks", NULL, check_locks},
};

enum { CHECKS = sizeof checks / sizeof *checks };

static const char *const states[] = {"ok", "note", "missing"};

static void print_lines(const Finding *findings) {
    for (int i = 0; i < CHECKS; i++) {
        const Finding *f = &findings[i];
        ead_print(stdout, "%-7s  %-9s  %s%s%s\n", states[f->state], checks[i].name, f->text,
                  f->cure[0] ? ": " : "", f->cure);
    }
}

static void print_json(const Finding *findings, int missing) {
    EadJson json = {.stream = stdout};
    ead_json_open(&json, NULL, '{');
    ead_json_flag(&json, "ok", missing == 0);
    ead_json_open(&json, "checks", '[');
    for (int i = 0; i < CHECKS; i++) {
        const Finding *f = &findings[i];
        ead_json_open(&json, NULL, '{');
        ead_json_string(&json, "name", checks[i].name);
        ead_json_string(&json, "state", states[f->state]);
        ead_json_string(&json, "text", f->text);
        if (f->cure[0]) ead_json_string(&json, "cure", f->cure);
        if (checks[i].unit) ead_json_number(&json, checks[i].unit, f->value, 15);
        ead_json_close(&json, '}');
    }
    ead_json_close(&json, ']');
    ead_json_close(&json, '}');
    putc('\n', stdout);
}

EadStatus ead_command_doctor(const EadArguments *arguments) {
    int missing = 0;
    EAD_TRY(ead_problems_tell(&arguments->problems, stderr));
    Finding *findings = ead_new(CHECKS, sizeof *findings, "what the checks found");
    if (!findings) return EAD_NO_MEMORY;
    for (int i = 0; i < CHECKS; i++) {
        findings[i].value = NAN;
        checks[i].check(&findings[i]);
        missing += findings[i].state == STATE_MISSING;
    }
    if (ead_arguments_given(arguments, EAD_OPTION_DOCTOR_JSON))
        print_json(findings, missing);
    else
        print_lines(findings);
    free(findings);
    if (missing == 0) return EAD_OK;
    return ead_fail(EAD_UNSUPPORTED, "%d of %d checks found something missing that the program needs",
                    missing, CHECKS);
}
