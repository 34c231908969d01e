/* The queue behind a camera, with a camera that does what the test says: what is missed is counted where it was missed. */
#include "core/base/memory.h"
#include "core/system/clock.h"
#include "core/system/clock.h"
#include "test/support/scratch.h"
#include "train/camera/camera_feed.h"
#include "train/camera/camera_pixels.h"
#include "train/journal/watch_result.h"

#include <math.h>
#include <pthread.h>

#define SAID "build/scratch/test_camera_feed/said"

enum { MOST_SCRIPT = 64 };

/* What the camera does next. */
typedef struct Act {
    uint64_t number;     /* of the image */
    EadMissReason fault; /* EAD_MISS_COUNT: it is whole */
    bool lost;           /* the camera is; of the rest nothing counts */
} Act;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Act script[MOST_SCRIPT];
static int acts, done, opened, asked, refusals;
static EadCameraFeed *feed;

struct EadCameraDevice {
    int unused;
};
static EadCameraDevice the_camera;

/* ---- in place of Aravis ---- */

const char *ead_camera_library(void) {
    return "a script";
}

EadStatus ead_camera_device_open(const EadCameraOptions *options, EadCameraDevice **out) {
    *out = NULL;
    if (strcmp(options->name, "any") != 0 && strcmp(options->name, "Script-1") != 0)
        return ead_fail(EAD_IO, "no camera %s", options->name);
    pthread_mutex_lock(&mutex);
    bool refused = opened > 0 && refusals-- > 0;
    opened += !refused;
    pthread_mutex_unlock(&mutex);
    if (refused) return ead_fail(EAD_IO, "not yet");
    *out = &the_camera;
    return EAD_OK;
}

const char *ead_camera_device_name(const EadCameraDevice *device) {
    (void)device;
    return "Script-1";
}

EadStatus ead_camera_device_next(EadCameraDevice *device, double seconds, EadCameraFrame *frame,
                                 bool *found) {
    (void)device, (void)seconds;
    pthread_mutex_lock(&mutex);
    *found = done < acts;
    Act act = *found ? script[done++] : (Act){0};
    pthread_mutex_unlock(&mutex);
    *frame = (EadCameraFrame){.number = act.number};
    if (!*found) pause_for(0.001);
    if (act.lost) return ead_fail(EAD_IO, "unplugged");
    if (!*found) return EAD_OK;
    if (act.fault < EAD_MISS_COUNT)
        frame->missed[act.fault] = 1;
    else
        frame->pixels = ead_new(1, 1, "a pixel");
    return EAD_OK;
}

EadStatus ead_camera_device_trigger(EadCameraDevice *device) {
    (void)device;
    pthread_mutex_lock(&mutex);
    asked++;
    pthread_mutex_unlock(&mutex);
    return EAD_OK;
}

void ead_camera_device_close(EadCameraDevice *device) {
    (void)device;
}

/* ---- the scene ---- */

static void set_up(void) {
    acts = done = opened = asked = refusals = 0;
    make_folders("build/scratch/test_camera_feed/");
}

static void act(Act next) {
    pthread_mutex_lock(&mutex);
    script[acts++] = next;
    pthread_mutex_unlock(&mutex);
}

static void take_whole(uint64_t number) {
    act((Act){.number = number, .fault = EAD_MISS_COUNT});
}

static int read_number(const int *number) {
    pthread_mutex_lock(&mutex);
    int value = *number;
    pthread_mutex_unlock(&mutex);
    return value;
}

static void await_number(const int *number, int wanted) {
    for (int i = 0; i < 30000 && read_number(number) < wanted; i++) pause_for(0.001);
    ck_assert_int_eq(read_number(number), wanted);
    pause_for(0.02); /* until the feed has it */
}

static void open_feed(int most, int triggers) {
    ASSERT_OK(ead_camera_feed_open(&(EadCameraOptions){.name = "any"}, most, triggers, &feed));
}

