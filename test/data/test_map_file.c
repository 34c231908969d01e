/* Anomaly maps as numpy, tifffile and Pillow write them, and files that are none. */
#include "data/codec/map_file.h"

#include "test/support/scratch.h"

#include <math.h>

#define NUMBERS "test/golden/measure/numbers/"
#define SCRATCH "build/scratch/map_file/"

enum { WIDTH = 5, HEIGHT = 4 };

/* Levels are small, signed whole numbers begin below zero, and the last one is the largest of its type. */
static double value_of(const char *path, int x, int y) {
    static const struct {
        const char *type;
        double first, last;
    } types[] = {{"u1", 0, 255},         {"i1", -3, 127},       {"i2", -3, 32767}, {"u2", 0, 65535},
                 {"i4", -3, 2147483647}, {"u4", 0, 4294967295}, {".png", 0, 25}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strstr(path, types[i].type))
            return x == WIDTH - 1 && y == HEIGHT - 1 ? types[i].last : types[i].first + 7 * y + x;
    return 7 * y + x - 2.5;
}

START_TEST(reads_what_other_programs_write) {
    static const char *const names[] = {
        "little_f2.npy", "little_f4.npy", "little_f8.npy",    "big_f2.npy",        "big_f4.npy",
        "big_f8.npy",    "fortran.npy",   "leading_axis.npy", "trailing_axis.npy", "version2.npy",
        "f2.tif",        "f4.tif",        "f8.tif",           "big_endian.tif",    "tiled.tif",
        "gray8.png",     "gray16.png",    "u1.npy",           "little_i2.npy",     "big_i2.npy",
        "little_u2.npy", "big_u2.npy",    "little_i4.npy",    "big_i4.npy",        "i1.npy",
        "little_u4.npy", "big_u4.npy",    "u2.tif",           "big_endian_u2.tif", "tiled_u2.tif"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        EadMapFile map;
        snprintf(path, sizeof path, NUMBERS "%s", names[i]);
        ASSERT_OK(ead_map_file_load(path, &map));
        ck_assert_int_eq(map.width, WIDTH);
        ck_assert_int_eq(map.height, HEIGHT);
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                double value = value_of(path, x, y);
                ck_assert_msg(map.values[y * WIDTH + x] == value, "%s: %g at (%d, %d) is not %g", path,
                              map.values[y * WIDTH + x], x, y, value);
            }
        ead_map_file_free(&map);
    }
}
END_TEST

/* An array of `count` numbers of 4 bytes behind this header. */
static EadStatus decode_npy(const char *header, int version, int count, EadMapFile *map) {
    uint8_t bytes[1024] = "\x93NUMPY";
    size_t length = strlen(header), start = version == 1 ? 10 : 12;
    float number = 1.5f;
    bytes[6] = (uint8_t)version;
    bytes[8] = (uint8_t)length;
    memcpy(bytes + start, header, length);
    for (int i = 0; i < count; i++) memcpy(bytes + start + length + 4 * (size_t)i, &number, sizeof number);
    return ead_map_file_decode(bytes, start + length + 4 * (size_t)count, "a.npy", map);
}

#define TYPE  "'descr': '<f4', "
#define ORDER "'fortran_order': False, "
#define SHAPE "'shape': (2, 3), "

