/* Command import as the suites run it: on files of others that are written here. A suite defines S, its folder with a
 * slash at the end, before it includes this. */
#pragma once

#include "test/support/sample_models.h"
#include "test/support/scratch.h"
#include "train/cli/arguments.h"

#include <zip.h>

#define OUT S "out.safetensors"

/* ---- running the command ---- */

static char said[65536]; /* what it wrote to stderr */

/* words: what follows "efficientad import", parted by single blanks. */
static inline EadStatus import(const char *words) {
    static char copy[1024];
    char *texts[16] = {"efficientad", "import"};
    int count = 2;
    EadArguments arguments;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) texts[count++] = word;
    ASSERT_OK(ead_arguments_parse(count, texts, &arguments));
    unlink(OUT);
    fflush(stderr);
    int before = dup(2);
    ck_assert_ptr_nonnull(freopen(S "said", "w", stderr));
    EadStatus status = ead_command_import(&arguments);
    fflush(stderr);
    ck_assert_int_ge(dup2(before, 2), 0);
    close(before);
    ead_arguments_free(&arguments);
    size_t size;
    uint8_t *bytes = read_bytes(S "said", &size);
    ck_assert_uint_lt(size, sizeof said);
    memcpy(said, bytes, size);
    said[size] = '\0';
    free(bytes);
    return status;
}

static inline void check_refused(const char *words, const char *message) {
    ASSERT_FAILS(import(words), EAD_BAD_FILE, message);
    ck_assert_ptr_null(strstr(ead_error_message(), "/proc/"));
    ck_assert(!exists(OUT));
}

static inline void check_said(const char *text) {
    ck_assert_msg(strstr(said, text) != NULL, "'%s' is missing in:\n%s", text, said);
}

/* ---- files of others ---- */

/* Writes the tensors of ours that begin with `part` ("teacher.", ""), called by rename() or left out (false).
 */
typedef bool Rename(const char *ours, char theirs[128]);

typedef struct Named {
    char name[128];
    const EadFileTensor *tensor;
} Named;

static inline int rename_all(const EadSafetensors *ours, const char *part, Rename *rename_one, Named *out) {
    int count = 0;
    for (int i = 0; i < ead_safetensors_count(ours); i++) {
        const EadFileTensor *tensor = ead_safetensors_at(ours, i);
        if (strncmp(tensor->name, part, strlen(part)) != 0 || !rename_one(tensor->name, out[count].name))
            continue;
        out[count++].tensor = tensor;
    }
    return count;
}

static inline void write_safetensors(const char *path, const Named *named, int count) {
    EadSafetensorsWriter *writer;
    ASSERT_OK(ead_safetensors_writer_new(&writer));
    for (int i = 0; i < count; i++) {
        const EadFileTensor *t = named[i].tensor;
        ASSERT_OK(ead_safetensors_writer_tensor(writer, named[i].name, t->type, t->dims, t->shape, t->data));
    }
    ASSERT_OK(ead_safetensors_writer_write(writer, path));
    ead_safetensors_writer_free(writer);
}

static inline size_t put_text(uint8_t *to, const char *text) {
    uint32_t length = (uint32_t)strlen(text);
    to[0] = 'X';
    memcpy(to + 1, &length, 4);
    memcpy(to + 5, text, length);
    return length + 5;
}

static inline size_t put_number(uint8_t *to, int64_t number) {
    memcpy(to, "\x8A\x08", 2);
    memcpy(to + 2, &number, 8);
    return 10;
}

/* The two lines of a class or function. */
static inline size_t put_global(uint8_t *to, const char *lines) {
    to[0] = 'c';
    memcpy(to + 1, lines, strlen(lines));
    return strlen(lines) + 1;
}

/* _rebuild_tensor_v2((storage), 0, shape, strides) as torch pickles it. */
static inline size_t put_tensor(uint8_t *to, const EadFileTensor *tensor, const char *key) {
    uint8_t *at = to;
    at += put_global(at, "torch._utils\n_rebuild_tensor_v2\n");
    *at++ = '(', *at++ = '(';
    at += put_text(at, "storage");
    at += put_global(at, "torch\nFloatStorage\n");
    at += put_text(at, key);
    at += put_text(at, "cpu");
    at += put_number(at, tensor->count);
    *at++ = 't', *at++ = 'Q';
    at += put_number(at, 0);
    *at++ = '(';
    for (int d = 0; d < tensor->dims; d++) at += put_number(at, tensor->shape[d]);
    *at++ = 't', *at++ = '(';
    for (int d = 0; d < tensor->dims; d++) {
        int64_t stride = 1;
        for (int k = d + 1; k < tensor->dims; k++) stride *= tensor->shape[k];
        at += put_number(at, stride);
    }
    *at++ = 't', *at++ = 't', *at++ = 'R';
    return (size_t)(at - to);
}

static inline void put_record(zip_t *zip, const char *name, const void *bytes, size_t size) {
    zip_int64_t index = zip_file_add(zip, name, zip_source_buffer(zip, bytes, size, 0), ZIP_FL_ENC_UTF_8);
    ck_assert_int_ge(index, 0);
    ck_assert_int_eq(zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0), 0);
}

/* A state_dict as torch.save lays it out. */
static inline void write_pth(const char *path, const Named *named, int count) {
    static uint8_t pickle[65536];
    char key[16], record[32];
    make_folders(path);
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);
    ck_assert_ptr_nonnull(zip);
    uint8_t *at = pickle;
    memcpy(at, "\x80\x02}", 3), at += 3;
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "%d", i);
        snprintf(record, sizeof record, "x/data/%d", i);
        at += put_text(at, named[i].name);
        at += put_tensor(at, named[i].tensor, key);
        *at++ = 's';
        put_record(zip, record, named[i].tensor->data, named[i].tensor->bytes);
    }
    *at++ = '.';
    put_record(zip, "x/data.pkl", pickle, (size_t)(at - pickle));
    ck_assert_int_eq(zip_close(zip), 0);
}
