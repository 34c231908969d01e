/* Lookup in paper_numbers.def. */
#include "train/sweep/paper_numbers.h"

#include <math.h>
#include <string.h>

static const EadPaperNumber numbers[] = {
#define EAD_PAPER(table, variant, collection, metric, percent, deviation)                                    \
    {table, variant, collection, EAD_FIGURE_##metric, percent, deviation},
#include "train/sweep/paper_numbers.def"
#undef EAD_PAPER
};

const EadPaperNumber *ead_paper_numbers(int *count) {
    *count = (int)(sizeof numbers / sizeof *numbers);
    return numbers;
}

const EadPaperNumber *ead_paper_find(const char *table, const char *variant, const char *collection,
                                     EadTableMetric metric) {
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const EadPaperNumber *row = &numbers[i];
        if (row->metric == metric && strcmp(row->table, table) == 0 && strcmp(row->variant, variant) == 0 &&
            strcmp(row->collection, collection) == 0)
            return row;
    }
    return NULL;
}

int ead_paper_scenarios(const char *collection) {
    static const struct {
        const char *name;
        int scenarios;
    } known[] = {{"mvtec_ad", 15}, {"mvtec_loco", 5}, {"visa", 12}, {"all", 32}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, collection) == 0) return known[i].scenarios;
    return 0;
}