START_TEST(parses_headers_strictly) {
    static const struct {
        const char *header;
        EadStatus status;
        const char *message;
    } cases[] = {
        {"{" TYPE ORDER SHAPE "}    \n", EAD_OK, ""},
        {"{" SHAPE TYPE "\"fortran_order\": True}\n", EAD_OK, ""},
        {"{" TYPE ORDER "'shape':(1,1,2,3,1)}", EAD_OK, ""},
        {"{" TYPE ORDER "}", EAD_BAD_FILE, "its header is not"},
        {"{" TYPE TYPE ORDER SHAPE "}", EAD_BAD_FILE, "its header is not"},
        {"{" TYPE ORDER SHAPE "'more': 1}", EAD_BAD_FILE, "its header is not"},
        {"{" TYPE ORDER SHAPE "} x", EAD_BAD_FILE, "its header is not"},
        {"{" TYPE ORDER SHAPE, EAD_BAD_FILE, "its header is not"},
        {"{" TYPE ORDER "'shape': (2, -3)}", EAD_BAD_FILE, "its header is not"},
        {"{" TYPE ORDER "'shape': (2 3)}", EAD_BAD_FILE, "its header is not"},
        {"{" TYPE ORDER "'shape': (2, 3.0)}", EAD_BAD_FILE, "its header is not"},
        {"{" TYPE ORDER "'shape': [2, 3]}", EAD_BAD_FILE, "its header is not"},
        {"{" TYPE ORDER "'shape': (2, 99999999999999999999999)}", EAD_BAD_FILE, "its header is not"},
        {"{" TYPE "'fortran_order': 0, " SHAPE "}", EAD_BAD_FILE, "its header is not"},
        {"{" TYPE "'fortran_order': __import__('os').system('true'), " SHAPE "}", EAD_BAD_FILE,
         "its header is not"},
        {"{'descr': [('a', '<f4')], " ORDER SHAPE "}", EAD_BAD_FILE, "its header is not"},
        {"{'descr': '<f4, " ORDER SHAPE "}", EAD_BAD_FILE, "its header is not"},
        {"", EAD_BAD_FILE, "its header is not"},
        {"{'descr': '|O', " ORDER SHAPE "}", EAD_UNSUPPORTED, "type '|O' is no anomaly map"},
        {"{'descr': '<i4', " ORDER SHAPE "}", EAD_OK, ""},
        {"{'descr': '>u4', " ORDER SHAPE "}", EAD_OK, ""},
        {"{'descr': '<u2', " ORDER "'shape': (5, 3)}", EAD_BAD_FILE, "3 x 5 numbers of 16 bits are not"},
        {"{'descr': '|i4', " ORDER SHAPE "}", EAD_UNSUPPORTED, "type '|i4' is no anomaly map"},
        {"{'descr': '<i8', " ORDER "'shape': (1, 3)}", EAD_UNSUPPORTED, "type '<i8' is no anomaly map"},
        {"{'descr': '<u0', " ORDER SHAPE "}", EAD_UNSUPPORTED, "type '<u0' is no anomaly map"},
        {"{'descr': '<b1', " ORDER SHAPE "}", EAD_UNSUPPORTED, "type '<b1' is no anomaly map"},
        {"{'descr': '', " ORDER SHAPE "}", EAD_UNSUPPORTED, "type '' is no anomaly map"},
        {"{" TYPE ORDER "'shape': (6,)}", EAD_UNSUPPORTED, "1 axes is not one anomaly map"},
        {"{" TYPE ORDER "'shape': ()}", EAD_UNSUPPORTED, "0 axes"},
        {"{" TYPE ORDER "'shape': (2, 3, 2)}", EAD_UNSUPPORTED, "3 axes"},
        {"{" TYPE ORDER "'shape': (2, 2)}", EAD_BAD_FILE, "2 x 2 numbers of 32 bits are not the 24 bytes"},
        {"{" TYPE ORDER "'shape': (2, 4)}", EAD_BAD_FILE, "4 x 2 numbers of 32 bits are not the 24 bytes"},
        {"{" TYPE ORDER "'shape': (0, 3)}", EAD_BAD_FILE, "are not the 24 bytes"},
        {"{" TYPE ORDER "'shape': (9999999999, 9999999999)}", EAD_BAD_FILE, "each side must be 1 to 65535"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int version = 1; version <= 3; version++) {
            EadMapFile map;
            EadStatus status = decode_npy(cases[i].header, version, 6, &map);
            const char *message = status == EAD_OK ? "" : ead_error_message();
            ck_assert_msg(status == cases[i].status && strstr(message, cases[i].message), "%s: %s",
                          cases[i].header, message);
            ck_assert(status == EAD_OK ? map.width == 3 && map.height == 2 : !map.values);
            ead_map_file_free(&map);
        }
}
END_TEST

START_TEST(refuses_what_is_no_map) {
    EadMapFile map;
    const char *whole = "{" TYPE ORDER SHAPE "}";
    ASSERT_FAILS(decode_npy(whole, 4, 6, &map), EAD_BAD_FILE,
                 "a.npy: damaged NPY: it is of no known version");
    ASSERT_FAILS(ead_map_file_decode("\x93NUMPY\1\0\xFF\xFF{", 11, "a.npy", &map), EAD_BAD_FILE,
                 "it ends in its header");
    ASSERT_FAILS(ead_map_file_decode("\x93NUMPY", 6, "a.npy", &map), EAD_BAD_FILE, "ends in its header");
    ASSERT_FAILS(ead_map_file_decode("PK\3\4", 4, "a.npz", &map), EAD_BAD_FILE,
                 "a.npz: not an anomaly map: neither TIFF nor NPY nor PNG");
    ASSERT_FAILS(ead_map_file_decode("", 0, "a.npy", &map), EAD_BAD_FILE, "a.npy: the file is empty");
    ASSERT_FAILS(ead_map_file_load(NUMBERS "none.npy", &map), EAD_IO, "none.npy");
    ASSERT_FAILS(ead_map_file_load(NUMBERS, &map), EAD_IO, NUMBERS);
    ASSERT_FAILS(ead_map_file_load("test/golden/codec/rgb8.png", &map), EAD_UNSUPPORTED,
                 "not gray of 8 or 16 bits");
    ASSERT_FAILS(ead_map_file_load("test/golden/codec/gray4.png", &map), EAD_UNSUPPORTED,
                 "not gray of 8 or 16 bits");
    ASSERT_FAILS(ead_map_file_load("test/golden/codec/gray8.tif", &map), EAD_UNSUPPORTED,
                 "1 channels with 8 bits on 1 pages is no anomaly map");
    ASSERT_FAILS(ead_map_file_load("test/golden/codec/rgb16.tif", &map), EAD_UNSUPPORTED,
                 "3 channels with 16 bits on 1 pages is no anomaly map");
    ASSERT_FAILS(ead_map_file_load(NUMBERS "white_is_zero.tif", &map), EAD_UNSUPPORTED,
                 "or of unsigned 16 bits with 0 as black");
    ASSERT_FAILS(ead_map_file_load(NUMBERS "i2.tif", &map), EAD_UNSUPPORTED, "with 16 bits on 1 pages");
    ASSERT_FAILS(ead_map_file_load("test/golden/reading/float_rgb.tif", &map), EAD_UNSUPPORTED,
                 "3 channels with 32 bits (floating point)");
}
END_TEST

START_TEST(counts_and_places_values_that_are_not_finite) {
    float values[6] = {0, 1, INFINITY, 3, NAN, 5};
    EadMapFile map;
    make_folders(SCRATCH);
    ASSERT_OK(ead_tiff_write_map(SCRATCH "a.tiff", values, 3, 2));
    ASSERT_FAILS(ead_map_file_load(SCRATCH "a.tiff", &map), EAD_BAD_FILE,
                 "a.tiff: 2 of 6 values are not finite 32-bit numbers, the first is inf at pixel (2, 0)");
    ck_assert_ptr_null(map.values);
}
END_TEST

START_TEST(truncated_files_are_errors) {
    static const char *const names[] = {"little_f4.npy", "big_i4.npy", "u1.npy",    "f4.tif",
                                        "tiled.tif",     "u2.tif",     "gray16.png"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        size_t size;
        EadMapFile map;
        snprintf(path, sizeof path, NUMBERS "%s", names[i]);
        uint8_t *bytes = read_bytes(path, &size);
        for (size_t kept = 0; kept < size; kept++) {
            if (ead_map_file_decode(bytes, kept, path, &map) ==
                EAD_OK) /* a TIFF's end may be no part of it */
                ck_assert_msg(strstr(path, ".tif") && kept > 100, "%s: %zu of %zu bytes", path, kept, size);
            ead_map_file_free(&map);
        }
        free(bytes);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("map_file");
    TCase *tests = tcase_create("map_file");
    tcase_add_test(tests, reads_what_other_programs_write);
    tcase_add_test(tests, parses_headers_strictly);
    tcase_add_test(tests, refuses_what_is_no_map);
    tcase_add_test(tests, counts_and_places_values_that_are_not_finite);
    tcase_add_test(tests, truncated_files_are_errors);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
