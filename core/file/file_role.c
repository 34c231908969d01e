/* First bytes, metadata, names of tensors, keys of texts. */
#include "core/file/file_role.h"

#include "core/base/file_bytes.h"
#include "core/base/minmax.h"
#include "core/base/paths.h"
#include "core/file/onnx_origin.h"
#include "core/file/safetensors.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 1 << 14 };

static const struct {
    const char *is, *cure;
} rows[EAD_FILE_ROLES] = {
#define X(role, is, cure) {is, cure},
    EAD_FILE_ROLE_LIST(X)
#undef X
};

const char *ead_file_role_name(EadFileRole role) {
    return rows[role].is;
}

/* ---- .safetensors ---- */

static bool has(const EadSafetensors *file, const char *tensor) {
    return ead_safetensors_find(file, tensor) != NULL;
}

static bool holds_networks(const EadSafetensors *file, const char *prefix) {
    for (int i = 0; i < ead_safetensors_count(file); i++)
        if (strncmp(ead_safetensors_at(file, i)->name, prefix, strlen(prefix)) == 0) return true;
    return false;
}

static EadFileRole role_of_tensors(const EadSafetensors *file) {
    const char *format = ead_safetensors_metadata(file, "format"),
               *method = ead_safetensors_metadata(file, "method");
    if (format && strncmp(format, "efficientad-images/", strlen("efficientad-images/")) == 0)
        return EAD_ROLE_CACHE;
    if (has(file, "layer1.0.conv1.weight") || has(file, "_conv_stem.weight") ||
        has(file, "features.conv0.weight"))
        return EAD_ROLE_BACKBONE;
    if (!format) return EAD_ROLE_WEIGHTS;
    if (strcmp(format, "efficientad/1") != 0) return EAD_ROLE_UNKNOWN;
    /* Of a model that lacks a part its reader says which. */
    bool trained =
        method || holds_networks(file, "student.") || ead_safetensors_metadata(file, "map_normalization");
    if (has(file, "step") && ead_safetensors_metadata(file, "config"))
        return trained ? EAD_ROLE_CHECKPOINT : EAD_ROLE_DISTILL_CHECKPOINT;
    if (trained) return EAD_ROLE_MODEL;
    return holds_networks(file, "teacher.") ? EAD_ROLE_TEACHER : EAD_ROLE_UNKNOWN;
}

static EadFileRole role_of_safetensors(const char *path) {
    EadSafetensors *file;
    if (ead_safetensors_open_header(path, &file) != EAD_OK) return EAD_ROLE_UNKNOWN;
    EadFileRole role = role_of_tensors(file);
    ead_safetensors_close(file);
    return role;
}

/* ---- texts ---- */

/* Whether a line begins with one of the words, which end in blanks, and then a colon or a dot. */
static bool has_key(const char *text, const char *words) {
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        for (const char *word = words; *word; word += strcspn(word, " ") + 1) {
            size_t length = strcspn(word, " ");
            const char *behind = line + length;
            if (strncmp(line, word, length) == 0 && (*behind == ':' || *behind == '.')) return true;
        }
    }
    return false;
}

/* Whether there are no bytes that texts of no encoding have. */
static bool is_text(const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)bytes[i] < ' ' && (bytes[i] == '\0' || !strchr("\t\n\v\f\r\x1B", bytes[i])))
            return false;
    return true;
}

static EadFileRole role_of_text(const char *text) {
    static const struct {
        EadFileRole role;
        const char *beginning;
    } beginnings[] = {{EAD_ROLE_TABLE, "path,label,"}, {EAD_ROLE_TABLE, "step,loss"},
                      {EAD_ROLE_TABLE, "threshold,"},  {EAD_ROLE_PAGE, "<!doctype html"},
                      {EAD_ROLE_PAGE, "<html"},        {EAD_ROLE_LFS, "version https://git-lfs"}};
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncasecmp(text, beginnings[i].beginning, strlen(beginnings[i].beginning)) == 0)
            return beginnings[i].role;
    if (strstr(text, "\"efficientad-sweep/")) return EAD_ROLE_SWEEP_RUNS;
    if (text[0] == '{' && strstr(text, "\"image_auroc\"")) return EAD_ROLE_METRICS;
    if (has_key(text, "collections variants seeds base ")) return EAD_ROLE_SWEEP;
    bool config = has_key(text, "dataset model train loss penalty augment autoencoder maps threshold eval "
                                "distill output ");
    return config ? EAD_ROLE_CONFIG : EAD_ROLE_TEXT;
}

