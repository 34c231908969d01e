/* EfficientAD inference as a C library (link with -lefficientad).
 *
 *     #include <efficientad.h>
 *
 *     EadDetector *detector;
 *     if (ead_detector_open("model.safetensors", &detector) != 0) {
 *         fprintf(stderr, "%s\n", ead_error_message());
 *         return 1;
 *     }
 *     float score, *map = malloc(width * height * sizeof *map);
 *     if (ead_detector_run(detector, rgb, width, height, 3 * width, map, &score) == 0)
 *         printf("%g\n", score);
 *     ead_detector_close(detector);
 *
 * ead_detector_open_with() opens it on a GPU: {.size = sizeof(EadDetectorOptions), .device = "cuda"}.
 * ead_detector_run_images() takes other pixel formats, and many images.
 *
 * A detector belongs to one thread at a time and refuses a second one; it need not be the thread that opened it.
 * Several detectors may work side by side, each with its own number of threads.
 * Nothing here prints, exits or needs a file besides the model. The host's locale and its modes of floating-point
 * numbers do not matter. A thread needs 128 KiB of stack. A child of fork() may use detectors too, its own or the
 * parent's on the CPU; where the parent had several threads, it works on one. On a GPU, fork() before a detector is
 * opened.
 *
 * Structs that begin with `size` grow in later versions: set it to sizeof of the struct and the members that you do not
 * set to zero, as a designated initializer does. A program then works with every later library of the same soname, below
 * 1.0 of the same minor version. */
#ifndef EFFICIENTAD_H
#define EFFICIENTAD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#define EAD_API __attribute__((visibility("default")))
#else
#define EAD_API
#endif

typedef struct EadDetector EadDetector;

/* ---- opening ---- */

/* Opens a model file made by `efficientad train`. Returns 0 and a detector for ead_detector_close(), or a
 * positive status with the reason in ead_error_message(); *out is NULL then. */
EAD_API int ead_detector_open(const char *path, EadDetector **out);
EAD_API void ead_detector_close(EadDetector *detector); /* NULL is harmless */

/* Where and how a detector works; NULL takes the default.
 *   size       sizeof(EadDetectorOptions)
 *   device     "cpu" (default), "cuda" or "cuda:N" for GPU number N from 0
 *   precision  in which convolutions multiply: "fp32" (default); on a GPU also "tf32", "bf16", "fp16"; on a
 *              CPU with AMX "bf16"; "auto": fp16 on a GPU, bf16 on a CPU with AMX, else fp32
 *   maps       which of the method's maps make the anomaly map, as predict's --select: of EfficientAD "both", "st"
 *              (student and teacher) or "ae" (autoencoder and student); default: as trained. The thresholds in the
 *              file are for the maps as trained; with others there are none
 *   max_pixels  most pixels of an image that is scored, not negative; 0: 268,435,456, as many as 16,384 x 16,384
 *               have
 *   threads    1..1024: the CPU threads that this detector works with, fewer where the system lets no more be
 *              started; 0: as many as OpenMP gives, at most one a core that the process may use
 *   batch      1..1024: images that go through the network at once in ead_detector_run_images(), which takes memory and,
 *              where fewer are left, time for as many; 0: 1. It pays on a GPU. The sums of a batch may be rounded
 *              otherwise than those of one image: scores agree to 6 digits, not to the bit */
typedef struct EadDetectorOptions {
    size_t size;
    const char *device, *precision, *maps;
    int64_t max_pixels;
    int threads, batch;
} EadDetectorOptions;

/* The same with options (NULL: the defaults). Fails, besides, where there is no such device, or the library
 * was built without CUDA; where the device lacks the precision or the memory; where the model lacks the maps; each with
 * the cure in ead_error_message(). */
EAD_API int ead_detector_open_with(const char *path, const EadDetectorOptions *options, EadDetector **out);

