/* Three sorted lists of what images may be called, each name looked up in one after the other. */
#include "train/evaluate/name_match.h"

#include "core/base/memory.h"
#include "core/base/paths.h"
#include "core/base/utf8.h"
#include "data/codec/codec.h"
#include "train/evaluate/map_output.h"

#include <stdlib.h>
#include <string.h>

typedef struct Called {
    const char *text; /* borrowed */
    int sample;
} Called;

typedef struct CalledList {
    Called *items; /* [count], sorted once all are there */
    int count, capacity;
} CalledList;

typedef struct Matching {
    const EadDataset *dataset;
    const EadStringList *shown;
    const char *source;
    EadProblems *problems;
    EadNameMatch *match;
    EadStringList paths; /* two for each image, in UTF-8: with and without extension */
    EadStringList names; /* the outputs' in UTF-8, those of own */
    EadOutputNames *outputs;
    CalledList own;   /* as their maps are called */
    CalledList ends;  /* all ends of the paths */
    CalledList roots; /* their parts below the root */
} Matching;

static int by_text(const void *left, const void *right) {
    return strcmp(((const Called *)left)->text, ((const Called *)right)->text);
}

static EadStatus add(CalledList *list, const char *text, int sample) {
    EAD_TRY(ead_grow(&list->items, &list->capacity, list->count, sizeof *list->items, "the names to match"));
    list->items[list->count++] = (Called){text, sample};
    return EAD_OK;
}

static void sort(CalledList *list) {
    if (list->count > 1) qsort(list->items, (size_t)list->count, sizeof *list->items, by_text);
}

/* The image that is called so; -1: none is, or several, two of which *twins receives. */
static int find(const CalledList *list, const char *text, int twins[2]) {
    Called wanted = {text, 0};
    const Called *found =
        list->count ? bsearch(&wanted, list->items, (size_t)list->count, sizeof wanted, by_text) : NULL;
    if (!found) return -1;
    const Called *first = found, *last = found, *end = list->items + list->count - 1;
    while (first > list->items && by_text(first - 1, found) == 0) first--;
    while (last < end && by_text(last + 1, found) == 0) last++;
    for (; first < last && first->sample == last->sample; first++) {
    }
    if (first == last) return found->sample;
    twins[0] = first->sample, twins[1] = last->sample;
    return -1;
}

/* The part behind the next slash, or NULL. */
static const char *shorter(const char *path) {
    const char *slash = strchr(path, '/');
    return slash ? slash + 1 : NULL;
}

static EadStatus list_paths(Matching *m) {
    for (int i = 0; i < m->dataset->test_count; i++) {
        EadPath path;
        ead_utf8_escape(m->dataset->test[i].path, path, sizeof path);
        EAD_TRY(ead_strings_add(&m->paths, path));
        if (ead_image_has_known_extension(path)) path[ead_path_stem(path)] = '\0';
        EAD_TRY(ead_strings_add(&m->paths, path));
    }
    return EAD_OK;
}

static EadStatus list_called(Matching *m, const char *below_root) {
    EadPath root, name;
    ead_utf8_escape(below_root, root, sizeof root);
    size_t length = strlen(root), prefix = ead_path_prefix(root);
    EAD_TRY(ead_output_names_new(&m->outputs));
    for (int i = 0; i < m->dataset->test_count; i++) {
        const EadTestSample *test = &m->dataset->test[i];
        const char *own;
        m->match->of_sample[i] = -1;
        EAD_TRY(ead_output_names_take(m->outputs, test->defect, test->path, &own));
        ead_utf8_escape(own, name, sizeof name);
        EAD_TRY(ead_strings_add(&m->names, name));
        EAD_TRY(add(&m->own, m->names.items[i], i));
    }
    for (int i = 0; i < m->paths.count; i++) {
        const char *path = m->paths.items[i];
        bool below = strncmp(path, root, length) == 0 && strlen(path) > prefix;
        EAD_TRY(add(&m->roots, below ? path + prefix : path, i / 2));
        for (; path; path = shorter(path)) EAD_TRY(add(&m->ends, path, i / 2));
    }
    sort(&m->own);
    sort(&m->ends);
    sort(&m->roots);
    return EAD_OK;
}

/* The image that a name belongs to, or -1. */
static int image_of(const Matching *m, const char *given, const char *shown) {
    const EadTestSample *test = m->dataset->test;
    EadPath name;
    ead_utf8_escape(given, name, sizeof name);
    int twins[2] = {-1, -1}, sample = find(&m->own, name, twins);
    if (sample < 0) sample = find(&m->ends, name, twins);
    for (const char *end = name; end && sample < 0 && twins[0] < 0; end = shorter(end))
        sample = find(&m->roots, end, twins);
    if (sample < 0 && twins[0] >= 0)
        ead_problems_add(m->problems, ead_fail(EAD_BAD_ARGUMENT,
                                               "%s: %s: may belong to %s and to %s; name it with its "
                                               "folders",
                                               m->source, shown, test[twins[0]].path, test[twins[1]].path));
    return sample;
}

static EadStatus match_all(Matching *m, const EadStringList *names) {
    EadNameMatch *match = m->match;
    for (int i = 0; i < names->count; i++) {
        const char *shown = m->shown->items[i];
        int sample = image_of(m, names->items[i], shown);
        if (sample < 0) {
            EAD_TRY(ead_strings_add(&match->superfluous, shown));
            continue;
        }
        int other = match->of_sample[sample];
        if (other >= 0)
            ead_problems_add(m->problems,
                             ead_fail(EAD_BAD_ARGUMENT, "%s: %s and %s: two for one image, %s; delete one",
                                      m->source, m->shown->items[other], shown,
                                      m->dataset->test[sample].path));
        match->of_sample[sample] = i;
    }
    for (int i = 0; i < m->dataset->test_count; i++)
        if (match->of_sample[i] < 0) EAD_TRY(ead_strings_add(&match->missing, m->dataset->test[i].path));
    return EAD_OK;
}

EadStatus ead_names_match(const EadDataset *dataset, const char *root, const EadStringList *names,
                          const EadStringList *shown, const char *source, EadProblems *problems,
                          EadNameMatch *match) {
    Matching m = {.dataset = dataset, .shown = shown, .source = source, .problems = problems, .match = match};
    *match = (EadNameMatch){.of_sample =
                                ead_new(dataset->test_count, sizeof *match->of_sample, "the names to match")};
    EadStatus status = match->of_sample ? list_paths(&m) : EAD_NO_MEMORY;
    if (status == EAD_OK) status = list_called(&m, root);
    if (status == EAD_OK) status = match_all(&m, names);
    ead_strings_free(&m.paths);
    ead_strings_free(&m.names);
    ead_output_names_free(m.outputs);
    free(m.own.items);
    free(m.ends.items);
    free(m.roots.items);
    return status;
}

void ead_name_match_free(EadNameMatch *match) {
    free(match->of_sample);
    ead_strings_free(&match->missing);
    ead_strings_free(&match->superfluous);
    *match = (EadNameMatch){0};
}
