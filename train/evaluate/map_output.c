/* Names, folders and colour range of the map files. */
#include "train/evaluate/map_output.h"

#include "train/report/overlay.h"
#include "core/base/paths.h"
#include "data/codec/codec.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

EadStatus ead_map_output_start(EadMapOutput *output, float color_high, double threshold, const char *maps,
                               const char *overlays) {
    *output =
        (EadMapOutput){.maps = maps, .overlays = overlays, .color_high = color_high, .threshold = threshold};
    return maps || overlays ? ead_output_names_new(&output->names) : EAD_OK;
}

static void forget_paths(EadMapOutput *output) {
    free(output->map_path);
    free(output->overlay_path);
    output->map_path = output->overlay_path = NULL;
}

void ead_map_output_free(EadMapOutput *output) {
    forget_paths(output);
    ead_output_names_free(output->names);
    output->names = NULL;
}

static float range_high(const EadMapOutput *output, float score) {
    bool scaled = !isnan(output->color_high);
    float high = scaled ? output->color_high : score;
    if (scaled && output->threshold > 0) high = (float)(2 * output->threshold);
    return high > 0 && isfinite(high) ? high : 1;
}

static EadStatus make_path(const char *folder, const char *name, const char *extension, char **path) {
    EadPath file, parent;
    if (snprintf(file, sizeof file, "%s%s", name, extension) >= (int)sizeof file)
        return ead_fail(EAD_BAD_ARGUMENT, "%s/%.80s...: the path is too long", folder, name);
    *path = ead_path_join(folder, file);
    if (!*path) return EAD_NO_MEMORY;
    EAD_TRY(ead_path_folder(parent, *path));
    return ead_make_directories(parent);
}

static bool same_file(const char *a, const char *b) {
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* A picture beside its image would replace it or another one, or be taken for an image the next time. what:
 * "overlay" or "map". */
static EadStatus check_apart(const char *what, const char *written, const char *image) {
    EadPath target, source;
    EAD_TRY(ead_path_folder(target, written));
    EAD_TRY(ead_path_folder(source, image));
    if (!same_file(*target ? target : ".", *source ? source : ".") && !same_file(written, image))
        return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "%s: its %s would lie among the images, in %s; write %ss into a folder of their own",
                    image, what, *target ? target : ".", what);
}

EadStatus ead_map_output_write(EadMapOutput *output, const char *folder, const char *path,
                               const EadImage *rgb, const float *map, float score, const EadImage *mask) {
    const char *name;
    forget_paths(output);
    if (!output->names) return EAD_OK;
    EAD_TRY(ead_output_names_take(output->names, folder, path, &name));
    if (output->maps) {
        EAD_TRY(make_path(output->maps, name, ".tiff", &output->map_path));
        EAD_TRY(check_apart("map", output->map_path, path));
        EAD_TRY(ead_tiff_write_map(output->map_path, map, rgb->width, rgb->height));
    }
    if (output->overlays) {
        EAD_TRY(make_path(output->overlays, name, ".png", &output->overlay_path));
        EAD_TRY(check_apart("overlay", output->overlay_path, path));
        EAD_TRY(ead_overlay_write_png(output->overlay_path, rgb, map, 0, range_high(output, score), mask));
    }
    return EAD_OK;
}
