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

/* o[0..outputs-1] = A^T m. */
static inline __attribute__((always_inline)) void NAME(output_line)(const Vector *m, Vector *o) {
    UNROLL for (int i = 0; i < NAME(outputs); i++) {
        o[i] = zero();
        UNROLL for (int k = 0; k < TILE; k++) if (NAME(at)[i][k] != 0) o[i] += NAME(at)[i][k] * m[k];
    }
}

/* o[0..tile-1] = A y. */
static inline __attribute__((always_inline)) void NAME(output_gradient_line)(const Vector *y, Vector *o) {
    UNROLL for (int k = 0; k < TILE; k++) {
        o[k] = zero();
        UNROLL for (int i = 0; i < NAME(outputs); i++) if (NAME(at)[i][k] != 0) o[k] += NAME(at)[i][k] * y[i];
    }
}

/* o[0..tile-1] = G w. */
static inline __attribute__((always_inline)) void NAME(weight_line)(const Vector *w, Vector *o) {
    UNROLL for (int k = 0; k < TILE; k++) {
        o[k] = zero();
        UNROLL for (int j = 0; j < KERNEL; j++) if (NAME(g)[k][j] != 0) o[k] += NAME(g)[k][j] * w[j];
    }
}

/* o[0..kernel-1] = G^T u. */
static inline __attribute__((always_inline)) void NAME(weight_gradient_line)(const Vector *u, Vector *o) {
    UNROLL for (int j = 0; j < KERNEL; j++) {
        o[j] = zero();
        UNROLL for (int k = 0; k < TILE; k++) if (NAME(g)[k][j] != 0) o[j] += NAME(g)[k][j] * u[k];
    }
}

/* Two-dimensional transforms: the line transform down every column, then along every row. */
#define GATHER(n, source)                                                                                    \
    UNROLL for (int gather_i = 0; gather_i < (n); gather_i++) line[gather_i] = load(source)

static void NAME(input)(const real *const *pixels, int64_t channels, real *v, int64_t stride) {
    for (int64_t c = 0; c < channels; c += LANES) {
        Vector half[TILE][TILE], line[TILE], out[TILE];
        for (int j = 0; j < TILE; j++) {
            GATHER(TILE, pixels[gather_i * TILE + j] + c);
            NAME(input_line)(line, out);
            UNROLL for (int i = 0; i < TILE; i++) half[i][j] = out[i];
        }
        for (int i = 0; i < TILE; i++) {
            NAME(input_line)(half[i], out);
            UNROLL for (int j = 0; j < TILE; j++) store(v + (i * TILE + j) * stride + c, out[j]);
        }
    }
}

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

static void NAME(output_gradient)(const real *const *pixels, int64_t channels, real *m, int64_t stride) {
    for (int64_t c = 0; c < channels; c += LANES) {
        Vector half[TILE][NAME(outputs)], line[NAME(outputs)], out[TILE];
        for (int j = 0; j < NAME(outputs); j++) {
            GATHER(NAME(outputs), pixels[gather_i * NAME(outputs) + j] + c);
            NAME(output_gradient_line)(line, out);
            UNROLL for (int i = 0; i < TILE; i++) half[i][j] = out[i];
        }
        for (int i = 0; i < TILE; i++) {
            NAME(output_gradient_line)(half[i], out);
            UNROLL for (int j = 0; j < TILE; j++) store(m + (i * TILE + j) * stride + c, out[j]);
        }
    }
}

static void NAME(weight)(const real *const *taps, int64_t channels, real *u, int64_t stride) {
    for (int64_t c = 0; c < channels; c += LANES) {
        Vector half[TILE][KERNEL], line[KERNEL], out[TILE];
        for (int j = 0; j < KERNEL; j++) {
            GATHER(KERNEL, taps[gather_i * KERNEL + j] + c);
            NAME(weight_line)(line, out);
            UNROLL for (int i = 0; i < TILE; i++) half[i][j] = out[i];
        }
        for (int i = 0; i < TILE; i++) {
            NAME(weight_line)(half[i], out);
            UNROLL for (int j = 0; j < TILE; j++) store(u + (i * TILE + j) * stride + c, out[j]);
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
