/* Set and restored around every call. */
#include "models/host_state.h"

#include "core/system/openmp_threads.h"

#include <omp.h>

EadHostState ead_host_enter(EadThreadCount threads) {
    /* Nothing is allocated for this locale, so nothing is to be freed. */
    EadHostState host = {.locale = uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0)),
                         .threads = omp_get_max_threads()};
    fegetenv(&host.numbers);
    fesetenv(FE_DFL_ENV);
    if (threads.count > 0 && (threads.exact || threads.count < host.threads))
        omp_set_num_threads(threads.count);
    omp_set_num_threads(ead_openmp_threads());
    return host;
}

void ead_host_leave(EadHostState host) {
    uselocale(host.locale);
    fesetenv(&host.numbers);
    omp_set_num_threads(host.threads);
}
