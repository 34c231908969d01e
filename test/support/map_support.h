/* What the suites of eval and predict share: TIFF maps read back, folders emptied, the program run. */
#ifndef EAD_TEST_MAP_SUPPORT_H
#define EAD_TEST_MAP_SUPPORT_H

#include "test/support/tiny_model.h"

#include <sys/wait.h>
#include <tiffio.h>
#include <unistd.h>

/* The file is a 32-bit float TIFF of that size with exactly these values. */
static inline void assert_tiff_equals(const char *path, const float *map, int width, int height) {
    uint32_t columns = 0, rows = 0;
    uint16_t bits = 0, format = 0, samples = 0;
    TIFF *tiff = TIFFOpen(path, "r");
    ck_assert_msg(tiff != NULL, "%s is not there", path);
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &columns);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &rows);
    TIFFGetField(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetField(tiff, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetField(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
    ck_assert(columns == (uint32_t)width && rows == (uint32_t)height && bits == 32 && samples == 1);
    ck_assert_int_eq(format, SAMPLEFORMAT_IEEEFP);
    float *row = malloc((size_t)width * sizeof *row);
    ck_assert_ptr_nonnull(row);
    for (int y = 0; y < height; y++) {
        ck_assert_int_eq(TIFFReadScanline(tiff, row, (uint32_t)y, 0), 1);
        ck_assert_mem_eq(row, map + (size_t)y * (size_t)width, (size_t)width * sizeof *row);
    }
    free(row);
    TIFFClose(tiff);
}

/* The file is a PNG of that size. */
static inline void assert_png(const char *path, int width, int height) {
    EadImage image;
    ASSERT_OK(ead_image_load(path, &image));
    ck_assert(image.width == width && image.height == height);
    ead_image_free(&image);
}

/* Runs a shell command and gives its exit code. */
static inline int shell(const char *command) {
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Runs the program with these arguments (and what follows them in the shell), its streams in files of the
 * folder. Gives its exit code. */
static inline int run_program(const char *folder, const char *arguments) {
    char command[2304];
    snprintf(command, sizeof command, "%s %s >%sstdout 2>%sstderr", getenv("PROGRAM"), arguments, folder,
             folder);
    return shell(command);
}

static inline bool exists(const char *path) {
    return access(path, F_OK) == 0;
}

#endif
