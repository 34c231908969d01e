/* Saving and restoring everything that a step changes. */
#include "train/loop/checkpoint.h"

#include "core/base/printing.h"
#include "data/cache/cache_key.h"
#include "train/support/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP "step"

/* "adam.first", and "adam.first.1" of the second group. */
static void moment_name(const char *which, int group, char name[32]) {
    snprintf(name, 32, group ? "adam.%s.%d" : "adam.%s", which, group);
}

static EadStatus write_moments(EadSafetensorsWriter *writer, const char *which, int group, int64_t count,
                               const real *values) {
    char name[32];
    moment_name(which, group, name);
    return ead_safetensors_writer_tensor(writer, name, EAD_FILE_F32, 1, &count, values);
}

EadStatus ead_checkpoint_write(EadSafetensorsWriter *writer, const char *config_text, int64_t done,
                               const EadStep *step) {
    EAD_TRY(ead_safetensors_writer_metadata(writer, "config", config_text));
    EAD_TRY(ead_safetensors_writer_metadata(writer, "version", ead_version()));
    for (int g = 0; step && g < step->parts.group_count; g++) {
        const EadOptimizer *optimizer = &step->optimizers[g];
        EAD_TRY(write_moments(writer, "first", g, optimizer->count, optimizer->first));
        EAD_TRY(write_moments(writer, "second", g, optimizer->count, optimizer->second));
    }
    int64_t *copy = ead_safetensors_writer_memory(writer, sizeof *copy);
    if (!copy) return EAD_NO_MEMORY;
    *copy = done;
    return ead_safetensors_writer_tensor(writer, STEP, EAD_FILE_I64, 1, &(const int64_t){1}, copy);
}

/* ---- lists of images ---- */

enum { LIST_SIZE = 40 };

/* Bytes of the folder in which all images are, with its slash. */
static size_t common_folder(const EadImageList *list) {
    const char *first = list->count > 0 ? list->items[0].name : "";
    size_t bytes = strlen(first);
    for (int i = 0; i < list->count; i++) {
        size_t same = 0;
        while (same < bytes && list->items[i].name[same] == first[same]) same++;
        bytes = same;
    }
    while (bytes > 0 && first[bytes - 1] != '/') bytes--;
    return bytes;
}

/* The count in decimal, a blank, the hash. */
static void describe_list(const EadImageList *list, char text[LIST_SIZE]) {
    size_t folder = common_folder(list);
    uint64_t hash = 0;
    for (int i = 0; i < list->count; i++) {
        const char *name = list->items[i].name + folder;
        hash = ead_cache_checksum(hash, name, strlen(name));
    }
    snprintf(text, LIST_SIZE, "%d %016llx", list->count, (unsigned long long)hash);
}

EadStatus ead_checkpoint_write_list(EadSafetensorsWriter *writer, const char *what,
                                    const EadImageList *list) {
    char text[LIST_SIZE];
    describe_list(list, text);
    return ead_safetensors_writer_metadata(writer, what, text);
}

void ead_checkpoint_compare_list(const EadSafetensors *file, const char *what, const EadImageList *list) {
    const char *saved = ead_safetensors_metadata(file, what);
    char text[LIST_SIZE];
    describe_list(list, text);
    if (!saved || strcmp(saved, text) == 0) return;
    int then = (int)strcspn(saved, " "), now = (int)strcspn(text, " ");
    bool as_many = then == now && strncmp(saved, text, (size_t)now) == 0;
    ead_print(
        stderr,
        "warning: %s: was written with %.*s %s, now there are %.*s%s; the result will be that of neither "
        "list; for that of one, start again with another --output\n",
        ead_safetensors_path(file), then, saved, what, now, text, as_many ? " with other names" : "");
}

/* ---- reading ---- */

static EadStatus read_array(const EadSafetensors *file, const char *name, EadFileType type, int64_t count,
                            size_t bytes, void *out) {
    const EadFileTensor *tensor = ead_safetensors_find(file, name);
    if (!tensor || tensor->type != type || tensor->count != count || tensor->bytes != bytes)
        return ead_fail(EAD_BAD_FILE,
                        "%s: tensor '%s' is missing or does not fit; it is not a checkpoint of this model",
                        ead_safetensors_path(file), name);
    memcpy(out, tensor->data, bytes);
    return EAD_OK;
}

static EadStatus check_config(const EadSafetensors *file, const EadConfig *config, EadCompareScope scope) {
    const char *path = ead_safetensors_path(file), *text = ead_safetensors_metadata(file, "config");
    if (!text) return ead_fail(EAD_BAD_FILE, "%s: is not a checkpoint: it holds no config", path);
    EadConfig saved;
    EAD_TRY(ead_config_defaults(&saved));
    EadStatus status = ead_config_parse(text, strlen(text), path, &saved);
    int key = status == EAD_OK ? ead_config_difference(&saved, config, scope) : -1;
    if (key >= 0)
        status = ead_config_fail_difference(&saved, config, key, path,
                                            "change it back, or start again with another --output");
    ead_config_free(&saved);
    return status;
}

bool ead_checkpoint_is_model(const EadSafetensors *file) {
    return !ead_safetensors_find(file, STEP);
}

static EadStatus read_done(const EadSafetensors *file, int64_t *done) {
    const char *text = ead_safetensors_metadata(file, "steps");
    char *end;
    if (!ead_checkpoint_is_model(file)) return read_array(file, STEP, EAD_FILE_I64, 1, sizeof *done, done);
    *done = text ? strtoll(text, &end, 10) : -1;
    if (text && end != text && !*end && *done >= 0) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s: is not the model of a training: it does not say after how many steps",
                    ead_safetensors_path(file));
}

EadStatus ead_checkpoint_check(const EadSafetensors *file, const EadConfig *config, EadCompareScope scope,
                               int64_t steps, const char *steps_key, int64_t *done) {
    EAD_TRY(check_config(file, config, scope));
    EAD_TRY(read_done(file, done));
    if (*done >= 0 && *done < steps && ead_checkpoint_is_model(file))
        return ead_fail(
            EAD_BAD_ARGUMENT,
            "%s: the run is finished after %lld steps and kept its model, not the checkpoint that more steps "
            "go on from: a training with train.keep=all keeps it; train --init %s with another --output "
            "starts a "
            "new training from the model",
            ead_safetensors_path(file), (long long)*done, ead_safetensors_path(file));
    if (*done >= 0 && *done <= steps) return EAD_OK;
    return ead_fail(EAD_BAD_FILE, "%s: was made after step %lld, but %s makes %lld steps; raise %s",
                    ead_safetensors_path(file), (long long)*done, steps_key, (long long)steps, steps_key);
}

EadStatus ead_checkpoint_read(const EadSafetensors *file, int64_t done, EadStep *step) {
    for (int g = 0; g < step->parts.group_count; g++) {
        const EadOptimizer *optimizer = &step->optimizers[g];
        size_t bytes = (size_t)optimizer->count * sizeof(float);
        char name[32];
        moment_name("first", g, name);
        EAD_TRY(read_array(file, name, EAD_FILE_F32, optimizer->count, bytes, optimizer->first));
        moment_name("second", g, name);
        EAD_TRY(read_array(file, name, EAD_FILE_F32, optimizer->count, bytes, optimizer->second));
    }
    step->device_done = done;
    return EAD_OK;
}
