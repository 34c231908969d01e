/* What the fit of a bank will take, counted before it begins. */
#include "train/patchcore/patchcore_state.h"

#include "core/base/minmax.h"
#include "core/ops/nearest_rows/nearest_rows.h"
#include "train/patchcore/coreset.h"
#include "train/support/memory_budget.h"

int64_t ead_patchcore_fit_grid(const EadPatchcoreFit *s) {
    return (int64_t)s->model->grid_height * s->model->grid_width;
}

int64_t ead_patchcore_fit_choice(const EadPatchcoreFit *s, int images) {
    int64_t fresh = images * ead_patchcore_fit_grid(s), all = s->model->positions + fresh;
    int64_t wanted = (int64_t)(s->config->patchcore_coreset_ratio * (double)all);
    wanted -= s->model->rows;
    return wanted < 0 ? 0 : ead_min64(wanted, fresh);
}

EadPatchcoreMemory ead_patchcore_fit_memory(const EadPatchcoreFit *s, int images) {
    size_t vector = (size_t)s->model->spec.length * sizeof(real);
    EadPatchcoreMemory n = {.patches = images * ead_patchcore_fit_grid(s),
                            .bank = ead_patchcore_fit_choice(s, images)};
    n.patch_bytes = (size_t)n.patches * vector;
    n.bank_bytes = (size_t)n.bank * vector;
    n.coreset_bytes = n.bank < n.patches ? ead_coreset_bytes(n.patches, n.bank) : 0;
    if (!s->spec->backend->device)
        n.search_bytes = ead_nearest_rows_bytes(s->model->rows + n.bank, s->model->spec.length);
    n.besides = n.patch_bytes + n.coreset_bytes;
    n.besides = s->network + (n.besides > n.search_bytes ? n.besides : n.search_bytes);
    n.total = n.besides + n.bank_bytes;
    return n;
}

int ead_patchcore_fit_listed(const EadPatchcoreFit *s) {
    if (!s->data) return s->count;
    return (s->spec->resume ? 0 : s->data->dataset.train.count) + s->added_list.count;
}

EadStatus ead_patchcore_fit_check_neighbours(const EadPatchcoreFit *s, int64_t bank) {
    const EadPatchcoreSpec *spec = &s->model->spec;
    bool reweight = spec->reweight > spec->neighbours;
    int most = reweight ? spec->reweight : spec->neighbours;
    if (bank >= most) return EAD_OK;
    return ead_fail(EAD_BAD_ARGUMENT,
                    "the bank has %lld patch%s, fewer than patchcore.%s (%d); raise patchcore.coreset_ratio "
                    "(now %g) or take more images",
                    (long long)bank, bank == 1 ? "" : "es", reweight ? "reweight" : "neighbours", most,
                    s->config->patchcore_coreset_ratio);
}

EadStatus ead_patchcore_fit_check_memory(const EadPatchcoreFit *s, int images) {
    EadPatchcoreMemory n = ead_patchcore_fit_memory(s, images);
    size_t there = ead_available_memory(&ead_backend_cpu);
    if (n.bank + s->model->rows > EAD_NEAREST_MAX_ROWS)
        return ead_fail(EAD_BAD_ARGUMENT,
                        "the bank would have %lld patches; at most %d are possible: lower "
                        "patchcore.coreset_ratio (now %g)",
                        (long long)(n.bank + s->model->rows), EAD_NEAREST_MAX_ROWS,
                        s->config->patchcore_coreset_ratio);
    if (n.total <= there) return EAD_OK;
    return ead_fail(
        EAD_NO_MEMORY,
        "%lld patches of %d numbers, of which the bank keeps %lld, take %.0f MB (network %.0f, patches "
        "%.0f, bank %.0f, choosing it %.0f, then searching it %.0f), but only %.0f MB are free; lower %s",
        (long long)n.patches, s->model->spec.length, (long long)n.bank, 1e-6 * (double)n.total,
        1e-6 * (double)s->network, 1e-6 * (double)n.patch_bytes, 1e-6 * (double)n.bank_bytes,
        1e-6 * (double)n.coreset_bytes, 1e-6 * (double)n.search_bytes, 1e-6 * (double)there,
        n.total - n.bank_bytes <= there ? "patchcore.coreset_ratio"
                                        : "patchcore.width or model.image_size, or take fewer images");
}

EadPatchcoreNeed ead_patchcore_fit_need(const void *state) {
    const EadPatchcoreFit *s = state;
    EadPatchcoreMemory n = ead_patchcore_fit_memory(s, ead_patchcore_fit_listed(s));
    size_t element = s->model->spec.stored == EAD_FILE_F16 ? sizeof(uint16_t) : sizeof(float);
    return (EadPatchcoreNeed){.kept = n.bank_bytes,
                              .besides = n.besides,
                              .detector = s->network + n.search_bytes,
                              .stored = (size_t)n.bank * (size_t)s->model->spec.length * element};
}
