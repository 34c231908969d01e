/* The part of an image that is inspected: a box, cut out before the resize, and a mask on what the resize gives. What lies
 * outside of the mask gets one colour before a network sees it, for networks look far: so a change there moves nothing. */
#pragma once

#include "core/base/real.h"
#include "core/image/image.h"

typedef struct EadRegion {
    int x, y, width, height;       /* the box, pixels of the image; width 0: all of it */
    int image_width, image_height; /* that images must have; 0: any size that holds the box */
    int mask_width, mask_height;   /* the size that images are brought to */
    uint8_t *mask; /* [mask_height][mask_width]: 1 inside, at least one; 0 outside; owned; NULL: no mask */
} EadRegion;

/* A part of an image of a caller's: the pixels that are in its box and where its mask is not 0. Zeroed: all of it. */
typedef struct EadRegionPart {
    int x, y, width, height; /* the box; width 0: none */
    const uint8_t *mask;     /* [mask_height] rows of mask_width, borrowed; NULL: none */
    int mask_width, mask_height;
    ptrdiff_t mask_stride; /* bytes from row to row */
} EadRegionPart;

/* The colour that is put outside of the mask: about the mean of photographs, which is near 0 in a network. */
extern const uint8_t ead_region_blank[3];

/* Leaves one that is the whole image; harmless on a zeroed one. */
void ead_region_free(EadRegion *region);

/* Errors: EAD_NO_MEMORY; *out is the whole image then. */
EadStatus ead_region_copy(const EadRegion *region, EadRegion *out);

/* Whether both are the same box and the same mask, or lack of one. */
bool ead_region_equals(const EadRegion *a, const EadRegion *b);

/* Whether nothing is left out. */
bool ead_region_is_whole(const EadRegion *region);

/* Sets the box from "x,y,width,height" in pixels, x and y of its upper left corner from 0; "" is the whole image. Errors:
 * EAD_BAD_ARGUMENT. */
EadStatus ead_region_set_box(EadRegion *region, const char *text);

/* Writes the box as text, "" for the whole image. */
enum { EAD_BOX_SIZE = 48 };
void ead_region_box_text(const EadRegion *region, char text[EAD_BOX_SIZE]);

/* Takes a mask of the whole image, 1 channel, nonzero inside, for images that are resized to width x height; the box must
 * be set before. A resized pixel is inside if all pixels that the resize makes it of are. Images must have the mask's size
 * from then on. Errors: EAD_BAD_ARGUMENT if the box is not in it, or nothing is inside; EAD_NO_MEMORY. */
EadStatus ead_region_set_mask(EadRegion *region, const EadImage *mask, int width, int height);

/* Whether images of that size can be inspected. Errors: EAD_BAD_SHAPE. */
EadStatus ead_region_check(const EadRegion *region, int width, int height);

/* Makes the mask one that leaves nothing out, unless there is a mask. Errors: EAD_NO_MEMORY. */
EadStatus ead_region_mask_all(EadRegion *region);

/* Whether something is outside of the mask. */
bool ead_region_masks(const EadRegion *region);

/* Whether it can be a part of an image of that size. Errors: EAD_BAD_ARGUMENT. */
EadStatus ead_region_check_part(const EadRegionPart *part, int width, int height);

/* What is inside of the region and of that part of an image of that size, which both are for, as a region with the same box
 * and a mask at the region's size. Errors: EAD_BAD_ARGUMENT if nothing is; EAD_NO_MEMORY; *out is the whole image then. */
EadStatus ead_region_narrow(const EadRegion *region, const EadRegionPart *part, int width, int height,
                            EadRegion *out);

/* As ead_resize_to_rgb(), of the box, and blank outside of the mask. Errors: also EAD_BAD_SHAPE of ead_region_check(). */
EadStatus ead_region_resize(const EadRegion *region, const EadPixelRows *in, uint8_t *out, int out_width,
                            int out_height);

/* Puts the blank outside of the mask of an image that was resized so, rgb [mask_height][mask_width][3]. */
void ead_region_blank_outside(const EadRegion *region, uint8_t *rgb);

/* Which pixels of an image of a size that can be inspected are: 1 in inside [height][width], the others 0. */
void ead_region_inside(const EadRegion *region, int width, int height, uint8_t *inside);

/* The same for the cells [height][width] of a network's output, as numbers; `border` more cells on each side would cover
 * all of its input. A cell that holds a pixel that is inside is. Returns how many there are. */
int ead_region_cells(const EadRegion *region, int height, int width, int border, real *cells);

/* Gives values [count] that are outside the least of those inside, so that they are no one's maximum; inside: NULL if all
 * are. */
void ead_fill_outside(const uint8_t *inside, int64_t count, float *values);

/* As ead_map_resize() for a map of the box, onto an image of out_width x out_height: out is the least value of map outside of
 * the box. */
float ead_region_map_resize(const EadRegion *region, const float *map, int height, int width, float *out,
                            int out_height, int out_width);
