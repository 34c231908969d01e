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
 * ead_detector_open_with() opens it on a GPU: {.device = "cuda", .precision = "fp16"}.
 *
 * A detector belongs to one thread at a time and refuses a second one; several detectors may work side by side.
 * Nothing here prints, exits or needs a file besides the model. The host's locale and its modes of floating-point
 * numbers do not matter. A thread needs 128 KiB of stack. A child of fork() may use detectors too, its own or the
 * parent's on the CPU; where the parent had several threads, it works on one. On a GPU, fork() before a detector is
 * opened. */
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

/* Opens a model file made by `efficientad train`. Returns 0 and a detector for ead_detector_close(), or a
 * positive status with the reason in ead_error_message(); *out is NULL then. */
EAD_API int ead_detector_open(const char *path, EadDetector **out);
EAD_API void ead_detector_close(EadDetector *detector); /* NULL is harmless */

/* Where and how a detector works; NULL takes the default.
 *   device     "cpu" (default), "cuda" or "cuda:N" for GPU number N from 0
 *   precision  in which convolutions multiply: "fp32" (default); on a GPU also "tf32", "bf16", "fp16"; on a
 *              CPU with AMX "bf16"; "auto": fp16 on a GPU, bf16 on a CPU with AMX, else fp32
 *   max_pixels  most pixels of an image that is scored, not negative; 0: 268,435,456, as many as 16,384 x 16,384
 *               have */
typedef struct EadDetectorOptions {
    const char *device, *precision;
    int64_t max_pixels;
} EadDetectorOptions;

/* The same with options (NULL: the defaults). Fails, besides, where there is no such device, or the library
 * was built without CUDA; where the device lacks the precision or the memory; each with the cure in
 * ead_error_message(). */
EAD_API int ead_detector_open_with(const char *path, const EadDetectorOptions *options, EadDetector **out);

/* Scores one image.
 *   rgb     8-bit RGB pixels, row by row; `stride` bytes from one row to the next: 3 * width if contiguous,
 *           more with padding, negative if rgb is the top row and stored last
 *   width, height  1..65535 pixels, and in all at most max_pixels of the options; the image is resized as in
 *                  training
 *   map     NULL, or float[height][width]: the anomaly map at the image's size, row by row
 *   score   NULL, or where to put the image's score, which the threshold is for: with EfficientAD and FastFlow the
 *           maximum of that map; with PatchCore, its ensemble and SimpleNet that of the map's cells before they
 *           are smoothed, which the map's maximum is not (with patchcore.reweight a distance, not its square)
 * EfficientAD's map has 0 at the 0.9 quantile of good validation images and 0.1 at their 0.995 quantile (by default);
 * PatchCore's holds squared distances, SimpleNet's negated outputs of its discriminator, FastFlow's negated mean
 * likelihoods. There is no upper bound. Allocates nothing but a buffer when the image size changes. Returns 0 or a
 * positive status; that, too, where the map is not finite, which damaged weights make. */
EAD_API int ead_detector_run(EadDetector *detector, const uint8_t *rgb, int width, int height,
                             ptrdiff_t stride, float *map, float *score);

/* Size at which the model looks at images; 0 of NULL. */
EAD_API int ead_detector_model_width(const EadDetector *detector);
EAD_API int ead_detector_model_height(const EadDetector *detector);

/* The threshold kept in the model file: scores from it on are anomalous. NaN when none was set, and of NULL. */
EAD_API float ead_detector_threshold(const EadDetector *detector);

/* Why the last call of this thread failed: one line. */
EAD_API const char *ead_error_message(void);

#ifdef __cplusplus
}
#endif

#endif
