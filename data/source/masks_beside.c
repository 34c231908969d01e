/* By name first, since few names end like a mask's; then by what the picture looks like. */
#include "data/source/masks_beside.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "data/codec/codec.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t ead_mask_stem(const char *name, size_t length) {
    static const char *const words[] = {"mask", "masks",        "label",       "labels",       "gt",
                                        "seg",  "segmentation", "groundtruth", "ground_truth", "annotation"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t word = strlen(words[i]);
        if (length < word + 2 || strncasecmp(name + length - word, words[i], word) != 0) continue;
        if (strchr("_-. ", name[length - word - 1])) return length - word - 1;
    }
    return 0;
}

/* Whether the sorted paths from `first` on hold one that is `length` bytes of text and at most an extension,
 * which is one of `extensions` (NULL: any). */
static bool has_image(const EadStringList *paths, int first, const char *text, size_t length,
                      const char *extensions) {
    int low = ead_strings_first_from(paths, first, text, length);
    for (; low < paths->count && strncmp(paths->items[low], text, length) == 0; low++) {
        const char *rest = paths->items[low] + length;
        bool whole = *rest == '\0' || (*rest == '.' && !strpbrk(rest + 1, "./"));
        if (whole && (!extensions || ead_path_has_extension(rest, extensions))) return true;
    }
    return false;
}

/* At most 16 colours, or 95 % of all pixels are gray and close to black or white. */
static bool looks_like_mask(const EadImage *image) {
    enum { COLOURS = 16, CLOSE = 20 };
    uint32_t colours[COLOURS];
    int64_t count = (int64_t)image->width * image->height, extreme = 0;
    int known = 0;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *p = image->pixels + 3 * i;
        uint32_t colour = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        int k = 0;
        extreme += p[0] == p[1] && p[1] == p[2] && (p[0] <= CLOSE || p[0] >= 255 - CLOSE);
        while (k < known && k < COLOURS && colours[k] != colour) k++;
        if (k == known && known < COLOURS) colours[k] = colour;
        if (k == known) known++;
    }
    return known <= COLOURS || extreme * 20 >= count * 19;
}

/* a_mask.png beside a.png, or a.png beside a.jpg. Error: EAD_NO_MEMORY. */
static EadStatus find_mask(const EadStringList *paths, int first, const char *path, bool *mask) {
    const char *base = ead_path_base(path);
    size_t folder = (size_t)(base - path), length = ead_path_stem(base), stem = ead_mask_stem(base, length);
    EadImage image;
    bool named = stem > 0 && has_image(paths, first, path, folder + stem, NULL);
    bool twin = !named && ead_path_has_extension(path, ".png, .bmp, .tif, .tiff") &&
                has_image(paths, first, path, folder + length, ".jpg, .jpeg");
    *mask = named;
    if (!named && !twin) return EAD_OK;
    EadStatus status = ead_image_load(path, &image);
    if (status != EAD_OK) return status == EAD_NO_MEMORY ? status : EAD_OK;
    *mask = looks_like_mask(&image);
    ead_image_free(&image);
    return EAD_OK;
}

EadStatus ead_take_out_masks(EadStringList *paths, int first, EadLeftOut *left_out) {
    int count = paths->count - first, kept = first;
    bool *masks = ead_new(count, sizeof *masks, "a list of masks");
    EadStatus status = masks ? EAD_OK : EAD_NO_MEMORY;
    for (int i = 0; i < count && status == EAD_OK; i++)
        status = find_mask(paths, first, paths->items[first + i], &masks[i]);
    for (int i = 0; i < count && status == EAD_OK; i++)
        if (masks[i]) status = ead_left_out_add(left_out, EAD_LEFT_OUT_MASK, paths->items[first + i]);
    for (int i = first; i < first + count && status == EAD_OK; i++) {
        char *path = paths->items[i];
        if (masks[i - first])
            free(path);
        else
            paths->items[kept++] = path;
    }
    if (status == EAD_OK) paths->count = kept;
    free(masks);
    return status;
}
