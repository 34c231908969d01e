/* Images drawn from a seed and a number, as varied as a few rules can make them: what stands in for
 * photographs in the pretraining penalty where there are none (penalty.path: drawn), without files and
 * without end. */
#pragma once

#include "data/drawn/draw_canvas.h"

/* X(name): dead leaves (opaque discs and polygons over each other, their sizes by a power law as in
 * photographs), fractal noise, textures (stripes, checks, gratings, cells), scenes (shapes over gradients and
 * clouds). */
#define EAD_DRAWN_KINDS(X) X(leaves) X(fractal) X(texture) X(scene)

#define EAD_DRAWN_ENUMERATOR(name) EAD_DRAWN_##name,
typedef enum EadDrawnKind { EAD_DRAWN_KINDS(EAD_DRAWN_ENUMERATOR) EAD_DRAWN_KIND_COUNT } EadDrawnKind;

/* The kind of an image, and the image itself: a pure function of its arguments, with the same bits on every
 * machine and thread. out [height][width][3]. Errors: EAD_NO_MEMORY. */
EadDrawnKind ead_drawn_kind(uint64_t seed, uint32_t number);
EadStatus ead_drawn_image(uint64_t seed, uint32_t number, int height, int width, uint8_t *out);

/* A scene with shapes of uneven outlines, as a file: image [height][width][3], new and owned by the caller.
 * Its numbers are apart from those of any generated part (train/synth/synth.h). Errors: EAD_NO_MEMORY. */
EadStatus ead_drawn_scene(uint64_t seed, uint32_t number, int height, int width, EadImage *image);

/* ---- what paints them (each in draw_<name>.c) ---- */

void ead_draw_leaves(EadCanvas *canvas, EadDrawRandom *random);
void ead_draw_fractal(EadCanvas *canvas, EadDrawRandom *random);
void ead_draw_texture(EadCanvas *canvas, EadDrawRandom *random);
void ead_draw_scene(EadCanvas *canvas, EadDrawRandom *random,
                    float roughness); /* of outlines, 0: discs .. 1 */