/* ---- any file ---- */

/* "BM", a size, and two numbers that are 0. */
static bool is_bitmap(const char *bytes, size_t size) {
    return size > 14 && memcmp(bytes, "BM", 2) == 0 && memcmp(bytes + 6, "\0\0\0\0", 4) == 0;
}

/* A message of Protocol Buffers: field 1, the version of the format, then the name of the producer (field 2), the graph
 * (7), or another of those that a model has. */
static bool is_onnx(const char *bytes, size_t size) {
    return size > 3 && bytes[0] == 8 && bytes[1] > 0 && bytes[1] < 32 &&
           memchr("\x12\x1A\x22\x28\x32\x3A\x42\x72", bytes[2], 8);
}

/* path: NULL in memory. */
static EadFileRole role_of_bytes(const char *path, const char *bytes, size_t size) {
    static const struct {
        EadFileRole role;
        size_t offset;
        const char *magic;
        size_t length;
    } beginnings[] = {
#define MAGIC(role, offset, magic) {EAD_ROLE_##role, offset, magic, sizeof magic - 1}
        MAGIC(ZIP, 0, "PK\003\004"),
        MAGIC(ZIP, 0, "\x80\x02\x8A\x0A"),
        MAGIC(CACHE, 0, "EADFEATS"),
        MAGIC(TAR, 257, "ustar"),
        MAGIC(COMPRESSED, 0, "\x1F\x8B\x08"),
        MAGIC(COMPRESSED, 0, "BZh"),
        MAGIC(COMPRESSED, 0, "\xFD\x37zXZ"),
        MAGIC(COMPRESSED, 0, "\x28\xB5\x2F\xFD"),
        MAGIC(COMPRESSED, 0, "7z\xBC\xAF"),
        MAGIC(COMPRESSED, 0, "Rar!"),
        MAGIC(IMAGE, 0, "\x89PNG"),
        MAGIC(IMAGE, 0, "\xFF\xD8\xFF"),
        MAGIC(IMAGE, 8, "WEBP"),
        MAGIC(IMAGE, 0, "II*\0"),
        MAGIC(IMAGE, 0, "MM\0*"),
        MAGIC(IMAGE, 0, "II+\0"),
        MAGIC(IMAGE, 0, "MM\0+"),
        MAGIC(PICTURE, 0, "GIF8"),
        MAGIC(PICTURE, 4, "ftyp"),
        MAGIC(PICTURE, 0, "\0\0\0\x0CjP"),
        MAGIC(PICTURE, 0, "\0\0\1\0"),
        MAGIC(PICTURE, 0, "P5\n"),
        MAGIC(PICTURE, 0, "P6\n"),
        MAGIC(PICKLE, 0, "\x80\2"),
        MAGIC(PICKLE, 0, "\x80\3"),
        MAGIC(PICKLE, 0, "\x80\4"),
        MAGIC(PICKLE, 0, "\x80\5"),
        MAGIC(HDF5, 0, "\x89HDF"),
        MAGIC(NUMPY, 0, "\x93NUMPY"),
        MAGIC(GGUF, 0, "GGUF"),
        MAGIC(TFLITE, 4, "TFL3"),
        MAGIC(EVENTS, 23, "brain.Event:"),
        MAGIC(TEXT, 0, "\xFF\xFE"),
        MAGIC(TEXT, 0, "\xFE\xFF"),
#undef MAGIC
    };
    if (path && size > 8 && bytes[8] == '{') {
        EadFileRole role = role_of_safetensors(path);
        if (role != EAD_ROLE_UNKNOWN) return role;
    }
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        size_t length = beginnings[i].length, offset = beginnings[i].offset;
        if (size >= offset + length && memcmp(bytes + offset, beginnings[i].magic, length) == 0)
            return beginnings[i].role;
    }
    if (is_bitmap(bytes, size)) return EAD_ROLE_IMAGE;
    if (is_onnx(bytes, size)) return EAD_ROLE_ONNX;
    return !is_text(bytes, size) ? EAD_ROLE_UNKNOWN : size == 0 ? EAD_ROLE_EMPTY : role_of_text(bytes);
}

