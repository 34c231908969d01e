/* Winograd transforms of tiles of 8 for one kernel, included once for each: KERNEL and NAME(x) are set by the
 * includer. Every loop has constant bounds and constant matrices, so that the compiler unrolls
 * all, drops the zeros and keeps a line of the tile in registers. */

enum { NAME(outputs) = TILE - KERNEL + 1 };

/* Rows 1+2q and 2+2q of B^T belong to points p and -p if all other points come in such pairs: they agree in
 * every second column and are opposite in the others. */
static inline __attribute__((always_inline)) int NAME(is_pair)(int i) {
    int same = 1;
    UNROLL for (int j = 0; j < TILE; j++) {
        real a = winograd_bt[i][j], b = winograd_bt[i + 1][j];
        same = same && (a == b || a == -b);
    }
    return same;
}

/* o = B^T d. */
static inline __attribute__((always_inline)) void NAME(input_line)(const Vector *d, Vector *o) {
    UNROLL for (int i = 0; i < TILE; i++) {
        Vector even = zero(), odd = zero();
        int pair = i > 0 && i + 1 < TILE && i % 2 == 1 && NAME(is_pair)(i);
        if (i > 1 && i % 2 == 0 && i < TILE - 1 && NAME(is_pair)(i - 1))
            continue; /* done with the one before */
        UNROLL for (int j = 0; j < TILE; j++) {
            if (winograd_bt[i][j] == 0) continue;
            if (pair && winograd_bt[i][j] != winograd_bt[i + 1][j])
                odd += winograd_bt[i][j] * d[j];
            else
                even += winograd_bt[i][j] * d[j];
        }
        o[i] = pair ? even + odd : even;
        if (pair) o[i + 1] = even - odd;
    }
}

/* o[0..rows-1] = M x, where `entry` is M[i][k], a constant. */
#define LINE(name, rows, columns, entry)                                                                     \
    static inline __attribute__((always_inline)) void NAME(name)(const Vector *x, Vector *o) {               \
        UNROLL for (int i = 0; i < (rows); i++) {                                                            \
            o[i] = zero();                                                                                   \
            UNROLL for (int k = 0; k < (columns); k++) if ((entry) != 0) o[i] += x[k] * (entry);             \
        }                                                                                                    \
    }

LINE(output_line, NAME(outputs), TILE, NAME(at)[i][k])          /* A^T m */
LINE(output_gradient_line, TILE, NAME(outputs), NAME(at)[k][i]) /* A y */
LINE(weight_line, TILE, KERNEL, NAME(g)[i][k])                  /* G w */
LINE(weight_gradient_line, KERNEL, TILE, NAME(g)[k][i])         /* G^T u */

/* Two-dimensional transforms: the line transform down every column, then along every row. */
#define GATHER(n, source)                                                                                    \
    UNROLL for (int gather_i = 0; gather_i < (n); gather_i++) line[gather_i] = load(source)

/* From n x n places in memory to a whole tile. */
#define TO_TILE(name, n)                                                                                     \
    static void NAME(name)(const real *const *from, int64_t channels, real *to, int64_t stride) {            \
        for (int64_t c = 0; c < channels; c += LANES) {                                                      \
            Vector half[TILE][n], line[n], out[TILE];                                                        \
            for (int j = 0; j < (n); j++) {                                                                  \
                GATHER(n, from[gather_i * (n) + j] + c);                                                     \
                NAME(name##_line)(line, out);                                                                \
                UNROLL for (int i = 0; i < TILE; i++) half[i][j] = out[i];                                   \
            }                                                                                                \
            for (int i = 0; i < TILE; i++) {                                                                 \
                NAME(name##_line)(half[i], out);                                                             \
                UNROLL for (int j = 0; j < TILE; j++) store(to + (i * TILE + j) * stride + c, out[j]);       \
            }                                                                                                \
        }                                                                                                    \
    }

TO_TILE(input, TILE)
TO_TILE(output_gradient, NAME(outputs))
TO_TILE(weight, KERNEL)

static void NAME(output)(const real *m, int64_t stride, int64_t channels, const real *bias, int relu, real *y,
                         int64_t row_stride, int64_t pixel_stride, int rows, int columns) {
    for (int64_t c = 0; c < channels; c += LANES) {
        Vector half[NAME(outputs)][TILE], line[TILE], out[NAME(outputs)];
        Vector added = bias ? load(bias + c) : zero();
        for (int j = 0; j < TILE; j++) {
            GATHER(TILE, m + (gather_i * TILE + j) * stride + c);
            NAME(output_line)(line, out);
            UNROLL for (int i = 0; i < NAME(outputs); i++) half[i][j] = out[i];
        }
        for (int i = 0; i < rows; i++) {
            NAME(output_line)(half[i], out);
            UNROLL for (int j = 0; j < NAME(outputs); j++) {
                Vector value = out[j] + added;
                if (relu) value = positive_part(value);
                if (j < columns) store(y + i * row_stride + j * pixel_stride + c, value);
            }
        }
    }
}

static void NAME(weight_gradient)(const real *u, int64_t stride, int64_t channels, real *const *taps) {
    for (int64_t c = 0; c < channels; c += LANES) {
        Vector half[KERNEL][TILE], line[TILE], out[KERNEL];
        for (int j = 0; j < TILE; j++) {
            GATHER(TILE, u + (gather_i * TILE + j) * stride + c);
            NAME(weight_gradient_line)(line, out);
            UNROLL for (int i = 0; i < KERNEL; i++) half[i][j] = out[i];
        }
        for (int i = 0; i < KERNEL; i++) {
            NAME(weight_gradient_line)(half[i], out);
            UNROLL for (int j = 0; j < KERNEL; j++) store(taps[i * KERNEL + j] + c, out[j]);
        }
    }
}

#undef GATHER
#undef LINE
#undef TO_TILE
