/* Turning, and what lies between pixels. */
#include "data/loader/turn.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

EadTurn ead_turn(double angle, int height, int width) {
    return (EadTurn){cos(angle), sin(angle), (height - 1) / 2.0, (width - 1) / 2.0};
}

void ead_turned_place(const EadTurn *turn, int row, int column, double *y, double *x) {
    double down = row - turn->row, right = column - turn->column;
    *y = turn->row + turn->cosine * down + turn->sine * right;
    *x = turn->column - turn->sine * down + turn->cosine * right;
}

/* A pixel's value, black outside of the image. */
static double pixel(const uint8_t *image, int height, int width, int y, int x, int c) {
    bool inside = y >= 0 && y < height && x >= 0 && x < width;
    return inside ? image[3 * ((ptrdiff_t)y * width + x) + c] : 0;
}

void ead_turn_image(const EadTurn *turn, const uint8_t *image, int height, int width, uint8_t *out) {
    for (int row = 0; row < height; row++)
        for (int column = 0; column < width; column++, out += 3) {
            double y, x;
            ead_turned_place(turn, row, column, &y, &x);
            int top = (int)floor(y), left = (int)floor(x);
            double down = y - top, right = x - left;
            for (int c = 0; c < 3; c++) {
                double upper = pixel(image, height, width, top, left, c) * (1 - right) +
                               pixel(image, height, width, top, left + 1, c) * right;
                double lower = pixel(image, height, width, top + 1, left, c) * (1 - right) +
                               pixel(image, height, width, top + 1, left + 1, c) * right;
                out[c] = (uint8_t)(upper * (1 - down) + lower * down + 0.5);
            }
        }
}
