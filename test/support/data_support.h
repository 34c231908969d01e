/* What the suites of data/ share: hashes and noise as the golden generator makes them, and scratch files. */
#ifndef EAD_TEST_DATA_SUPPORT_H
#define EAD_TEST_DATA_SUPPORT_H

#include "core/image/image.h"
#include "data/codec/codec.h"
#include "test/support/suite.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

static inline uint32_t fnv(const uint8_t *bytes, size_t size) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

static inline size_t image_bytes(const EadImage *image) {
    return (size_t)image->width * (size_t)image->height * (size_t)image->channels;
}

static inline uint32_t image_hash(const EadImage *image) {
    return fnv(image->pixels, image_bytes(image));
}

static inline void fill_noise(uint8_t *bytes, size_t size, uint32_t seed) {
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

/* Makes every folder on the way to path, and path itself if it ends in a slash. */
static inline void make_folders(const char *path) {
    char part[512];
    for (size_t i = 0; path[i]; i++) {
        if (path[i] != '/' || i == 0) continue;
        snprintf(part, sizeof part, "%.*s", (int)i, path);
        mkdir(part, 0777);
    }
}

static inline void write_bytes(const char *path, const void *bytes, size_t size) {
    make_folders(path);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

/* The whole file; free() it. */
static inline uint8_t *read_bytes(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s is missing", path);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

/* The whole file as text; free() it. */
static inline char *read_text(const char *path) {
    size_t size;
    char *text = (char *)read_bytes(path, &size);
    text[size] = '\0';
    ck_assert_uint_eq(strlen(text), size);
    return text;
}

static inline void assert_contains(const char *text, const char *part) {
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is missing", part);
}

static inline void assert_file_holds(const char *path, const char *text) {
    char *all = read_text(path);
    ck_assert_msg(strstr(all, text) != NULL, "%s lacks %s: %s", path, text, all);
    free(all);
}

static inline void fill_image(EadImage *image, int width, int height, int channels, uint8_t value) {
    ck_assert_int_eq(ead_image_alloc(image, width, height, channels), EAD_OK);
    memset(image->pixels, value, image_bytes(image));
}

/* How many files a folder holds, hidden ones, too. */
static inline int files_in(const char *path) {
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return count;
}

/* Decodes an image file with each of its bits flipped in turn. Any result will do but a crash, and the image
 * must be empty exactly after a failure. */
static inline void decode_with_flipped_bits(const char *path) {
    size_t size;
    EadImage image;
    uint8_t *bytes = read_bytes(path, &size);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EadStatus status = ead_image_decode(bytes, size, "flipped", &image);
        ck_assert((status == EAD_OK) == (image.pixels != NULL));
        ead_image_free(&image);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(bytes);
}

/* A PNG of noise. */
static inline void write_noise_png(const char *path, int width, int height, int channels, uint32_t seed) {
    EadImage image;
    make_folders(path);
    ck_assert_int_eq(ead_image_alloc(&image, width, height, channels), EAD_OK);
    fill_noise(image.pixels, image_bytes(&image), seed);
    ck_assert_int_eq(ead_png_write(path, &image), EAD_OK);
    ead_image_free(&image);
}

/* The call fails with this status and a single line that holds the text. */
#define ASSERT_FAILS(call, status, text)                                                                     \
    do {                                                                                                     \
        ck_assert_int_eq(call, status);                                                                      \
        ck_assert_msg(strstr(ead_error_message(), text) != NULL, "message: %s", ead_error_message());        \
        ck_assert_msg(strchr(ead_error_message(), '\n') == NULL, "several lines: %s", ead_error_message());  \
    } while (0)

#define ASSERT_OK(call) ck_assert_msg((call) == EAD_OK, "%s", ead_error_message())

#endif
