/* Pages keep to 16 MB, whatever they hold: pictures end there, and so do rows; what is left out is counted. */
#include "test/report/page_data.h"
#include "train/report/report.h"

#include <sys/stat.h>

#define SCRATCH "build/scratch/full_pages/"

/* Pictures of noise: more than twice as large as what the side of the pictures is chosen for. */
static void add_noise(EadGallery *gallery, int side, const float *scores, int count) {
    EadImage noise;
    float *map = calloc((size_t)side * (size_t)side, sizeof *map);
    ck_assert_ptr_nonnull(map);
    fill_image(&noise, side, side, 3, 0);
    EadMap parts[EAD_GALLERY_PARTS] = {{"first", 64, 64, map}, {"second", 64, 64, map}};
    ck_assert_int_eq(gallery->side, side);
    for (int i = 0; i < count; i++) {
        fill_noise(noise.pixels, image_bytes(&noise), (uint32_t)i);
        EadGalleryImage image = {
            .path = "a.png", .defect = "good", .score = scores[i], .rgb = &noise, .map = map, .parts = parts};
        ASSERT_OK(ead_gallery_add(gallery, &image));
    }
    free(map);
    ead_image_free(&noise);
}

/* Writes the page; it has its pictures at the first of its rows, so many, as many as it has room for. */
static json_t *full_page(const char *path, const EadReport *report, size_t rows) {
    struct stat file;
    size_t pictured = 0;
    ASSERT_OK(ead_report_write(path, report));
    ck_assert_int_eq(stat(path, &file), 0);
    ck_assert(file.st_size <= EAD_PAGE_BYTES && file.st_size > EAD_GALLERY_BUDGET);
    json_t *data = data_of(path);
    const json_t *images = at(data, "gallery.images");
    ck_assert_uint_eq(json_array_size(images), rows);
    for (size_t i = 0; i < rows; i++) {
        const json_t *image = json_array_get(images, i);
        ck_assert(!json_object_get(image, "image") == !json_object_get(image, "map"));
        if (json_object_get(image, "map")) ck_assert_uint_eq(pictured++, i);
    }
    ck_assert(pictured > 2 && pictured < rows);
    ASSERT_VALUE(data, "gallery.budget", EAD_PAGE_BYTES);
    ck_assert(json_is_false(at(data, "gallery.outlined")));
    return data;
}

START_TEST(pictures_end_where_the_budget_does) {
    enum { IMAGES = 150 };
    static float scores[IMAGES];
    EadMetrics metrics = {.total = {.images = IMAGES}, .has_threshold = 1, .threshold = {.value = 0.5f}};
    EadGallery gallery = ead_gallery_for(IMAGES, 0.5, 2);
    for (int i = 0; i < IMAGES; i++) scores[i] = i < 2 ? 1 : 0.25f;
    add_noise(&gallery, 256, scores, IMAGES);
    EadReport report = {.metrics = &metrics, .gallery = &gallery};
    json_decref(full_page(SCRATCH "large.html", &report, IMAGES));
    ead_gallery_free(&gallery);
}
END_TEST

/* Of images without labels those with the highest scores; the others are counted. */
START_TEST(unlabelled_pages_keep_to_the_budget) {
    enum { IMAGES = 3000 };
    static float scores[IMAGES];
    EadGallery gallery = ead_gallery_for_unlabelled(IMAGES, 2);
    for (int i = 0; i < IMAGES; i++) scores[i] = (float)(i * 7 % IMAGES) / IMAGES;
    add_noise(&gallery, 128, scores, IMAGES);
    size_t rows = (size_t)gallery.count;
    EadUnlabelled unlabelled = {.threshold = 0.9, .heat = {0, 1, 0.9f}, .scores = scores, .count = IMAGES};
    EadReport report = {.unlabelled = &unlabelled, .gallery = &gallery};
    json_t *data = full_page(SCRATCH "unlabelled.html", &report, rows);
    for (size_t i = 0; i < rows; i++)
        ck_assert_double_eq_tol(
            json_number_value(json_object_get(json_array_get(at(data, "gallery.images"), i), "score")),
            (double)(IMAGES - 1 - i) / IMAGES, 1e-6);
    ck_assert(rows < IMAGES);
    ASSERT_VALUE(data, "gallery.dropped", (double)(IMAGES - rows));
    json_decref(data);
    ead_gallery_free(&gallery);
}
END_TEST

/* Rows without pictures end there, too: here each has a name of 4,000 bytes. */
START_TEST(rows_end_where_the_page_is_full) {
    enum { IMAGES = 6000, LENGTH = 4000 };
    static char name[LENGTH + 1];
    EadMetrics metrics = {.total = {.images = IMAGES}, .has_threshold = 1, .threshold = {.value = 0.5f}};
    EadGallery gallery = {.side = 8};
    EadImage rgb;
    const float map[64] = {0};
    fill_image(&rgb, 8, 8, 3, 90);
    memset(name, 'x', LENGTH);
    for (int i = 0; i < IMAGES; i++)
        ASSERT_OK(ead_gallery_add(
            &gallery, &(EadGalleryImage){.path = name, .defect = "good", .rgb = &rgb, .map = map}));
    EadReport report = {.metrics = &metrics, .gallery = &gallery};
    ASSERT_OK(ead_report_write(SCRATCH "full.html", &report));
    json_t *data = data_of(SCRATCH "full.html");
    size_t rows = json_array_size(at(data, "gallery.images"));
    struct stat file;
    ck_assert_int_eq(stat(SCRATCH "full.html", &file), 0);
    ck_assert(file.st_size <= EAD_PAGE_BYTES && file.st_size > EAD_PAGE_BYTES - 300000);
    ASSERT_VALUE(data, "gallery.dropped", (double)(IMAGES - rows));
    ck_assert(rows > IMAGES / 2 && rows < IMAGES);
    json_decref(data);
    ead_image_free(&rgb);
    ead_gallery_free(&gallery);
}
END_TEST

int main(void) {
    make_folders(SCRATCH);
    Suite *suite = suite_create("full_pages");
    TCase *tests = tcase_create("full_pages");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, pictures_end_where_the_budget_does);
    tcase_add_test(tests, unlabelled_pages_keep_to_the_budget);
    tcase_add_test(tests, rows_end_where_the_page_is_full);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