/* The same from the `size` bytes of a model file in memory, which may be freed afterwards. */
EAD_API int ead_detector_open_memory(const void *bytes, size_t size, const EadDetectorOptions *options,
                                     EadDetector **out);

/* ---- scoring ---- */

/* Scores one image.
 *   rgb     8-bit RGB pixels, row by row; `stride` bytes from one row to the next: 3 * width if contiguous,
 *           more with padding, negative if rgb is the top row and stored last
 *   width, height  1..65535 pixels, and in all at most max_pixels of the options; the image is resized as in
 *                  training. A model with a region of interest (metadata roi_box, roi_image) takes images that it fits; what
 *                  lies outside moves nothing, and the map has its least value there (regions of a call: EadRunOptions)
 *   map     NULL, or float[height][width]: the anomaly map at the image's size, row by row
 *   score   NULL, or where to put the image's score, which the threshold is for: with EfficientAD, FastFlow and S-T
 *           the maximum of that map; with PatchCore, its ensemble and SimpleNet that of the map's cells before they
 *           are smoothed, which the map's maximum is not (with patchcore.reweight a distance, not its square); where
 *           the model says so (metadata score_method), the mean of the score_cells largest values of the map at the
 *           model's size (top_mean), or the largest that as many of them reach (area)
 * A model with tiles (metadata tiles_size) looks at the image in squares of its size, in the image reduced by
 * tiles_scale; that takes time and, besides, memory by the image: 3 bytes, and some 5 for its maps, for each pixel of the reduced one.
 * EfficientAD's map has 0 at the 0.9 quantile of good validation images and 0.1 at their 0.995 quantile (by default);
 * PatchCore's holds squared distances, SimpleNet's negated outputs of its discriminator, FastFlow's negated mean
 * likelihoods, S-T's standard deviations from what good images give. There is no upper bound. Allocates nothing but what the resize of the image, or its tiles, need. Returns 0 or a
 * positive status; that, too, where the map is not finite, which damaged weights make. */
EAD_API int ead_detector_run(EadDetector *detector, const uint8_t *rgb, int width, int height,
                             ptrdiff_t stride, float *map, float *score);

/* How pixels lie in memory, named in the order of their bytes. A fourth channel is not looked at, as predict drops
 * alpha; gray is scored as the RGB image with three equal channels: by
 * EfficientAD without padding, trained on gray images alone (metadata image_channels), both on one channel, on the CPU. */
typedef enum EadPixelFormat {
    EAD_PIXELS_RGB8 = 0,
    EAD_PIXELS_BGR8 = 1, /* as OpenCV has them */
    EAD_PIXELS_RGBA8 = 2,
    EAD_PIXELS_BGRA8 = 3,
    EAD_PIXELS_GRAY8 = 4,
    EAD_PIXELS_GRAY16 = 5 /* numbers of 16 bits in the machine's order, at any address */
} EadPixelFormat;

/* An image of the caller's, only read, during the call.
 *   size    sizeof(EadImageView), the same in all views of a call
 *   pixels  the top row
 *   width, height, stride  as of ead_detector_run(); the stride always in bytes
 *   white   of gray16: the value that counts as white, 1..65535: 4095 for a camera of 12 bits in the lower bits, 65520
 *           for one in the upper; larger values are white, too. v becomes v * 256 / (white + 1) of 8 bits, rounded down:
 *           with 4095 the upper 8 of 12 bits, as predict --white 4095 and --bits 12 do it. 0: as in training (dataset.white, dataset.bits), an
 *           error where the model does not say. Of other formats: 0 */
typedef struct EadImageView {
    size_t size;
    const void *pixels;
    int width, height;
    ptrdiff_t stride;
    EadPixelFormat format;
    int white;
} EadImageView;

typedef enum EadMapSize {
    EAD_MAP_OF_IMAGE = 0, /* float[height][width] of the image */
    EAD_MAP_OF_MODEL =
        1 /* float[ead_detector_model_height()][ead_detector_model_width()] of the image, or of the box of its region of interest, not resized; the score is
                             the same. A model with tiles refuses it */
} EadMapSize;

