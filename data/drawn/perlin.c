/* Each corner of a cell says the product of its gradient with the way from it; these are blended by a quintic (Perlin 2002). */
#include "data/drawn/perlin.h"

#include "core/base/philox.h"

#include <math.h>

EadPerlin ead_perlin(int rows, int columns, uint64_t seed, uint64_t stream, uint64_t counter) {
    EadPerlin perlin = {.rows = rows, .columns = columns};
    for (int r = 0; r <= rows; r++)
        for (int c = 0; c <= columns; c++) {
            uint64_t word = 4 * counter + (uint64_t)(r * (columns + 1) + c);
            double angle = 6.283185307179586 * (double)ead_uniform(ead_philox_word(seed, stream, word));
            perlin.down[r][c] = cos(angle);
            perlin.right[r][c] = sin(angle);
        }
    return perlin;
}

static double blend(double a, double b, double t) {
    return a + (b - a) * (t * t * t * (t * (6 * t - 15) + 10));
}

double ead_perlin_at(const EadPerlin *perlin, double row, double column) {
    int r = (int)row < perlin->rows - 1 ? (int)row : perlin->rows - 1,
        c = (int)column < perlin->columns - 1 ? (int)column : perlin->columns - 1;
    double y = row - r, x = column - c, corner[2][2];
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++)
            corner[i][k] = perlin->down[r + i][c + k] * (y - i) + perlin->right[r + i][c + k] * (x - k);
    return sqrt(2) * blend(blend(corner[0][0], corner[1][0], y), blend(corner[0][1], corner[1][1], y), x);
}
