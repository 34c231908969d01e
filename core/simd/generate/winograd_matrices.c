/* Build-time tool: writes the Winograd matrices as C arrays to standard output.
 *
 * For kernels of r and tiles of t = m + r - 1 inputs, m outputs: y = A^T [(G w) * (B^T d)] in one dimension
 * (Lavin and Gray, "Fast algorithms for convolutional neural networks", 2016). Toom-Cook: with evaluation
 * points p_k (and the point at infinity last), A^T[i][k] = p_k^i, G[k][j] = p_k^j, and B^T is the transposed
 * inverse of the Vandermonde matrix. All in exact fractions. Each row of B^T is divided, and the row of G
 * multiplied, by the power of two nearest to its largest entry, so that no product is much larger than
 * another.
 *
 * The points: small numbers whose powers stay small, in pairs +p, -p, which halve the work of the transforms. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { TILE = 8 };

typedef struct Fraction {
    int64_t n, d; /* d > 0, no common factor */
} Fraction;

static int64_t gcd(int64_t a, int64_t b) {
    return b ? gcd(b, a % b) : llabs(a);
}

static Fraction fraction(int64_t n, int64_t d) {
    int64_t g = gcd(n, d) * (d < 0 ? -1 : 1);
    return (Fraction){n / g, d / g};
}

static Fraction multiply(Fraction a, Fraction b) {
    Fraction x = fraction(a.n, b.d), y = fraction(b.n, a.d);
    return (Fraction){x.n * y.n, x.d * y.d};
}

static Fraction subtract(Fraction a, Fraction b) {
    return fraction(a.n * b.d - b.n * a.d, a.d * b.d);
}

static Fraction power(Fraction a, int exponent) {
    Fraction result = {1, 1};
    while (exponent-- > 0) result = multiply(result, a);
    return result;
}

/* Rows of powers of the points, the last row being the point at infinity. */
static void vandermonde(const Fraction *points, int columns, Fraction out[TILE][2 * TILE]) {
    for (int k = 0; k < TILE; k++)
        for (int j = 0; j < columns; j++)
            out[k][j] = k < TILE - 1 ? power(points[k], j) : (Fraction){j == columns - 1, 1};
}

/* Gauss-Jordan on [V | 1]; leaves the inverse in the right half. */
static void invert(Fraction a[TILE][2 * TILE]) {
    for (int i = 0; i < TILE; i++)
        for (int j = 0; j < TILE; j++) a[i][TILE + j] = (Fraction){i == j, 1};
    for (int i = 0; i < TILE; i++) {
        int pivot = i;
        while (a[pivot][i].n == 0) pivot++;
        for (int j = 0; j < 2 * TILE; j++) {
            Fraction swapped = a[i][j];
            a[i][j] = a[pivot][j];
            a[pivot][j] = swapped;
        }
        Fraction inverse = fraction(a[i][i].d, a[i][i].n);
        for (int j = 0; j < 2 * TILE; j++) a[i][j] = multiply(a[i][j], inverse);
        for (int k = 0; k < TILE; k++) {
            Fraction factor = a[k][i];
            for (int j = 0; j < 2 * TILE && k != i && factor.n; j++)
                a[k][j] = subtract(a[k][j], multiply(factor, a[i][j]));
        }
    }
}

/* The power of two nearest (in ratio) to the largest absolute value of a row. */
static Fraction scale_of(const Fraction *row) {
    double largest = 0;
    for (int j = 0; j < TILE; j++) {
        double value = (double)llabs(row[j].n) / (double)row[j].d;
        if (value > largest) largest = value;
    }
    Fraction scale = {1, 1};
    while (largest > 1.41421356 * (double)scale.n / (double)scale.d)
        scale = multiply(scale, (Fraction){2, 1});
    while (largest < 0.70710678 * (double)scale.n / (double)scale.d)
        scale = multiply(scale, (Fraction){1, 2});
    return scale;
}

static void print(const char *name, int kernel, int rows, int columns, Fraction m[TILE][2 * TILE]) {
    printf("static const real %s_%d[%d][%d] = {\n", name, kernel, rows, columns);
    for (int i = 0; i < rows; i++) {
        printf("    {");
        for (int j = 0; j < columns; j++)
            printf("%s(real)%lld / %lld", j ? ", " : "", (long long)m[i][j].n, (long long)m[i][j].d);
        printf("},\n");
    }
    printf("};\n");
}

static void generate(int kernel, const Fraction *points) {
    Fraction inverse[TILE][2 * TILE], g[TILE][2 * TILE];
    Fraction bt[TILE][2 * TILE], at[TILE][2 * TILE];
    int outputs = TILE - kernel + 1;
    vandermonde(points, TILE, inverse);
    invert(inverse);
    vandermonde(points, kernel, g);
    for (int i = 0; i < TILE; i++) {
        for (int j = 0; j < TILE; j++) bt[i][j] = inverse[j][TILE + i];
        Fraction scale = scale_of(bt[i]), shrink = fraction(scale.d, scale.n);
        for (int j = 0; j < TILE; j++) bt[i][j] = multiply(bt[i][j], shrink);
        for (int j = 0; j < kernel; j++) g[i][j] = multiply(g[i][j], scale);
    }
    for (int i = 0; i < outputs; i++)
        for (int k = 0; k < TILE; k++)
            at[i][k] = k < TILE - 1 ? power(points[k], i) : (Fraction){i == outputs - 1, 1};
    print("winograd_bt", kernel, TILE, TILE, bt);
    print("winograd_g", kernel, TILE, kernel, g);
    print("winograd_at", kernel, outputs, TILE, at);
}

int main(void) {
    static const Fraction points[] = {{0, 1}, {1, 1}, {-1, 1}, {2, 1}, {-2, 1}, {1, 2}, {-1, 2}};
    printf("/* Winograd matrices, written by core/simd/generate/winograd_matrices.c. */\n");
    generate(3, points);
    generate(4, points);
    return 0;
}
