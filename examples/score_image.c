/* Scores an image by the C library.
 *
 *     cc -o score_image score_image.c $(pkg-config --cflags --libs efficientad)
 *     ./score_image model.safetensors image.ppm
 *
 * Reads binary PPM (colour) and PGM (gray) of 8 bits, as ImageMagick's `convert image.png image.ppm` writes them. Prints
 * the score, whether it reaches the model's threshold, and where the map is highest. Exit code 0: good; 1: anomalous; 2:
 * an error. */
#include <efficientad.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* "P5" or "P6", width, height, 255, one white space, pixels. Returns the pixels, which the caller frees, or NULL. */
static unsigned char *read_image(const char *path, EadImageView *view) {
    FILE *file = fopen(path, "rb");
    unsigned char *pixels = NULL;
    char kind;
    int width, height;
    if (file && fscanf(file, "P%c %d %d 255", &kind, &width, &height) == 3 && (kind == '5' || kind == '6') &&
        width > 0 && width < 65536 && height > 0 && height < 65536 && fgetc(file) != EOF) {
        size_t row = (size_t)width * (kind == '6' ? 3 : 1), size = row * (size_t)height;
        pixels = malloc(size);
        if (pixels && fread(pixels, 1, size, file) != size) {
            free(pixels);
            pixels = NULL;
        }
        *view = (EadImageView){.size = sizeof *view,
                               .pixels = pixels,
                               .width = width,
                               .height = height,
                               .stride = (ptrdiff_t)row,
                               .format = kind == '6' ? EAD_PIXELS_RGB8 : EAD_PIXELS_GRAY8};
    }
    if (file) fclose(file);
    return pixels;
}

static int judge(EadDetector *detector, const EadImageView *view) {
    float score, threshold = ead_detector_threshold(detector);
    int count = view->width * view->height, highest = 0;
    float *map = malloc((size_t)count * sizeof *map);
    if (!map || ead_detector_run_images(detector, view, 1, NULL, &map, &score) != 0) {
        fprintf(stderr, "%s\n", map ? ead_error_message() : "no memory");
        free(map);
        return 2;
    }
    for (int i = 1; i < count; i++)
        if (map[i] > map[highest]) highest = i;
    printf("score %.6g, threshold %.6g, highest at %d,%d\n", (double)score, (double)threshold,
           highest % view->width, highest / view->width);
    free(map);
    return !isnan(threshold) && score >= threshold;
}

int main(int argc, char **argv) {
    EadDetectorOptions options = {.size = sizeof options, .threads = 2};
    EadDetector *detector;
    EadImageView view;
    if (argc != 3) {
        fprintf(stderr, "usage: score_image MODEL IMAGE.ppm\n");
        return 2;
    }
    unsigned char *pixels = read_image(argv[2], &view);
    if (!pixels) {
        fprintf(stderr, "%s: no binary PPM or PGM of 8 bits\n", argv[2]);
        return 2;
    }
    if (ead_detector_open_with(argv[1], &options, &detector) != 0) {
        fprintf(stderr, "%s\n", ead_error_message());
        free(pixels);
        return 2;
    }
    int code = judge(detector, &view);
    ead_detector_close(detector);
    free(pixels);
    return code;
}
