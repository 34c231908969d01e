/* Means of two windows, side by side. */
#include "train/loop/convergence.h"

#include "core/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

EadStatus ead_convergence_add(EadConvergence *convergence, double loss) {
    if (convergence->count == convergence->capacity) {
        int capacity = convergence->capacity ? 2 * convergence->capacity : 64;
        double *losses = ead_new(capacity, sizeof *losses, "losses on validation images");
        if (!losses) return EAD_NO_MEMORY;
        if (convergence->count > 0)
            memcpy(losses, convergence->losses, (size_t)convergence->count * sizeof *losses);
        free(convergence->losses);
        convergence->losses = losses;
        convergence->capacity = capacity;
    }
    convergence->losses[convergence->count++] = loss;
    return EAD_OK;
}

static double mean(const double *losses, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) sum += losses[i];
    return sum / count;
}

int ead_convergence_reached(const EadConvergence *convergence, int window, double fall) {
    for (int end = 2 * window; end <= convergence->count; end++) {
        double before = mean(convergence->losses + end - 2 * window, window);
        double last = mean(convergence->losses + end - window, window);
        if (!(before - last > fall * before)) return end;
    }
    return 0;
}

int64_t ead_convergence_steps(int64_t at, double share, int64_t limit) {
    double steps = share > 0 ? ceil((double)at / share - 1e-6) : (double)at;
    return steps < (double)limit ? (int64_t)steps : limit;
}

EadStatus ead_convergence_write(const EadConvergence *convergence, EadSafetensorsWriter *writer) {
    int64_t count = convergence->count;
    if (count == 0) return EAD_OK;
    return ead_safetensors_writer_tensor(writer, EAD_CONVERGENCE, EAD_FILE_F64, 1, &count,
                                         convergence->losses);
}

EadStatus ead_convergence_read(EadConvergence *convergence, const EadSafetensors *file) {
    const EadFileTensor *tensor = ead_safetensors_find(file, EAD_CONVERGENCE);
    if (!tensor) return EAD_OK;
    if (tensor->type != EAD_FILE_F64 || tensor->count > INT32_MAX)
        return ead_fail(EAD_BAD_FILE, "%s: tensor '%s' does not fit; it is not a checkpoint of this model",
                        ead_safetensors_path(file), EAD_CONVERGENCE);
    for (int64_t i = 0; i < tensor->count; i++) {
        double loss;
        memcpy(&loss, (const char *)tensor->data + (size_t)i * sizeof loss, sizeof loss);
        EAD_TRY(ead_convergence_add(convergence, loss));
    }
    return EAD_OK;
}

void ead_convergence_free(EadConvergence *convergence) {
    free(convergence->losses);
    *convergence = (EadConvergence){0};
}
