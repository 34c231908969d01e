/* Dead leaves: shapes that hide each other, whose sizes follow the power law that makes such pictures look
 * alike at every scale, as photographs do. */
#include "data/drawn/drawn_image.h"

#include <math.h>

enum { MAX_CORNERS = 6, MAX_LEAVES = 4000, PALETTE = 5 };

static const float LAYERS = 3; /* times that the shapes' area covers the picture */

typedef struct Leaf {
    EadPoint centre;
    float radius;
    int corners;                  /* of a convex polygon; 0: a disc */
    EadPoint normal[MAX_CORNERS]; /* of its sides */
    float reach[MAX_CORNERS];     /* of the sides from the centre */
    EadColor color;
    EadPoint slope; /* of brightness, a unit */
    float relief, scale;
    uint32_t seed;
} Leaf;

/* What the leaves of a picture have in common. */
typedef struct Leaves {
    float smallest, largest; /* radii */
    int shapes;              /* 0: discs, 1: polygons, 2: both */
    int colors;              /* of the palette; 0: each its own */
    EadColor palette[PALETTE];
    float slope, relief;
} Leaves;

static float distance_leaf(const void *shape, EadPoint p) {
    const Leaf *leaf = shape;
    float distance = -1e9f;
    if (leaf->corners == 0) return ead_distance_circle(p, leaf->centre, leaf->radius);
    for (int i = 0; i < leaf->corners; i++) {
        float side = leaf->normal[i].x * (p.x - leaf->centre.x) + leaf->normal[i].y * (p.y - leaf->centre.y) -
                     leaf->reach[i];
        distance = fmaxf(distance, side);
    }
    return distance;
}

static EadColor shade_leaf(const void *shape, EadPoint p, float distance) {
    const Leaf *leaf = shape;
    (void)distance;
    float light = 1 + leaf->slope.x * (p.x - leaf->centre.x) + leaf->slope.y * (p.y - leaf->centre.y);
    if (leaf->relief > 0) {
        float x = (p.x + 9) * leaf->scale, y = (p.y + 9) * leaf->scale;
        light += leaf->relief * (ead_draw_octaves(leaf->seed, x, y, 3, 0.6f) - 0.5f);
    }
    return (EadColor){leaf->color.r * light, leaf->color.g * light, leaf->color.b * light, 1};
}

/* Density of radii as 1 / radius^3, between the smallest and the largest. */
static float choose_radius(const Leaves *leaves, EadDrawRandom *random) {
    float low = 1 / (leaves->largest * leaves->largest), high = 1 / (leaves->smallest * leaves->smallest);
    return 1 / sqrtf(ead_draw_between(random, low, high));
}

static void choose_sides(Leaf *leaf, EadDrawRandom *random) {
    float turn = ead_draw_between(random, 0, 6.2831853f), step = 6.2831853f / (float)leaf->corners;
    for (int i = 0; i < leaf->corners; i++) {
        leaf->normal[i] =
            ead_draw_direction(turn + step * ((float)i + ead_draw_between(random, -0.15f, 0.15f)));
        leaf->reach[i] = leaf->radius * ead_draw_between(random, 0.5f, 1);
    }
}

static Leaf choose_leaf(const Leaves *leaves, EadDrawRandom *random, EadPoint half) {
    Leaf leaf = {.radius = choose_radius(leaves, random)};
    leaf.centre.x = ead_draw_between(random, -half.x - 0.3f, half.x + 0.3f);
    leaf.centre.y = ead_draw_between(random, -half.y - 0.3f, half.y + 0.3f);
    bool polygon = leaves->shapes == 2 ? ead_draw_below(random, 2) == 1 : leaves->shapes == 1;
    leaf.corners = polygon ? 3 + ead_draw_below(random, MAX_CORNERS - 2) : 0;
    if (polygon) choose_sides(&leaf, random);
    leaf.color =
        leaves->colors ? leaves->palette[ead_draw_below(random, leaves->colors)] : ead_draw_color(random);
    float slope = leaves->slope / leaf.radius;
    leaf.slope.x = ead_draw_between(random, -slope, slope);
    leaf.slope.y = ead_draw_between(random, -slope, slope);
    leaf.relief = ead_draw_below(random, 2) ? leaves->relief : 0;
    leaf.scale = ead_draw_exp(ead_draw_between(random, 1, 4));
    leaf.seed = ead_draw_bits(random);
    return leaf;
}

void ead_draw_leaves(EadCanvas *canvas, EadDrawRandom *random) {
    EadPoint half = {(float)canvas->width / canvas->unit / 2, (float)canvas->height / canvas->unit / 2};
    Leaves leaves = {.smallest = ead_draw_exp(ead_draw_between(random, -4, -2.5f))};
    leaves.largest = ead_draw_exp(ead_draw_between(random, -1.2f, 0));
    leaves.shapes = ead_draw_below(random, 3);
    leaves.colors = ead_draw_below(random, 2) ? 2 + ead_draw_below(random, PALETTE - 1) : 0;
    for (int i = 0; i < PALETTE; i++) leaves.palette[i] = ead_draw_color(random);
    leaves.slope = ead_draw_between(random, 0, 0.4f);
    leaves.relief = ead_draw_between(random, 0, 1);
    ead_canvas_paint(canvas, &(EadBrush){.color = leaves.palette[0]});
    float left = LAYERS * 4 * (half.x + 0.3f) * (half.y + 0.3f); /* of the area to be painted */
    for (int i = 0; i < MAX_LEAVES && left > 0; i++) {
        Leaf leaf = choose_leaf(&leaves, random, half);
        ead_canvas_paint(canvas, &(EadBrush){.distance = distance_leaf,
                                             .shade = shade_leaf,
                                             .shape = &leaf,
                                             .centre = leaf.centre,
                                             .reach = 2.2f * leaf.radius});
        left -= 3.1415927f * leaf.radius * leaf.radius;
    }
}
