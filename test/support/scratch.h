/* Files and folders of the suites: written, read back, compared, with hashes and noise as the golden generators make
 * them; and the assertions on statuses. */
#pragma once

#include "core/image/image.h"
#include "data/codec/codec.h"
#include "test/support/suite.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

uint32_t fnv(const uint8_t *bytes, size_t size);

size_t image_bytes(const EadImage *image);

uint32_t image_hash(const EadImage *image);

void fill_noise(uint8_t *bytes, size_t size, uint32_t seed);

/* Makes every folder on the way to path, and path itself if it ends in a slash. */
void make_folders(const char *path);

void write_bytes(const char *path, const void *bytes, size_t size);

/* The whole file; free() it. */
uint8_t *read_bytes(const char *path, size_t *size);

void copy_file(const char *from, const char *to);

/* The whole file as text; free() it. */
char *read_text(const char *path);

void assert_contains(const char *text, const char *part);

void assert_file_holds(const char *path, const char *text);

void fill_image(EadImage *image, int width, int height, int channels, uint8_t value);

/* Leaves the process `bytes` of address space from here on; false: it is limited already. */
bool leave_memory(size_t bytes);

void pause_for(double seconds);

/* How many files a folder holds, hidden ones, too. */
int files_in(const char *path);

/* Decodes an image file with each bit of its first bytes flipped in turn, then with one of every byte. Any result will do
 * but a crash, and the image must be empty exactly after a failure. */
void decode_with_flipped_bits(const char *path);

/* A PNG of noise. */
void write_noise_png(const char *path, int width, int height, int channels, uint32_t seed);

/* The call fails with this status and a single line that holds the text. */
#define ASSERT_FAILS(call, status, text)                                                                     \
    do {                                                                                                     \
        ck_assert_int_eq(call, status);                                                                      \
        ck_assert_msg(strstr(ead_error_message(), text) != NULL, "message: %s", ead_error_message());        \
        ck_assert_msg(strchr(ead_error_message(), '\n') == NULL, "several lines: %s", ead_error_message());  \
    } while (0)

#define ASSERT_OK(call) ck_assert_msg((call) == EAD_OK, "%s", ead_error_message())

/* The file is a 32-bit float TIFF of that size with exactly these values. */
void assert_tiff_equals(const char *path, const float *map, int width, int height);

/* The file is a PNG of that size. */
void assert_png(const char *path, int width, int height);

/* Runs a shell command and gives its exit code. */
int shell(const char *command);

/* The same; it must succeed. */
void shell_ok(const char *command);

bool exists(const char *path);

bool same_files(const char *a, const char *b);

void write_text(const char *path, const char *text);
