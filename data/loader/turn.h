/* Images turned about their middle by any angle, which training draws. */
#pragma once

#include <stdint.h>

/* (row, column) of the turned image lies at (*y, *x) of the other. */
typedef struct EadTurn {
    double cosine, sine, row, column; /* of the middle */
} EadTurn;

/* By an angle in radians, of images of that size. */
EadTurn ead_turn(double angle, int height, int width);

void ead_turned_place(const EadTurn *turn, int row, int column, double *y, double *x);

/* image [height][width][3] -> out, as large, between four pixels each; black where it comes from outside. */
void ead_turn_image(const EadTurn *turn, const uint8_t *image, int height, int width, uint8_t *out);