static void expect_image(uint64_t number) {
    EadCameraFrame frame;
    bool found;
    ead_camera_feed_next(feed, &frame, &found);
    ck_assert(found && frame.pixels != NULL);
    ck_assert_uint_eq(frame.number, number);
    ck_assert_int_eq(ead_missed_total(frame.missed), 0);
    free(frame.pixels);
}

/* The text has what was missed. */
static void expect_missed(const char *text) {
    char described[EAD_MISSED_TEXT];
    EadCameraFrame frame;
    bool found;
    ead_camera_feed_next(feed, &frame, &found);
    ck_assert(found && frame.pixels == NULL);
    ead_missed_describe(frame.missed, described);
    ck_assert_str_eq(described, text);
}

static void expect_end(void) {
    EadCameraFrame frame;
    bool found;
    ead_camera_feed_stop(feed, 0);
    ead_camera_feed_next(feed, &frame, &found);
    ck_assert(!found);
    ead_camera_feed_close(feed);
}

START_TEST(what_comes_while_the_queue_is_full_is_counted) {
    open_feed(3, -1);
    ck_assert_str_eq(ead_camera_feed_name(feed), "Script-1");
    for (uint64_t i = 1; i <= 8; i++) take_whole(i);
    await_number(&done, 8);
    for (uint64_t i = 1; i <= 3; i++) expect_image(i);
    expect_missed("5 images not inspected: 5 faster than they are scored");
    take_whole(9);
    expect_image(9);
    expect_end();
}
END_TEST

START_TEST(images_that_wait_are_given_after_the_end) {
    open_feed(3, -1);
    take_whole(1), take_whole(2), take_whole(3);
    await_number(&done, 3);
    ead_camera_feed_stop(feed, ead_clock_seconds() + 3600);
    expect_image(1), expect_image(2);
    ead_camera_feed_stop(feed, 0); /* the time is over */
    expect_missed("1 image not inspected: 1 that waited at the end");
    expect_end();
}
END_TEST

START_TEST(incomplete_images_are_told_between_whole_ones) {
    open_feed(9, -1);
    take_whole(1);
    act((Act){.number = 2, .fault = EAD_MISS_TIMEOUT});
    act((Act){.number = 1, .fault = EAD_MISS_PACKETS}); /* whose number was in the packet that lacks */
    take_whole(4);
    act((Act){.number = 5, .fault = EAD_MISS_ABORTED});
    take_whole(9);
    await_number(&done, 6);
    expect_image(1);
    expect_missed("2 images not inspected: 1 of which packets came too late, 1 of which packets are missing");
    expect_image(4);
    expect_missed("4 images not inspected: 1 cut off, 3 of which nothing came");
    expect_image(9);
    expect_end();
}
END_TEST

/* Of 16 bits begin anew behind 65,535; a counter that jumps counts nothing. */
START_TEST(numbers_that_begin_anew_are_no_loss) {
    open_feed(9, -1);
    take_whole(65534), take_whole(65535), take_whole(1), take_whole(3), take_whole(4000000000),
        take_whole(4000000001);
    await_number(&done, 6);
    expect_image(65534), expect_image(65535), expect_image(1);
    expect_missed("1 image not inspected: 1 of which nothing came");
    expect_image(3), expect_image(4000000000), expect_image(4000000001);
    expect_end();
}
END_TEST

START_TEST(a_camera_that_is_lost_is_said_once_and_opened_again) {
    fflush(stderr);
    int stream = dup(STDERR_FILENO);
    ck_assert_ptr_nonnull(freopen(SAID, "w", stderr));
    open_feed(9, -1);
    refusals = 2;
    take_whole(7);
    act((Act){.lost = true});
    take_whole(90); /* not a loss of 82: it counts anew */
    await_number(&opened, 2);
    expect_image(7), expect_image(90);
    expect_end();
    fflush(stderr);
    dup2(stream, STDERR_FILENO);
    close(stream);
    char *said = read_text(SAID);
    ck_assert_str_eq(said,
                     "efficientad: camera Script-1: unplugged; tried again\ncamera Script-1: works again\n");
    free(said);
}
END_TEST