EadFileRole ead_file_role(const char *path) {
    char bytes[HEAD + 1];
    struct stat info;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return EAD_ROLE_UNKNOWN;
    EadFileRole role = EAD_ROLE_UNKNOWN;
    bool known = fstat(descriptor, &info) == 0, regular = known && S_ISREG(info.st_mode);
    size_t size = regular && info.st_size < HEAD ? (size_t)info.st_size : HEAD;
    bool read = regular && ead_read_at(descriptor, bytes, size, 0);
    close(descriptor);
    if (known && S_ISDIR(info.st_mode)) role = EAD_ROLE_FOLDER;
    bytes[read ? size : 0] = '\0';
    return read ? role_of_bytes(path, bytes, size) : role;
}

/* The run folder of a training, where its model is wanted: that is meant. */
static bool holds_model(const char *folder, unsigned wanted, EadPath model) {
    return wanted & EAD_ROLE(MODEL) && ead_path_in(model, folder, "model.safetensors") == EAD_OK &&
           access(model, F_OK) == 0;
}

static EadStatus expect(EadFileRole role, const char *path, const EadOnnxOrigin *origin, unsigned wanted,
                        const char *what) {
    if (role == EAD_ROLE_UNKNOWN || (wanted & 1u << role)) return EAD_OK;
    if (origin->ours)
        return ead_fail(
            EAD_BAD_FILE,
            "%s: is an ONNX file that efficientad export wrote, not %s; runtimes for ONNX take it, and "
            "this program the .safetensors model that it was made from%s%s",
            path, what, *origin->source ? ", " : "", origin->source);
    EadPath model;
    if (role == EAD_ROLE_FOLDER && holds_model(path, wanted, model))
        return ead_fail(EAD_IO, "%s: is a folder, not %s; its model is %s", path, what, model);
    return ead_fail(role == EAD_ROLE_FOLDER ? EAD_IO : EAD_BAD_FILE, "%s: is %s, not %s; %s", path,
                    rows[role].is, what, rows[role].cure);
}

EadStatus ead_file_expect(const char *path, unsigned wanted, const char *what) {
    EadFileRole role = ead_file_role(path);
    EadOnnxOrigin origin = {.ours = false};
    if (role == EAD_ROLE_ONNX) origin = ead_onnx_origin(path);
    return expect(role, path, &origin, wanted, what);
}

EadStatus ead_file_expect_open(const EadSafetensors *file, unsigned wanted, const char *what) {
    return expect(role_of_tensors(file), ead_safetensors_path(file), &(EadOnnxOrigin){.ours = false}, wanted,
                  what);
}

EadStatus ead_file_expect_bytes(const void *bytes, size_t size, const char *label, unsigned wanted,
                                const char *what) {
    char head[HEAD + 1];
    size_t length = (size_t)ead_min((int64_t)size, HEAD);
    memcpy(head, bytes, length);
    head[length] = '\0';
    EadFileRole role = role_of_bytes(NULL, head, length);
    EadOnnxOrigin origin = {.ours = false};
    if (role == EAD_ROLE_ONNX) origin = ead_onnx_origin_in(bytes, size);
    return expect(role, label, &origin, wanted, what);
}