/* What a call wants.
 *   size      sizeof(EadRunOptions)
 *   map_size  of the maps
 *   mask      NULL, or a region of interest of this call: a byte a pixel of the images, which all have the mask's size;
 *             nonzero is inspected. mask_stride: bytes from row to row, negative if mask is the top row and stored
 *             last; 0: mask_width
 *   box_...   another, or both: x and y of the upper left corner from 0, in pixels; box_width 0: none
 * A region of the call narrows the model's own: inspected is what is inside of both. What lies outside moves nothing, to the
 * bit: it gets one colour before the networks see it, and the map has its least value there. Nothing is cut out or
 * enlarged by it; for that, give a view of a part of the image. Networks that were trained without a region
 * have not seen the edge of that colour, and their maps may be higher along it: where the region is always the same, train
 * with roi.mask, else choose a threshold by such calls. A call takes memory for a mask of the image's size. A model with tiles
 * refuses regions of calls. */
typedef struct EadRunOptions {
    size_t size;
    EadMapSize map_size;
    const uint8_t *mask;
    ptrdiff_t mask_stride;
    int mask_width, mask_height;
    int box_x, box_y, box_width, box_height;
} EadRunOptions;

/* Scores `count` images, 1 or more, of any sizes and formats, `batch` of the options at a time.
 *   options  NULL: maps at the images' sizes, no region but the model's
 *   maps     NULL, or [count] addresses of maps, each of which may be NULL
 *   scores   NULL, or [count]
 * Numbers are those of ead_detector_run(), with a batch of more than 1 to 6 digits. All views are checked before the work. Errors: the same; messages name the
 * image by its number from 1 where there are several. */
EAD_API int ead_detector_run_images(EadDetector *detector, const EadImageView *images, int count,
                                    const EadRunOptions *options, float *const *maps, float *scores);

/* ---- what the model file says ---- */

/* Size at which the model looks at images, or of its tiles; 0 of NULL. */
EAD_API int ead_detector_model_width(const EadDetector *detector);
EAD_API int ead_detector_model_height(const EadDetector *detector);

/* The threshold kept in the model file: scores from it on are anomalous. NaN when none was set, where `maps` of the
 * options chose others than it is for, and of NULL. And the pixel threshold: pixels of the map from it on make the
 * regions of defects. */
EAD_API float ead_detector_threshold(const EadDetector *detector);
EAD_API float ead_detector_pixel_threshold(const EadDetector *detector);

/* What the threshold was chosen from and what follows for the rate of false alarms, one line for people: "0.0123: 0 of
 * 21 validation images reach it; false-alarm rate 0 to 16.1 % (95 % confidence)". NULL where there is no threshold, or
 * the file does not say. The text, like all below, belongs to the detector. */
EAD_API const char *ead_detector_threshold_rule(const EadDetector *detector);

/* "efficientad", "patchcore", ...; and which of its maps the detector uses, "both", "st" or "ae", "" of methods with one
 * map. NULL of NULL. */
EAD_API const char *ead_detector_method(const EadDetector *detector);
EAD_API const char *ead_detector_maps(const EadDetector *detector);

/* The metadata of the model file, texts in UTF-8 by key: "config" (YAML, all that it was trained with), "version",
 * "steps", "seed", "train_images", "threshold_rule", "image_size", ... NULL for a key that is not there. The keys are
 * numbered from 0. */
EAD_API const char *ead_detector_metadata(const EadDetector *detector, const char *key);
EAD_API int ead_detector_metadata_count(const EadDetector *detector);
EAD_API const char *ead_detector_metadata_key(const EadDetector *detector, int index);

/* Why the last call of this thread failed: one line. */
EAD_API const char *ead_error_message(void);

#ifdef __cplusplus
}
#endif

#endif
