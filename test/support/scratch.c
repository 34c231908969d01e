#include "test/support/scratch.h"

#include "core/system/machine.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <tiffio.h>
#include <time.h>

uint32_t fnv(const uint8_t *bytes, size_t size) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

size_t image_bytes(const EadImage *image) {
    return (size_t)image->width * (size_t)image->height * (size_t)image->channels;
}

uint32_t image_hash(const EadImage *image) {
    return fnv(image->pixels, image_bytes(image));
}

void fill_noise(uint8_t *bytes, size_t size, uint32_t seed) {
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

void make_folders(const char *path) {
    char part[512];
    for (size_t i = 0; path[i]; i++) {
        if (path[i] != '/' || i == 0) continue;
        snprintf(part, sizeof part, "%.*s", (int)i, path);
        mkdir(part, 0777);
    }
}

void write_bytes(const char *path, const void *bytes, size_t size) {
    make_folders(path);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

uint8_t *read_bytes(const char *path, size_t *size) {
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

void copy_file(const char *from, const char *to) {
    size_t size;
    uint8_t *bytes = read_bytes(from, &size);
    write_bytes(to, bytes, size);
    free(bytes);
}

char *read_text(const char *path) {
    size_t size;
    char *text = (char *)read_bytes(path, &size);
    text[size] = '\0';
    ck_assert_uint_eq(strlen(text), size);
    return text;
}

void assert_contains(const char *text, const char *part) {
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is missing", part);
}

void assert_file_holds(const char *path, const char *text) {
    char *all = read_text(path);
    ck_assert_msg(strstr(all, text) != NULL, "%s lacks %s: %s", path, text, all);
    free(all);
}

void fill_image(EadImage *image, int width, int height, int channels, uint8_t value) {
    ck_assert_int_eq(ead_image_alloc(image, width, height, channels), EAD_OK);
    memset(image->pixels, value, image_bytes(image));
}

int files_in(const char *path) {
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return count;
}

void decode_with_flipped_bits(const char *path) {
    enum { HEAD = 256 };
    size_t size;
    EadImage image;
    uint8_t *bytes = read_bytes(path, &size);
    for (size_t bit = 0; bit < size * 8; bit += bit < 8 * HEAD ? 1 : 9) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EadStatus status = ead_image_decode(bytes, size, "flipped", &image);
        ck_assert((status == EAD_OK) == (image.pixels != NULL));
        ead_image_free(&image);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(bytes);
}

void write_noise_png(const char *path, int width, int height, int channels, uint32_t seed) {
    EadImage image;
    make_folders(path);
    ck_assert_int_eq(ead_image_alloc(&image, width, height, channels), EAD_OK);
    fill_noise(image.pixels, image_bytes(&image), seed);
    ck_assert_int_eq(ead_png_write(path, &image), EAD_OK);
    ead_image_free(&image);
}

void assert_tiff_equals(const char *path, const float *map, int width, int height) {
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

void assert_png(const char *path, int width, int height) {
    EadImage image;
    ASSERT_OK(ead_image_load(path, &image));
    ck_assert(image.width == width && image.height == height);
    ead_image_free(&image);
}

int shell(const char *command) {
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool exists(const char *path) {
    return access(path, F_OK) == 0;
}

bool same_files(const char *a, const char *b) {
    size_t a_size, b_size;
    uint8_t *a_bytes = read_bytes(a, &a_size), *b_bytes = read_bytes(b, &b_size);
    bool same = a_size == b_size && memcmp(a_bytes, b_bytes, a_size) == 0;
    free(a_bytes);
    free(b_bytes);
    return same;
}

void write_text(const char *path, const char *text) {
    write_bytes(path, text, strlen(text));
}

void shell_ok(const char *command) {
    ck_assert_msg(shell(command) == 0, "%s", command);
}

bool leave_memory(size_t bytes) {
    const rlim_t much = (rlim_t)1 << 40;
    struct rlimit limit = {.rlim_cur = much, .rlim_max = RLIM_INFINITY};
    if (ead_machine_address_space() != SIZE_MAX) return false;
    if (setrlimit(RLIMIT_AS, &limit) != 0) return false;
    limit.rlim_cur = much - ead_machine_address_space() + bytes;
    return setrlimit(RLIMIT_AS, &limit) == 0;
}

void pause_for(double seconds) {
    nanosleep(&(struct timespec){(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))}, NULL);
}