START_TEST(lines_ask_for_images) {
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    open_feed(9, ends[0]);
    ck_assert_int_eq(write(ends[1], "\nx\nnow\n", 7), 7);
    await_number(&asked, 3);
    refusals = 1 << 30; /* it stays away */
    act((Act){.lost = true});
    await_number(&done, 1);
    ck_assert_int_eq(write(ends[1], "\n\n", 2), 2);
    EadCameraFrame frame;
    bool found;
    int64_t missed = 0;
    while (missed < 2) {
        ead_camera_feed_next(feed, &frame, &found);
        ck_assert(found);
        missed += frame.missed[EAD_MISS_AWAY];
    }
    ck_assert_int_eq(missed, 2);
    close(ends[1]);
    expect_end();
    close(ends[0]);
    ck_assert_int_eq(asked, 3);
}
END_TEST

/* ---- pixels ---- */

START_TEST(pixels_become_an_image) {
    static const uint16_t gray[] = {0, 16, 2047, 4095, 60000, 1}; /* with a column that is none */
    static const uint8_t blue[] = {1, 2, 3, 9, 4, 5, 6, 9};
    EadPixelRows rows = {.pixels = gray, .width = 2, .height = 2, .stride = 6};
    EadImage image;
    ck_assert(ead_camera_pixels(0x01100005, &rows)); /* Mono12 */
    ASSERT_OK(ead_image_of_rows(&rows, &image));
    static const uint8_t levels[] = {0, 1, 255, 255};
    ck_assert_int_eq(image.channels, 1);
    ck_assert_mem_eq(image.pixels, levels, 4);
    ead_image_free(&image);
    rows = (EadPixelRows){.pixels = blue, .width = 2, .height = 1, .stride = 8};
    ck_assert(ead_camera_pixels(0x02200017, &rows)); /* BGRa8 */
    ASSERT_OK(ead_image_of_rows(&rows, &image));
    static const uint8_t colors[] = {3, 2, 1, 6, 5, 4};
    ck_assert_int_eq(image.channels, 3);
    ck_assert_mem_eq(image.pixels, colors, 6);
    ead_image_free(&image);
    ck_assert(!ead_camera_pixels(0x01080009, &rows)); /* BayerRG8 */
    ck_assert_str_eq(ead_camera_pixel_name(0), "Mono8");
}
END_TEST

START_TEST(lines_tell_frames_and_what_was_missed) {
    char *line;
    size_t size;
    EadCameraFrame frame = {.number = 17, .clock = 123456789};
    EadWatchResult result = {
        .sequence = 1,
        .source = "Script-1",
        .prediction = {.path = "Script-1/a.png", .error = "why", .score = NAN, .threshold = NAN},
        .frame = &frame};
    for (int whole = 0; whole < 2; whole++) {
        uint8_t pixel;
        frame.pixels = whole ? &pixel : NULL;
        frame.missed[EAD_MISS_QUEUE] = whole ? 0 : 4;
        FILE *stream = open_memstream(&line, &size);
        ead_watch_result_write(stream, &result);
        fclose(stream);
        assert_contains(line, whole ? "\"frame\":17,\"camera_time\":123456789,"
                                    : "\"not_inspected\":{\"queue_full\":4},");
        ck_assert((strstr(line, "\"frame\"") != NULL) == whole);
        free(line);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("camera feed");
    TCase *tests = tcase_create("camera feed");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, what_comes_while_the_queue_is_full_is_counted);
    tcase_add_test(tests, images_that_wait_are_given_after_the_end);
    tcase_add_test(tests, incomplete_images_are_told_between_whole_ones);
    tcase_add_test(tests, numbers_that_begin_anew_are_no_loss);
    tcase_add_test(tests, a_camera_that_is_lost_is_said_once_and_opened_again);
    tcase_add_test(tests, lines_ask_for_images);
    tcase_add_test(tests, pixels_become_an_image);
    tcase_add_test(tests, lines_tell_frames_and_what_was_missed);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
